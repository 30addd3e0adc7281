"""A day at the desk."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook import DecisionType
from daybook.models import DecisionId
from examples.trading_desk.agents import RISK, SCOUT, STRATEGIST
from examples.trading_desk.desk import TradingDay, trade
from examples.trading_desk.features import LOOKBACK
from examples.trading_desk.plan import DeskError, Plan
from examples.trading_desk.portfolio import curves
from examples.trading_desk.prices import Market, read_market

PLAN = Plan(every=5)
REAL = read_market()
price = st.floats(min_value=1.0, max_value=200.0)
series = st.lists(price, min_size=LOOKBACK + 5, max_size=LOOKBACK + 5).map(tuple)


def market(*closes: tuple[float, ...]) -> Market:
    """Make a market of symbols A, B, … with these closes."""
    first = date(2010, 1, 1)
    days = tuple(first + timedelta(days=day) for day in range(len(closes[0])))
    return Market(days, dict(zip("ABCD", closes, strict=False)))


@settings(max_examples=50, deadline=None)
@given(series, series, st.lists(price, min_size=5, max_size=5).map(tuple))
def test_no_look_ahead(
    one: tuple[float, ...], two: tuple[float, ...], other_sequel: tuple[float, ...]
) -> None:
    """Let other prices follow, and the same decisions are made, to the last digit of the ids."""
    day = LOOKBACK - 1
    known = len(one) - 5
    as_it_was = trade(market(one, two), PLAN, day)
    as_it_might = trade(market(one[:known] + other_sequel, two[:known] + other_sequel), PLAN, day)
    assert [e.decision for e in as_it_was.entries] == [e.decision for e in as_it_might.entries]


def test_three_agents_hand_on_to_each_other() -> None:
    """Each decision names the one before as its parent, and all are made at the close."""
    day = next(day for day in map(trade_real, PLAN.decision_days(REAL)) if len(day.entries) == 3)
    scout, strategist, risk = day.entries
    assert [entry.agent_id for entry in day.entries] == [SCOUT, STRATEGIST, RISK]
    assert scout.decision.decision_type is DecisionType.SOURCE_SELECTION
    assert scout.decision.parent_decision_id is None
    assert strategist.decision.parent_decision_id == scout.decision_id
    assert risk.decision.parent_decision_id == strategist.decision_id
    close = REAL.close_of(REAL.days.index(day.day))
    for entry in day.entries:
        assert entry.decision.decided_at == close
        assert DecisionId.parse(entry.decision_id).decided_at == close
        assert entry.outcome.latency_ms is not None
        assert entry.outcome.latency_ms > 0


def test_the_outcome_is_the_return_that_followed() -> None:
    """It is the chosen symbol's, over the days until the next decision."""
    for day in Plan(every=5, days=20).decision_days(REAL):
        scout, strategist, *_ = trade(REAL, PLAN, day).entries
        followed = REAL.following_return(scout.decision.selected[0], day, 5)
        assert scout.outcome.details["return"] == followed
        assert strategist.outcome.details["return"] == followed


def test_a_second_run_makes_the_same_decisions() -> None:
    """Same seed, same ids; another seed or another rhythm, other ids."""
    day = LOOKBACK - 1
    first = [entry.decision for entry in trade(REAL, PLAN, day).entries]
    assert [entry.decision for entry in trade(REAL, PLAN, day).entries] == first
    for other in (Plan(every=5, seed=8), Plan(every=6)):
        ids = {entry.decision_id for entry in trade(REAL, other, day).entries}
        assert ids.isdisjoint(decision.decision_id for decision in first)


def test_a_plan_has_a_past_and_a_sequel_for_each_day() -> None:
    """The first day has enough past, the last one enough future."""
    days = PLAN.decision_days(REAL)
    assert days[0] == LOOKBACK - 1
    assert days[-1] + 5 < len(REAL.days)
    assert Plan(every=5, days=3).decision_days(REAL) == days[-3:]
    with pytest.raises(DeskError, match="use a smaller --every"):
        Plan(every=5_000).decision_days(REAL)


def test_the_second_half_goes_on_where_the_first_ends() -> None:
    """Both halves are all days, and the second one comes in years."""
    early, years = PLAN.halves(REAL)
    assert early + [day for year in years for day in year] == PLAN.decision_days(REAL)
    assert [REAL.days[year[0]].year for year in years] == list(range(2006, 2014))
    assert all(len({REAL.days[day].year for day in year}) == 1 for year in years)
    with pytest.raises(DeskError, match="has no halves"):
        Plan(days=1).halves(REAL)


def test_other_days_are_another_session() -> None:
    """What a shorter run logs is not taken for a part of a longer one."""
    assert Plan(days=12).session_id != Plan().session_id


def test_holding_earns_what_the_market_did() -> None:
    """The curve of buying and holding is the mean of the symbols' own growth."""
    days = [trade_real(day) for day in PLAN.decision_days(REAL)]
    desk, hold, _ = curves(REAL, PLAN, {"the desk": days})
    start = PLAN.decision_days(REAL)[0]
    end = 5 * len(days)
    held = [REAL.following_return(symbol, start, end) for symbol in ("AAPL", "IBM", "MSFT")]
    assert hold.total == pytest.approx(sum(held) / 3)
    assert desk.worth[0] == 1.0
    assert -1 < desk.worst_fall < 0


def trade_real(day: int) -> TradingDay:
    """Trade a day of the real market."""
    return trade(REAL, PLAN, day)
