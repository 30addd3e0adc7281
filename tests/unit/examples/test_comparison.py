"""Did recall help: the arithmetic is right, and chance is not taken for help."""

from datetime import date, datetime
from random import Random

import pytest

from daybook import DecisionType, new_decision_id
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from examples.trading_desk.agents import RISK, SCOUT
from examples.trading_desk.comparison import (
    Estimate,
    success_difference,
    success_rate,
    verdict,
    yearly_difference,
)
from examples.trading_desk.desk import Entry, TradingDay
from examples.trading_desk.prices import NEW_YORK

DAY = date(2010, 1, 4)
KIND = DecisionType.OTHER
OWN_ID = new_decision_id(SCOUT, datetime(2010, 1, 4, 16, tzinfo=NEW_YORK))


def day(success: bool | None, earned: float = 0.0) -> TradingDay:
    """Make a day on which the scout was right, or wrong, or not asked."""
    decision = DecisionDraft(decision_type=KIND, confidence=0.5, decision_id=OWN_ID)
    made = [
        Entry(
            agent_id=SCOUT,
            decision=decision,
            outcome=OutcomeDraft(decision_id=OWN_ID, decision_type=KIND, success=success),
        )
        for _ in range(success is not None)
        if success is not None
    ]
    return TradingDay(day=DAY, entries=tuple(made), desk_return=earned, average_return=0.0)


def days(*successes: bool | None) -> list[TradingDay]:
    """Make days."""
    return [day(success) for success in successes]


def test_a_rate_has_its_binomial_error() -> None:
    """Three of four, give or take 22 %; of an agent that never decided there is none."""
    rate = success_rate(days(True, True, True, False, None), SCOUT)
    assert rate is not None
    assert rate.value == 0.75
    assert rate.error == pytest.approx(0.2165, abs=1e-4)
    assert success_rate(days(True), RISK) is None


def test_the_same_desk_twice_differs_by_nothing() -> None:
    """With no error at all, and that is not beyond chance."""
    same = days(True, False, True, None)
    found = success_difference(same, same, SCOUT)
    assert found == Estimate(0.0, 0.0)
    assert not found.is_beyond_chance
    assert success_difference(same, same, RISK) is None
    assert not yearly_difference(same, same, 5).is_beyond_chance


def test_the_difference_is_that_of_the_rates() -> None:
    """Also where the two desks did not ask the agent on the same days."""
    found = success_difference(days(True, True, None, True), days(True, False, False, None), SCOUT)
    assert found is not None
    assert found.value == pytest.approx(1 - 1 / 3)
    assert found.error > 0


def test_one_day_proves_nothing() -> None:
    """There is no spread to judge it by."""
    found = success_difference(days(True), days(False), SCOUT)
    assert found is not None
    assert not found.is_beyond_chance


def test_chance_is_rarely_taken_for_help() -> None:
    """In two thousand worlds without a difference, at about one in a hundred."""
    dice = Random(7)  # noqa: S311 - no cryptography
    right, wrong, away = day(True), day(False), day(None)
    worlds, beyond = 2000, 0
    for _ in range(worlds):
        one, two = ([dice.choice((right, right, wrong, away)) for _ in range(80)] for _ in "ab")
        found = success_difference(one, two, SCOUT)
        beyond += found is not None and found.is_beyond_chance
    assert 0.005 < beyond / worlds < 0.025


def test_a_year_has_as_many_decisions_as_it_has() -> None:
    """A tenth of a point more every fifth trading day is five points a year."""
    gained, nothing = [day(None, 0.001), day(None, 0.001)], days(None, None)
    assert yearly_difference(gained, nothing, 5).value == pytest.approx(0.0504)


def test_the_verdict_is_one_sentence() -> None:
    """It names what helped, what hurt, and where nothing can be said."""
    good, bad, none = Estimate(0.3, 0.1), Estimate(-0.3, 0.1), Estimate(0.2, 0.1)
    assert verdict({"A": good, "B": bad, "C": none, "D": None}) == (
        "Recall helped A, hurt B and made no difference beyond chance to C and D."
    )
    assert verdict({"A": none}) == "Recall made no difference beyond chance to A."
