"""The agents: every choice is one of its options, with a probability that is one."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.trading_desk import agents
from examples.trading_desk.agents import Choice
from examples.trading_desk.features import Features

move = st.floats(min_value=-0.9, max_value=3.0)
features = st.builds(
    Features,
    return_1d=move,
    return_5d=move,
    return_20d=move,
    volatility=st.one_of(st.just(0.0), st.floats(min_value=0.05, max_value=3.0)),
    ma_20_gap=move,
    ma_60_gap=move,
    trend=st.sampled_from(["up", "down", "sideways"]),
)
symbols = st.dictionaries(st.sampled_from("ABCD"), features, min_size=1)
chance = st.integers().map(Random)

CALM = Features(
    return_1d=0.0,
    return_5d=0.001,
    return_20d=0.002,
    volatility=0.2,
    ma_20_gap=0.0,
    ma_60_gap=0.0,
    trend="up",
)


def is_well_formed(choice: Choice) -> bool:
    """Whether Daybook will take the choice."""
    return (
        choice.selected in choice.options
        and set(choice.scores) == set(choice.options)
        and 0 <= choice.confidence <= 1
        and (choice.propensity is None or 0 < choice.propensity <= 1)
    )


@given(symbols, chance)
def test_the_scout_chooses_a_listed_symbol(seen: dict[str, Features], dice: Random) -> None:
    """Whatever the market did, even where a move is a hundred times the ordinary."""
    choice = agents.scout(seen, dice)
    assert is_well_formed(choice)
    assert set(choice.options) == set(seen)


@given(features, chance, st.floats(min_value=0, max_value=1))
def test_strategist_and_risk_choose_among_their_options(
    seen: Features, dice: Random, confidence: float
) -> None:
    """Whatever they see; and staying out is the only strategy that never has a position."""
    plot = agents.strategist(seen, dice)
    assert is_well_formed(plot)
    position = agents.direction(plot.selected, seen)
    assert position in {-1, 0, 1}
    assert plot.selected != "stay_out" or position == 0
    assert is_well_formed(agents.risk(seen, position, confidence))


def test_propensities_are_the_frequencies() -> None:
    """Over many days, each strategy is chosen as often as its propensity says."""
    dice = Random(7)  # noqa: S311 - no cryptography
    choices = [agents.strategist(CALM, dice) for _ in range(20_000)]
    counts = Counter(choice.selected for choice in choices)
    propensity = {choice.selected: choice.propensity for choice in choices}
    assert propensity["stay_out"] == pytest.approx(0.9 + 0.1 / 3)
    assert sum(p or 0 for p in propensity.values()) == pytest.approx(1.0)
    for strategy, count in counts.items():
        assert count / len(choices) == pytest.approx(propensity[strategy], abs=0.005)


@pytest.mark.parametrize(
    ("volatility", "size"), [(0.10, "full"), (0.45, "half"), (1.0, "quarter"), (5.0, "veto")]
)
def test_wild_markets_get_small_sizes(volatility: float, size: str) -> None:
    """The size aims at the same risk, whatever the market."""
    seen = Features(**{**vars(CALM), "volatility": volatility})
    assert agents.risk(seen, 1, 0.9).selected == size


def test_doubt_and_a_contrary_trend_halve_the_size() -> None:
    """Each by itself halves it, and the rationale says why."""
    assert agents.risk(CALM, 1, 0.9).selected == "full"
    against = agents.risk(CALM, -1, 0.9)
    assert against.selected == "half"
    assert "against a trend that is up" in against.rationale
    assert agents.risk(CALM, 1, 0.3).selected == "half"
    assert agents.risk(CALM, -1, 0.3).selected == "quarter"
