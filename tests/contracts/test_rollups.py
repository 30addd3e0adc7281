"""What hourly rollups must do on every backend: statistics equal the log's own answer, always."""

from datetime import timedelta
from uuid import uuid4

import pytest

from daybook import DecisionLogger, DecisionType, OvertakenError, new_decision_id
from daybook.analytics import rolling
from daybook.analytics.rolling import CLOSED_AFTER, closed_until
from daybook.decisions import items
from daybook.models import DecisionId
from daybook.models.drafts import DecisionDraft
from daybook.progress import read_arrivals
from daybook.progress.heads import commit, read_head
from daybook.store import DECISIONS, MEMORY, CapacityMeter, keys
from daybook.store.expressions import equals
from daybook.store.requests import Check
from tests.clocks import Clock
from tests.contracts.conftest import BY_TABLES
from tests.unit.analytics.worker import FOR_EVER, check, documents, run

# these speak to the tables themselves, and no verb of an agent is among them
pytestmark = pytest.mark.parametrize("client_manager", BY_TABLES, indirect=True)

RISK = DecisionType.RISK_ASSESSMENT
QUERY = DecisionType.QUERY_EXECUTION
WINDOWS = (0.5, 3, 24.25, FOR_EVER)


def decide(log: DecisionLogger, clock: Clock, ago: float = 0, kind: DecisionType = RISK) -> str:
    """Log a decision that was made so many minutes ago."""
    decided_at = clock() - timedelta(minutes=ago)
    return log.log_decision(kind, confidence=0.1 + 0.007 * (ago % 100), decided_at=decided_at)


def resolve(log: DecisionLogger, decision_id: str, kind: DecisionType = RISK) -> None:
    """Log what came of it."""
    number = int(decision_id[-4:].replace("@", "0").encode().hex(), 16) % 97
    error = "boom" if number % 7 == 0 else None
    log.log_outcome(decision_id, kind, number % 3 > 0, number / 97, 1.5 * number, error)


def compare(log: DecisionLogger) -> None:
    """Compare statistics of several windows, and of a type, with the log."""
    for hours in WINDOWS:
        check(log.memory.client_manager.store, log.memory.agent_id, hours)
    check(log.memory.client_manager.store, log.memory.agent_id, 24, QUERY)


def busy_day(log: DecisionLogger, clock: Clock) -> list[str]:
    """Log a decision of one of two types every 13 minutes for a day; leave every fifth open."""
    left = []
    for number in range(110):
        kind = QUERY if number % 4 == 0 else RISK
        decision_id = decide(log, clock, kind=kind)
        if number % 5:
            resolve(log, decision_id, kind)
        elif kind is RISK:
            left.append(decision_id)
        clock.advance(minutes=13)
    return left


def test_statistics_equal_the_log(log: DecisionLogger, clock: Clock) -> None:
    """Before a run, after it, with outcomes that wait for one, and after that one."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    left = busy_day(log, clock)
    compare(log)
    head = run(store, agent_id)
    assert closed_until(head) == rolling.hour_of(clock() - CLOSED_AFTER)
    assert len(documents(store, agent_id)) == 24
    compare(log)
    for decision_id in left[:3]:
        resolve(log, decision_id)
    compare(log)
    run(store, agent_id)
    compare(log)
    clock.advance(days=20)
    for decision_id in left[3:5]:
        resolve(log, decision_id)
    compare(log)
    run(store, agent_id)
    compare(log)


def test_late_decisions(log: DecisionLogger, clock: Clock) -> None:
    """Decisions that arrive by minutes, hours or years late count once, waiting or rolled up."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    busy_day(log, clock)
    run(store, agent_id)
    for ago in (0.99, 1.0, 1.01, 30, 90, 600, 60 * 24 * 20, 60 * 24 * 365 * 13):
        resolve(log, decide(log, clock, ago))
    compare(log)
    run(store, agent_id)
    compare(log)
    clock.advance(hours=3)
    run(store, agent_id)
    compare(log)
    before = documents(store, agent_id)
    for _ in range(3):
        clock.advance(minutes=50)
        run(store, agent_id)
    assert documents(store, agent_id) == before


def test_a_repeated_decision_counts_once(log: DecisionLogger, clock: Clock) -> None:
    """Logging it again leaves further marks, which count nothing: on time or late."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    for ago in (0, 300):
        own = new_decision_id(agent_id, clock() - timedelta(minutes=ago))
        for _ in range(3):
            log.log_decision(RISK, confidence=0.5, decision_id=own)
            clock.advance(hours=2)
            compare(log)
            run(store, agent_id)
            compare(log)
    assert check(store, agent_id, FOR_EVER)["total_decisions"] == 2


def test_a_mark_waits_for_its_decision(log: DecisionLogger, clock: Clock) -> None:
    """A run between the two writes of a late decision neither counts nor forgets it."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    decide(log, clock)
    clock.advance(hours=6)
    run(store, agent_id)
    own = new_decision_id(agent_id, clock() - timedelta(hours=3))
    draft = DecisionDraft(decision_type=RISK, confidence=0.5, decision_id=own)
    record = draft.to_record(agent_id, clock())
    store.put(DECISIONS, items.late_mark(store, DecisionId.parse(own), clock()))
    run(store, agent_id)
    clock.advance(seconds=30)
    store.put(DECISIONS, items.decision_item(store, record))
    compare(log)
    run(store, agent_id)
    compare(log)
    assert check(store, agent_id, FOR_EVER)["total_decisions"] == 2


def test_a_mark_without_a_decision_counts_nothing(log: DecisionLogger, clock: Clock) -> None:
    """Its writer died: after two minutes the mark is passed over for good."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    own = DecisionId.parse(new_decision_id(agent_id, clock() - timedelta(hours=3)))
    store.put(DECISIONS, items.late_mark(store, own, clock()))
    assert run(store, agent_id).version == 0
    clock.advance(minutes=2, seconds=1)
    assert run(store, agent_id).version == 1
    assert run(store, agent_id).version == 1
    assert documents(store, agent_id) == {}
    compare(log)


def test_years_without_a_decision_cost_nothing(log: DecisionLogger, clock: Clock) -> None:
    """From a decision of 13 years ago to today is one step."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    clock.advance(days=-365 * 13)
    resolve(log, decide(log, clock))
    clock.advance(days=364)
    resolve(log, decide(log, clock))
    clock.advance(days=0.9)
    with CapacityMeter(store.dynamodb) as meter:
        run(store, agent_id)
    assert sum(meter.requests.values()) <= 20
    assert len(documents(store, agent_id)) == 2
    compare(log)


def test_many_hours_take_several_transactions(log: DecisionLogger, clock: Clock) -> None:
    """A week of hourly decisions and its outcomes, which no single transaction holds."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    for _ in range(200):
        resolve(log, decide(log, clock))
        clock.advance(hours=1)
    head = run(store, agent_id)
    assert head.version == 3 + 3
    assert len(documents(store, agent_id)) == 200
    compare(log)


def test_an_idle_agent_costs_one_request(log: DecisionLogger, clock: Clock) -> None:
    """Nothing new: closing looks once at the log; not at all while no hour has closed."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    decide(log, clock)
    with CapacityMeter(store.dynamodb) as meter:
        assert not rolling.is_due(store, read_head(store, agent_id, rolling.JOB), clock())
        clock.advance(hours=1, minutes=3)
        assert rolling.is_due(store, read_head(store, agent_id, rolling.JOB), clock())
        head = run(store, agent_id)
        meter.requests.clear()
        assert not rolling.is_due(store, head, clock())
        assert rolling.close_hours(store, head, clock(), []) is head
        assert meter.requests == {}
        clock.advance(days=40)
        assert rolling.close_hours(store, head, clock(), []) is head
        assert meter.requests == {"Query": 1}
        assert not rolling.is_due(store, head, clock())
        assert meter.requests == {"Query": 2}


def test_an_hour_closes_three_minutes_after_its_end(log: DecisionLogger, clock: Clock) -> None:
    """A minute for decisions that are on time, and two for what becomes visible late."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    decide(log, clock)
    clock.advance(hours=1, minutes=2, seconds=59)
    assert run(store, agent_id).version == 0
    clock.advance(seconds=1)
    assert closed_until(run(store, agent_id)) == rolling.hour_of(clock())


def test_rolled_up_statistics_outlive_decisions(log: DecisionLogger, clock: Clock) -> None:
    """A decision that has expired still counts in the hours that are rolled up."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    decision_id = decide(log, clock)
    resolve(log, decision_id)
    clock.advance(days=1)
    run(store, agent_id)
    clock.advance(days=400)
    assert list(log.query_decisions()) == []
    assert log.get_decision_stats(24 * 500)["with_outcome"] == 1


def test_a_lost_lease_writes_nothing(log: DecisionLogger, clock: Clock) -> None:
    """What the caller hands in as `also` is part of every transaction."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    busy_day(log, clock)
    fence = Check(table=MEMORY, key=keys.lease(agent_id), condition=equals("fence", 7))
    with pytest.raises(OvertakenError):
        run(store, agent_id, [fence])
    assert documents(store, agent_id) == {}
    store.put(MEMORY, keys.lease(agent_id) | {"fence": 7})
    run(store, agent_id, [fence])
    compare(log)


def test_the_second_of_two_workers_writes_nothing(log: DecisionLogger, clock: Clock) -> None:
    """Two that start from the same head: one is overtaken, and the rollups are right."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    busy_day(log, clock)
    head = read_head(store, agent_id, rolling.JOB)
    arrivals = list(head.position.new_among(read_arrivals(store, agent_id, 0), clock()))
    ahead = rolling.roll_arrivals(store, head, arrivals[:50], clock(), [])
    with pytest.raises(OvertakenError):
        rolling.roll_arrivals(store, head, arrivals, clock(), [])
    with pytest.raises(OvertakenError):
        rolling.close_hours(store, head, clock(), [])
    rolling.close_hours(store, ahead, clock(), [])
    run(store, agent_id)
    compare(log)


def test_statistics_amid_a_run_are_read_again(log: DecisionLogger, clock: Clock) -> None:
    """A rollup of a later version than the head's is not taken; in the end the log is asked."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    left = busy_day(log, clock)
    head = run(store, agent_id)
    resolve(log, left[0])
    hour = keys.hour(agent_id, rolling.hour_of(DecisionId.parse(left[0]).decided_at))
    stored = store.get(MEMORY, hour)
    assert stored is not None
    store.put(MEMORY, stored | {"version": head.version + 1})
    compare(log)
    commit(store, head)
    compare(log)


def test_agents_do_not_share_hours(log: DecisionLogger, clock: Clock) -> None:
    """An agent whose id starts with another's has rollups of its own."""
    store, agent_id = log.memory.client_manager.store, log.memory.agent_id
    busy_day(log, clock)
    run(store, agent_id)
    assert documents(store, f"{agent_id}-{uuid4().hex}") == {}
