"""The desk and Daybook together, on moto, through the direct door."""

from collections.abc import Iterator, Mapping

import pytest

from daybook import AWSClientManager, DecisionLogger, MemoryManager, OutcomeConflictError
from daybook.testing import local_aws
from examples.trading_desk import writing
from examples.trading_desk.agents import AGENTS, RISK, SCOUT
from examples.trading_desk.desk import Entry, trade
from examples.trading_desk.doors import DirectDoor, Door
from examples.trading_desk.plan import DeskError, Plan
from examples.trading_desk.prices import read_market

PLAN = Plan(every=5, days=6)
MARKET = read_market()
ALL_TIME = 24 * 366 * 100


@pytest.fixture
def client_manager() -> Iterator[AWSClientManager]:
    """Give empty tables."""
    with local_aws() as manager:
        yield manager


@pytest.fixture
def doors(client_manager: AWSClientManager) -> dict[str, Door]:
    """Give each agent a direct door."""
    return {agent: DirectDoor(agent, client_manager) for agent in AGENTS}


@pytest.fixture
def logs(client_manager: AWSClientManager) -> dict[str, DecisionLogger]:
    """Give each agent's log."""
    return {agent: DecisionLogger(MemoryManager(agent, client_manager)) for agent in AGENTS}


def six_weeks() -> list[Entry]:
    """Let the desk trade six weeks."""
    days = [trade(MARKET, PLAN, day) for day in PLAN.decision_days(MARKET)]
    return [entry for day in days for entry in day.entries]


def log_all(entries: list[Entry], doors: Mapping[str, Door]) -> list[str]:
    """Log the entries; return the agents in the order in which they were handed in."""
    seen: list[str] = []
    writing.hand_in(entries, doors, writing.log_decision, seen.append)
    writing.hand_in(entries, doors, writing.log_outcome, seen.append)
    return seen


def mine(agent: str, entries: list[Entry]) -> list[Entry]:
    """Return an agent's entries."""
    return [entry for entry in entries if entry.agent_id == agent]


def test_six_weeks_end_to_end(doors: dict[str, Door], logs: dict[str, DecisionLogger]) -> None:
    """All is read back equal, counted, and linked across the three agents."""
    entries = six_weeks()
    assert len(log_all(entries, doors)) == 2 * len(entries)
    for agent, log in logs.items():
        writing.check(log, mine(agent, entries))
        stats = log.get_decision_stats(ALL_TIME)
        assert stats["total_decisions"] == stats["with_outcome"] == len(mine(agent, entries))
    chain = logs[SCOUT].get_decision_chain(mine(RISK, entries)[0].decision_id)
    assert [record.agent_id for record in chain] == list(AGENTS)


def test_a_second_run_counts_nothing_twice(
    doors: dict[str, Door], logs: dict[str, DecisionLogger]
) -> None:
    """It is measured anew, keeps the first run's latencies, and changes nothing."""
    first = six_weeks()
    log_all(first, doors)
    held = {
        decision_id: record
        for agent, log in logs.items()
        for decision_id, record in writing.read_log(log, mine(agent, first)).items()
    }
    again = writing.as_measured_before(six_weeks(), held)
    assert again == first
    log_all(again, doors)
    assert logs[SCOUT].get_decision_stats(ALL_TIME)["total_decisions"] == 6


def test_a_refusal_stops_all_doors(doors: dict[str, Door]) -> None:
    """What one door refuses is raised, and says what stands."""
    entries = six_weeks()
    log_all(entries, doors)
    changed = [
        Entry(
            agent_id=entry.agent_id,
            decision=entry.decision,
            outcome=entry.outcome.model_copy(update={"quality_score": 0.123}),
        )
        for entry in entries
    ]
    with pytest.raises(OutcomeConflictError):
        writing.hand_in(changed, doors, writing.log_outcome, lambda _: None)


def test_what_is_lost_is_reported(
    doors: dict[str, Door], logs: dict[str, DecisionLogger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision without its outcome is not passed over."""
    monkeypatch.setattr(writing, "PATIENCE", 0.0)
    entries = mine(SCOUT, six_weeks())
    writing.hand_in(entries, doors, writing.log_decision, lambda _: None)
    with pytest.raises(DeskError, match="6 of 6 decisions or their outcomes cannot be read"):
        writing.check(logs[SCOUT], entries)


def test_what_reads_back_otherwise_is_reported(
    doors: dict[str, Door], logs: dict[str, DecisionLogger]
) -> None:
    """The comparison is of content, not of ids alone."""
    entries = mine(SCOUT, six_weeks())
    log_all(entries, doors)
    changed = entries[0].outcome.model_copy(update={"latency_ms": 1e6})
    other = Entry(agent_id=SCOUT, decision=entries[0].decision, outcome=changed)
    with pytest.raises(DeskError, match="reads back otherwise"):
        writing.check(logs[SCOUT], [other, *entries[1:]])
