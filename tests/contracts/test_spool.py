"""What logging by way of a spool must do on every backend: the same log, a little later."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    BodyTooLargeError,
    DecisionLogger,
    DecisionType,
    ForeignDecisionError,
    InvalidInputError,
    MemoryManager,
    SpoolClosedError,
    SpoolConfig,
    new_decision_id,
)
from daybook.store import DECISIONS
from daybook.store.expressions import begins_with, equals
from tests.clocks import Clock
from tests.contracts.decisions import CONTEXTS, EVERYTHING

RISK = DecisionType.RISK_ASSESSMENT
QUERY = DecisionType.QUERY_EXECUTION


@pytest.fixture
def spooled(client_manager: AWSClientManager, tmp_path: Path) -> Iterator[DecisionLogger]:
    """Give the logger of an agent that nobody else uses, with a spool."""
    with MemoryManager(
        f"agent-{uuid4().hex}", client_manager, spool=tmp_path / "spool.db"
    ) as memory:
        yield DecisionLogger(memory)


@pytest.fixture
def refusals(tmp_path: Path) -> Callable[[], list[str]]:
    """Return a function that tells why entries were set aside."""

    def told() -> list[str]:
        with closing(sqlite3.connect(f"file:{tmp_path}/spool.db?mode=ro", uri=True)) as file:
            rows = file.execute("SELECT reason FROM set_aside ORDER BY number")
            return [row[0].partition(":")[0] for row in rows]

    return told


@pytest.mark.parametrize("context", CONTEXTS)
def test_context_reads_back_equal(spooled: DecisionLogger, context: dict[str, object]) -> None:
    """The disk and the batch change nothing of what an agent saw."""
    decision_id = spooled.log_decision(RISK, confidence=0.5, context=context)
    assert spooled.memory.flush(20)
    read = spooled.get_decision(decision_id).context.as_dict()
    assert repr(sorted(read.items())) == repr(sorted(context.items()))


def test_a_decision_is_the_same_either_way(
    spooled: DecisionLogger, client_manager: AWSClientManager, clock: Clock
) -> None:
    """With everything that it can carry, and its outcome."""
    direct = DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", client_manager))
    records = []
    for log in (spooled, direct):
        own = new_decision_id(log.memory.agent_id, clock())
        log.log_decision(RISK, confidence=0.5, decision_id=own)
        large = {"context": {"market": {"trend": "up"}, "cycle": 7, "note": "x" * 3000}}
        decision_id = log.log_decision(**EVERYTHING | large, parent_decision_id=own)
        log.log_outcome(
            decision_id,
            DecisionType.STRATEGY_SELECTION,
            False,
            0.1,
            250.5,
            "late fill",
            details={"return": -0.1},
        )
        assert log.memory.flush(20)
        record = log.get_decision(decision_id)
        assert log.get_decision_chain(decision_id)[0].decision_id == own
        texts = record.model_dump_json().replace(log.memory.agent_id, "agent")
        records.append([part for part in texts.split('"') if "@" not in part])
        assert log.get_decision_stats()["with_outcome"] == 1
    assert records[0] == records[1]


def test_bodies_of_any_size(spooled: DecisionLogger, has_bucket: bool) -> None:
    """From an item's one unit to the bucket; without a bucket the call itself refuses."""
    sizes = [0, 1, 30, 9_400, *([40_000] if has_bucket else [])]
    contexts = [{"noise": "".join(uuid4().hex for _ in range(size))} for size in sizes]
    logged = [spooled.log_decision(RISK, confidence=0.5, context=each) for each in contexts]
    assert spooled.memory.flush(30)
    assert [spooled.get_decision(each).context.as_dict() for each in logged] == contexts
    if not has_bucket and spooled.memory.api is None:
        huge = {"noise": "".join(uuid4().hex for _ in range(40_000))}
        with pytest.raises(BodyTooLargeError, match="DAYBOOK_PAYLOAD_BUCKET"):
            spooled.log_decision(RISK, confidence=0.5, context=huge)


def test_bad_input_is_refused_by_the_call(spooled: DecisionLogger) -> None:
    """It never enters the spool."""
    with pytest.raises(InvalidInputError):
        spooled.log_decision(RISK, confidence=1.5)
    with pytest.raises(ForeignDecisionError):
        spooled.log_outcome(new_decision_id("another"), RISK, True)
    with pytest.raises(ForeignDecisionError):
        spooled.log_decision(RISK, confidence=0.5, decision_id=new_decision_id("another"))
    assert spooled.memory.spool
    assert spooled.memory.spool.status().depth == 0


def test_the_same_twice_counts_once(
    spooled: DecisionLogger, clock: Clock, refusals: Callable[[], list[str]]
) -> None:
    """Decisions under an id of their own, and outcomes, in one run or in several."""
    own = new_decision_id(spooled.memory.agent_id, clock())
    for _ in range(2):
        for _ in range(2):
            spooled.log_decision(RISK, confidence=0.5, decision_id=own, context={"n": 1})
            spooled.log_outcome(own, RISK, True, 0.9)
        assert spooled.memory.flush(20)
    assert spooled.get_decision_stats()["total_decisions"] == 1
    assert spooled.get_decision_stats()["with_outcome"] == 1
    assert refusals() == []


def test_what_contradicts_the_log_is_set_aside(
    spooled: DecisionLogger, clock: Clock, refusals: Callable[[], list[str]]
) -> None:
    """The first stands, the others are kept with the reason, and none is in the way."""
    own = new_decision_id(spooled.memory.agent_id, clock())
    spooled.log_decision(RISK, confidence=0.5, decision_id=own, context={"n": 1})
    spooled.log_decision(RISK, confidence=0.5, decision_id=own, context={"n": 2})
    spooled.log_outcome(own, RISK, True, 0.9)
    spooled.log_outcome(own, RISK, False, 0.9)
    spooled.log_outcome(own, QUERY, True, 0.9)
    spooled.log_outcome(new_decision_id(spooled.memory.agent_id, clock()), RISK, True)
    last = spooled.log_decision(QUERY, confidence=0.5)
    assert spooled.memory.flush(20)
    assert refusals() == [
        "DecisionConflictError",
        "OutcomeConflictError",
        "WrongDecisionTypeError",
        "DecisionNotFoundError",
    ]
    stands = spooled.get_decision(own)
    assert stands.context.as_dict() == {"n": 1}
    assert stands.outcome
    assert stands.outcome.success
    assert spooled.get_decision(last)


def test_it_arrives_when_it_is_written(spooled: DecisionLogger, clock: Clock) -> None:
    """Not when it was logged: jobs follow the log by arrival, and late ones leave a mark."""
    decided = clock()
    past = spooled.log_decision(RISK, confidence=0.5, decided_at=decided - timedelta(minutes=3))
    now = spooled.log_decision(RISK, confidence=0.5)
    spooled.log_outcome(now, RISK, True)
    clock.advance(seconds=30)
    assert spooled.memory.flush(20)
    read = [spooled.get_decision(each) for each in (past, now)]
    assert [each.decided_at for each in read] == [decided - timedelta(minutes=3), decided]
    arrived = {each.arrived_at for each in read}
    assert all(decided <= each <= clock() for each in arrived)
    if spooled.memory.api is None:
        marks = equals("pk", spooled.memory.agent_id) & begins_with("sk", "LATE#")
        (mark,) = spooled.memory.store.query(DECISIONS, marks)
        assert past.split("@")[0] in str(mark["sk"])


def test_a_block_by_way_of_a_spool(spooled: DecisionLogger) -> None:
    """Blocks, their children and their failures."""
    with spooled.deciding(RISK, confidence=0.5) as outer:
        inner = spooled.log_decision(QUERY, confidence=0.5)
    with pytest.raises(ZeroDivisionError), spooled.deciding(RISK, confidence=0.5) as failed:
        _ = 1 / 0
    assert spooled.memory.flush(20)
    chain = [each.decision_id for each in spooled.get_decision_chain(inner)]
    assert chain == [outer.decision_id, inner]
    outcome = spooled.get_decision(failed.decision_id).outcome
    assert outcome
    assert "ZeroDivisionError" in str(outcome.error)


def test_handles_share_a_spool(client_manager: AWSClientManager, tmp_path: Path) -> None:
    """By its path; the last that is closed closes it."""
    agents = [f"agent-{uuid4().hex}" for _ in range(5)]
    handles = [
        MemoryManager(agent, client_manager, spool=tmp_path / "spool.db") for agent in agents
    ]
    logged = [
        DecisionLogger(handle).log_decision(RISK, confidence=0.5)
        for _ in range(4)
        for handle in handles
    ]
    for handle in handles:
        assert handle.close(20)
    with pytest.raises(SpoolClosedError):
        DecisionLogger(handles[0]).log_decision(RISK, confidence=0.5)
    for agent in agents:
        read = DecisionLogger(MemoryManager(agent, client_manager))
        found = [each.decision_id for each in read.query_decisions()]
        assert sorted(found) == sorted(each for each in logged if each.endswith(agent))


def test_handles_agree_about_settings(client_manager: AWSClientManager, tmp_path: Path) -> None:
    """One that names the path only takes them as they are; others would have no effect."""
    config = SpoolConfig(path=tmp_path / "spool.db", max_entries=9)

    def make(spool: Path | SpoolConfig) -> MemoryManager:
        return MemoryManager(f"agent-{uuid4().hex}", client_manager, spool=spool)

    with make(config) as first, make(config) as second, make(tmp_path / "spool.db") as third:
        assert first.spool is second.spool is third.spool
        with pytest.raises(InvalidInputError, match="max_entries=9"):
            make(replace(config, max_entries=10))


def test_closing_twice_is_closing_once(client_manager: AWSClientManager, tmp_path: Path) -> None:
    """A handle that is closed in its own block takes no other's spool away."""
    path = tmp_path / "spool.db"
    with MemoryManager(f"agent-{uuid4().hex}", client_manager, spool=path) as other:
        with MemoryManager(f"agent-{uuid4().hex}", client_manager, spool=path) as memory:
            memory.close()
        DecisionLogger(other).log_decision(RISK, confidence=0.5)
        assert other.flush(20)
