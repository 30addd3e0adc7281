"""The second half: it follows memory, knows nothing of the future, and can be repeated."""

import io
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, cast

import pytest
from rich.console import Console

from daybook import (
    AWSClientManager,
    ConsolidationBusyError,
    DecisionRecord,
    DecisionType,
    MemoryManager,
    MemoryPattern,
    memory,
)
from daybook.models.enums import PatternType
from daybook.settings import Settings
from daybook.testing import local_aws
from examples.trading_desk import demo
from examples.trading_desk.agents import AGENTS, EXPLORE, SCOUT, STRATEGIST
from examples.trading_desk.desk import TradingDay, trade
from examples.trading_desk.features import LOOKBACK
from examples.trading_desk.learning import Quiet
from examples.trading_desk.plan import DeskError, Plan
from examples.trading_desk.prices import Market, read_market
from examples.trading_desk.session import Session
from examples.trading_desk.wiring import Wiring
from tests.unit.examples.conftest import StandInDoor, desk_on

REAL = read_market()
PLAN = Plan(days=8)


def run(wiring: Wiring, plan: Plan = PLAN, market: Market = REAL) -> str:
    """Run the whole demo; return what it prints."""
    screen = io.StringIO()
    demo.run(Console(file=screen, width=200), wiring, market, plan)
    return screen.getvalue()


def remember(wiring: Wiring, choice: str = "IBM") -> str:
    """Store a pattern of the scout's that speaks for a symbol; return its id."""
    now = datetime.now(UTC)
    pattern = MemoryPattern(
        pattern_id=f"by-hand.{choice}",
        agent_id=SCOUT,
        pattern_type=PatternType.SUCCESS,
        decision_type=DecisionType.SOURCE_SELECTION,
        choice=choice,
        success_rate=0.9,
        baseline_rate=0.4,
        sample_size=100,
        confidence=0.8,
        created_at=now,
        updated_at=now,
    )
    return wiring.memories[SCOUT].store_pattern(pattern).pattern_id


def logged(wiring: Wiring, agent: str = SCOUT) -> list[DecisionRecord]:
    """Return all that the agent's log holds, oldest first."""
    return list(wiring.logs[agent].query_decisions())[::-1]


def worth(printed: str) -> list[str]:
    """Return the lines of the report that say what became of a dollar."""
    return [line for line in printed.splitlines() if line.startswith(("the desk", "buy and"))]


def test_only_the_second_half_follows_memory(wiring: Wiring) -> None:
    """A decision names the patterns that it was advised by, and its propensity knows of them."""
    pattern_id = remember(wiring)
    printed = run(wiring)
    first, second = logged(wiring)[:4], logged(wiring)[4:]
    assert [record.reasoning.patterns_applied for record in first] == [[]] * 4
    for record in second:
        assert record.reasoning.patterns_applied == [pattern_id]
        follows = record.reasoning.selected == ["IBM"]
        assert ((record.reasoning.propensity or 0) >= 1 - EXPLORE) is follows
    assert sum(record.reasoning.selected == ["IBM"] for record in second) >= 3
    assert "Memory prefers IBM" in (second[0].reasoning.rationale or "")
    assert "made no difference beyond chance" in printed
    assert "1 patterns" not in printed
    assert "strategist: recalled nothing" in printed


def test_a_second_run_takes_the_second_half_from_the_log(wiring: Wiring) -> None:
    """Memory may have changed its mind since: nothing is recalled anew, nothing counts twice."""
    remember(wiring)
    first = run(wiring)
    before = [logged(wiring, agent) for agent in AGENTS]
    wiring.memories[SCOUT].retire_pattern("by-hand.IBM")
    remember(wiring, "MSFT")
    second = run(wiring)
    assert [logged(wiring, agent) for agent in AGENTS] == before
    assert "An earlier run has traded 4 of the second half's 4 days" in second
    assert " recalls took" not in second
    assert worth(second) == worth(first)


class DyingDoor(StandInDoor):
    """Carries out some outcomes and then dies."""

    left = 0

    def log_outcome(self, draft: Any) -> None:
        """Log an outcome, as long as it lives."""
        if not self.left:
            raise DeskError("The door fell shut.")
        self.left -= 1
        super().log_outcome(draft)


@pytest.mark.parametrize(
    "outcomes",
    [pytest.param(2, marks=pytest.mark.campaign), 5, pytest.param(7, marks=pytest.mark.campaign)],
)
def test_an_interrupted_run_is_completed(wiring: Wiring, outcomes: int) -> None:
    """Wherever it stopped, the log is in the end as if it had not."""
    plan = Plan(days=14)  # the second half is of two years
    remember(wiring)
    door = DyingDoor(SCOUT, wiring.metered)
    door.left = outcomes
    with pytest.raises(DeskError, match="fell shut"):
        run(replace(wiring, scout_door=cast("Any", door)), plan)
    run(wiring, plan)
    interrupted = {agent: logged(wiring, agent) for agent in AGENTS}
    with local_aws(settings=Settings(payload_bucket=None, table_prefix="other-")) as manager:
        other = desk_on(manager)
        remember(other)
        run(other, plan)
        for agent in AGENTS:
            undisturbed = logged(other, agent)
            assert [r.decision_id for r in undisturbed] == [
                r.decision_id for r in interrupted[agent]
            ]
            assert all(r.outcome for r in interrupted[agent])


def test_hindsight_is_refused(wiring: Wiring) -> None:
    """Memory that has learned from later days, in a run of another plan, is not asked."""
    run(wiring, Plan(days=2))
    before = len(logged(wiring))
    with pytest.raises(DeskError, match=r"would be hindsight. `daybook down --wipe`"):
        run(wiring)
    assert len(logged(wiring)) == before


def test_earlier_days_of_another_plan_are_no_hindsight(wiring: Wiring) -> None:
    """They were over before the second half began; the report says that they are there."""
    past = Plan(seed=8)
    day = past.decision_days(REAL)[0]
    Session(Console(file=io.StringIO()), wiring, REAL, past).log([trade(REAL, past, day)])
    assert "are of runs with other settings" in run(wiring)


def test_nobody_learns_half_a_year(wiring: Wiring) -> None:
    """While outcomes are logged others stand back; then the agent's lease is given back."""
    mine = wiring.memories
    with Quiet(mine.values()) as quiet:
        log_days(wiring, [PLAN.decision_days(REAL)[0]])
        with pytest.raises(ConsolidationBusyError):
            memory.consolidate(mine[SCOUT].store, SCOUT)
        assert quiet.learn(mine[SCOUT]).report.outcomes_learned == 1
        with pytest.raises(ConsolidationBusyError):
            memory.consolidate(mine[STRATEGIST].store, STRATEGIST)
    assert memory.consolidate(mine[STRATEGIST].store, STRATEGIST).outcomes_learned == 1


def test_a_schedule_that_came_first_is_reported(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It learned with settings of its own, and the reader has to know."""
    learn = Quiet.learn

    def too_late(quiet: Quiet, mine: MemoryManager) -> Any:
        memory.consolidate(mine.store, mine.agent_id, wait=timedelta(seconds=90))
        return learn(quiet, mine)

    monkeypatch.setattr("examples.trading_desk.learning.leased", lambda *_, **__: Unheld())
    monkeypatch.setattr(Quiet, "learn", too_late)
    assert "4 of the scout's outcomes were learned by the stack's own schedule" in run(wiring)


class Unheld:
    """A lease that nobody holds."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def log_days(wiring: Wiring, days: Iterable[int]) -> list[TradingDay]:
    """Trade days without memory and log them, outcomes included."""
    done = [trade(REAL, PLAN, day) for day in days]
    for day in done:
        for entry in day.entries:
            wiring.doors[entry.agent_id].log_decision(entry.decision)
            wiring.doors[entry.agent_id].log_outcome(entry.outcome)
    return done


def made_up(seed: int, sequel: int, days: int = LOOKBACK + 5 * 150) -> Market:
    """Make a market of a wild and a calm symbol; the last fifth of it is by another seed."""
    first = date(2001, 1, 1)
    split = days * 4 // 5
    closes: dict[str, tuple[float, ...]] = {}
    for symbol, size in (("WILD", 0.03), ("CALM", 0.003)):
        dice, price, series = Random(f"{seed} {symbol}"), 100.0, []  # noqa: S311 - no secrets
        for day in range(days):
            if day == split:
                dice = Random(f"{sequel} {symbol}")  # noqa: S311
            price *= 1 + dice.gauss(0, size)
            series.append(price)
        closes[symbol] = tuple(series)
    return Market(tuple(first + timedelta(days=day) for day in range(days)), closes)


def test_what_was_learned_is_used_and_knows_nothing_of_the_future(dynamodb_local_url: str) -> None:
    """Let other prices follow: the same is learned and decided until then, digit by digit."""
    as_it_was, as_it_might = made_up(1, 1), made_up(1, 2)
    same_until = as_it_was.close_of(len(as_it_was.days) * 4 // 5 - 10)
    ids = []
    for number, market in enumerate((as_it_was, as_it_might)):
        settings = Settings(table_prefix=f"future-{number}-")
        manager = AWSClientManager(endpoint_url=dynamodb_local_url, settings=settings)
        manager.create_all_tables()
        wiring = desk_on(manager)
        printed = run(wiring, Plan(every=5), market)
        assert re.search(r"scout +WILD +always", printed.partition("Second half")[0])
        assert "Recall helped the scout" in printed
        made = [record for record in logged(wiring) if record.decided_at < same_until]
        assert any(record.reasoning.patterns_applied for record in made)
        ids.append([record.decision_id for record in made])
    assert ids[0] == ids[1]
