"""What the decision log must do on every backend."""

import math
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    BodyTooLargeError,
    BrokenChainError,
    ChainTooLongError,
    CyclicChainError,
    DecisionConflictError,
    DecisionLogger,
    DecisionNotFoundError,
    DecisionType,
    MemoryManager,
    OutcomeConflictError,
    WrongDecisionTypeError,
    new_decision_id,
)
from daybook.decisions import record
from daybook.models.drafts import DecisionDraft
from daybook.store import DECISIONS
from daybook.store.expressions import begins_with, equals
from tests.clocks import Clock
from tests.contracts.decisions import CONTEXTS, EVERYTHING

RISK = DecisionType.RISK_ASSESSMENT
QUERY = DecisionType.QUERY_EXECUTION


def log_one(log: DecisionLogger, **more: object) -> str:
    """Log a decision of which only the named parts matter."""
    parts = {"decision_type": RISK, "confidence": 0.5} | more
    return log.log_decision(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("context", CONTEXTS)
def test_context_reads_back_equal(log: DecisionLogger, context: dict[str, object]) -> None:
    """Whatever JSON an agent saw is what it reads later, to the last bit."""
    read = log.get_decision(log_one(log, context=context)).context.as_dict()
    assert read == context
    assert repr(sorted(read.items())) == repr(sorted(context.items()))


def test_300_kb_of_context_reads_back(log: DecisionLogger) -> None:
    """A context of 300 KB that hardly compresses fits."""
    context = {"noise": "".join(uuid4().hex for _ in range(9_400))}
    assert log.get_decision(log_one(log, context=context)).context.as_dict() == context


def test_5_mb_of_context_goes_to_the_bucket(log: DecisionLogger, has_bucket: bool) -> None:
    """With a bucket 5 MB reads back equal; without one, the error says what to do."""
    context = {"noise": "".join(uuid4().hex for _ in range(160_000))}
    if has_bucket:
        assert log.get_decision(log_one(log, context=context)).context.as_dict() == context
    else:
        with pytest.raises(BodyTooLargeError, match="DAYBOOK_PAYLOAD_BUCKET"):
            log_one(log, context=context)
        assert list(log.query_decisions()) == []


def test_everything_about_a_decision_reads_back(log: DecisionLogger, clock: Clock) -> None:
    """Every argument of log_decision is a field of the record."""
    parent = log_one(log)
    decision_id = log.log_decision(**EVERYTHING, parent_decision_id=parent)
    read = log.get_decision(decision_id)
    assert read.decision_id == decision_id
    assert read.agent_id == log.memory.agent_id
    assert read.decided_at == read.arrived_at == clock()
    assert read.reasoning.options == ["a", "b"]
    assert read.reasoning.scores == {"a": 0.1, "b": -2.5}
    assert read.reasoning.selected == ["a"]
    assert read.reasoning.patterns_applied == ["p1"]
    assert (read.reasoning.rationale, read.reasoning.propensity) == ("because", 0.25)
    assert (read.session_id, read.tags, read.agent_version) == ("s", ["x", "y"], "v1")
    assert (read.parent_decision_id, read.outcome) == (parent, None)


def test_outcomes_read_back(log: DecisionLogger, clock: Clock) -> None:
    """An outcome logged three weeks later stands beside its decision."""
    decision_id = log_one(log)
    clock.advance(days=21)
    log.log_outcome(decision_id, RISK, False, 0.1, 250.5, "late fill", details={"return": -0.1})
    outcome = log.get_decision(decision_id).outcome
    assert outcome is not None
    assert (outcome.success, outcome.quality_score, outcome.latency_ms) == (False, 0.1, 250.5)
    assert (outcome.error, outcome.details) == ("late fill", {"return": -0.1})
    assert outcome.arrived_at == clock()


def test_the_same_outcome_twice_counts_once(log: DecisionLogger, clock: Clock) -> None:
    """A repeat changes nothing; a different outcome is refused and the first stands."""
    decision_id = log_one(log)
    log.log_outcome(decision_id, RISK, True, 0.9, 10.0)
    first = log.get_decision(decision_id)
    clock.advance(hours=1)
    log.log_outcome(decision_id, RISK, True, 0.9, 10.0)
    with pytest.raises(OutcomeConflictError, match=r"success=True, quality_score=0\.9"):
        log.log_outcome(decision_id, RISK, False, 0.9, 10.0)
    assert log.get_decision(decision_id) == first
    assert log.get_decision_stats()["with_outcome"] == 1


@pytest.mark.parametrize("other", [True, 1.0, "1"])
def test_equal_is_not_the_same(log: DecisionLogger, clock: Clock, other: object) -> None:
    """1, 1.0 and true are three facts, although Python calls them equal."""
    own = new_decision_id(log.memory.agent_id, clock())
    log_one(log, decision_id=own, context={"filled": 1, "a": 0})
    log_one(log, decision_id=own, context={"a": 0, "filled": 1})
    with pytest.raises(DecisionConflictError):
        log_one(log, decision_id=own, context={"filled": other, "a": 0})
    log.log_outcome(own, RISK, True, details={"filled": 1})
    with pytest.raises(OutcomeConflictError):
        log.log_outcome(own, RISK, True, details={"filled": other})


def test_outcomes_need_their_decision(log: DecisionLogger) -> None:
    """An outcome of an unknown decision, or of another type, writes nothing."""
    unknown = new_decision_id(log.memory.agent_id)
    with pytest.raises(DecisionNotFoundError, match="log the decision before"):
        log.log_outcome(unknown, RISK, True, 1.0, 1.0)
    decision_id = log_one(log)
    with pytest.raises(WrongDecisionTypeError, match="is of the type risk_assessment"):
        log.log_outcome(decision_id, QUERY, True, 1.0, 1.0)
    assert log.get_decision(decision_id).outcome is None


def test_the_same_decision_twice_counts_once(log: DecisionLogger, clock: Clock) -> None:
    """A decision repeated under its id changes nothing; another one is refused."""
    own = new_decision_id(log.memory.agent_id, clock())
    log_one(log, decision_id=own, context={"n": 1})
    clock.advance(seconds=10)
    assert log_one(log, decision_id=own, context={"n": 1}) == own
    with pytest.raises(DecisionConflictError, match="new_decision_id"):
        log_one(log, decision_id=own, context={"n": 2})
    assert [d.context.as_dict() for d in log.query_decisions()] == [{"n": 1}]


def test_chains_cross_agents(client_manager: AWSClientManager) -> None:
    """A parent's id is enough to walk to it, whichever agent logged it, for who may read all."""
    parent: str | None = None
    logged = []
    for name in ("scout", "strategist", "risk"):
        agent = MemoryManager(f"{name}-{uuid4().hex}", client_manager)
        parent = log_one(DecisionLogger(agent), parent_decision_id=parent)
        logged.append(parent)
    stranger = DecisionLogger(MemoryManager("stranger", client_manager, door="tables"))
    assert [d.decision_id for d in stranger.get_decision_chain(logged[2])] == logged
    assert [d.decision_id for d in stranger.get_decision_chain(logged[0])] == logged[:1]


def test_children_of_any_agent_oldest_first(
    client_manager: AWSClientManager, log: DecisionLogger, clock: Clock
) -> None:
    """More children than one batch holds come in the order in which they were decided."""
    parent = log_one(log)
    expected = []
    for number in range(60):
        clock.advance(seconds=1)
        agent = MemoryManager(f"child-{number % 3}", client_manager)
        expected.append(log_one(DecisionLogger(agent), parent_decision_id=parent))
    log.log_outcome(parent, RISK, True, 1.0, 1.0)
    reader = MemoryManager("reader", client_manager, door="tables")
    assert [child.decision_id for child in reader.get_children(parent)] == expected
    assert reader.get_children(expected[0]) == []
    own = []
    for _ in range(2):
        clock.advance(seconds=1)
        own.append(log_one(log, parent_decision_id=parent))
    assert [child.decision_id for child in log.get_children(parent)][-2:] == own


def test_a_missing_parent_is_reported(log: DecisionLogger) -> None:
    """The error carries what could be read."""
    gone = new_decision_id(log.memory.agent_id)
    orphan = log_one(log, parent_decision_id=gone)
    leaf = log_one(log, parent_decision_id=orphan)
    with pytest.raises(BrokenChainError, match=gone) as broken:
        log.get_decision_chain(leaf)
    assert [d.decision_id for d in broken.value.chain] == [orphan, leaf]
    with pytest.raises(DecisionNotFoundError):
        log.get_decision_chain(gone)


def test_a_cycle_is_reported(log: DecisionLogger, clock: Clock) -> None:
    """Two decisions that name each other end the walk, they do not keep it going."""
    first = new_decision_id(log.memory.agent_id, clock())
    second = log_one(log, parent_decision_id=first)
    log_one(log, decision_id=first, parent_decision_id=second)
    with pytest.raises(CyclicChainError) as cycle:
        log.get_decision_chain(second)
    assert [d.decision_id for d in cycle.value.chain] == [first, second]


def test_a_long_chain_ends(log: DecisionLogger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the walk stops, and can be taken up where it stopped."""
    monkeypatch.setattr("daybook.decisions.reading.LONGEST_CHAIN", 3)
    logged: list[str] = []
    for _ in range(5):
        logged.append(log_one(log, parent_decision_id=logged[-1] if logged else None))
    with pytest.raises(ChainTooLongError) as long:
        log.get_decision_chain(logged[-1])
    assert [d.decision_id for d in long.value.chain] == logged[-3:]
    assert len(log.get_decision_chain(logged[2])) == 3


def test_queries_agree_with_a_plain_list(log: DecisionLogger, clock: Clock) -> None:
    """Every combination of filters, by iterating and by paging, gives what a list would."""
    made = []
    for number in range(30):
        clock.advance(hours=2)
        kind = (RISK, QUERY)[number % 2]
        decision_id = log_one(log, decision_type=kind)
        success = (True, False, None)[number % 3]
        if success is not None:
            log.log_outcome(decision_id, kind, success, 0.5, 1.0)
        made.append((clock(), decision_id, kind, success))
    made.reverse()
    now, middle = clock(), made[15][0]
    for wanted in (None, RISK, QUERY):
        for success in (None, True, False):
            for since, until in ((None, None), (middle, None), (None, middle), (middle, now)):
                for tier in (None, "stm", "ltm"):
                    filters = {
                        "decision_type": wanted,
                        "success": success,
                        "since": since,
                        "until": until,
                        "tier": tier,
                    }
                    expected = [
                        decision_id
                        for at, decision_id, its_kind, its_success in made
                        if wanted in {None, its_kind}
                        and (success is None or success is its_success)
                        and (since is None or at >= since)
                        and (until is None or at < until)
                        and (tier is None or (tier == "stm") == (now - at < timedelta(days=1)))
                    ]
                    found = log.query_decisions(**filters)  # type: ignore[arg-type]
                    assert [d.decision_id for d in found] == expected, filters
                    first = log.query_decisions(**filters, limit=2)  # type: ignore[arg-type]
                    assert [d.decision_id for d in first] == expected[:2], filters


@pytest.mark.parametrize("size", [1, 2, 7, 12, 1000])
@pytest.mark.parametrize("filters", [{}, {"success": True}, {"decision_type": RISK}])
def test_pages_join_to_the_whole(
    log: DecisionLogger, clock: Clock, size: int, filters: dict[str, object]
) -> None:
    """Pages of any size give each decision once, newest first, and end with no cursor."""
    for _ in range(12):
        clock.advance(minutes=1)
        log.log_outcome(log_one(log), RISK, True, 0.5, 1.0)
    expected = [d.decision_id for d in log.query_decisions()]
    seen: list[str] = []
    cursor = None
    for _ in range(math.ceil(12 / size)):
        page = log.page_decisions(**filters, limit=size, cursor=cursor)  # type: ignore[arg-type]
        seen += [d.decision_id for d in page.decisions]
        cursor = page.cursor
    assert cursor is None
    assert seen == expected


def test_retention_ends_a_decision_with_its_outcome(log: DecisionLogger, clock: Clock) -> None:
    """After a year neither is found, by id, in a list, in the statistics or as a parent."""
    decision_id = log_one(log)
    clock.advance(days=364)
    log.log_outcome(decision_id, RISK, True, 0.5, 1.0)
    child = log_one(log, parent_decision_id=decision_id)
    assert log.get_decision(decision_id).outcome is not None
    clock.advance(days=1, seconds=1)
    with pytest.raises(DecisionNotFoundError):
        log.get_decision(decision_id)
    with pytest.raises(BrokenChainError):
        log.get_decision_chain(child)
    assert [d.decision_id for d in log.query_decisions()] == [child]
    assert list(log.query_decisions(success=True)) == []
    assert log.get_decision_stats(24 * 400)["with_outcome"] == 0


def test_past_decisions_are_kept_as_past(log: DecisionLogger, clock: Clock) -> None:
    """An import from 2001 is long-term memory at once, and leaves a late mark."""
    past = datetime(2001, 9, 10, 16, tzinfo=UTC)
    old = log.get_decision(log_one(log, decided_at=past))
    new = log.get_decision(log_one(log))
    assert (old.decided_at, old.arrived_at, old.is_stm) == (past, clock(), False)
    assert [d.decision_id for d in log.query_decisions(tier="ltm")] == [old.decision_id]
    assert [d.decision_id for d in log.query_decisions(tier="stm")] == [new.decision_id]
    marks = equals("pk", log.memory.agent_id) & begins_with("sk", "LATE#")
    (mark,) = log.memory.client_manager.store.query(DECISIONS, marks)
    assert old.decision_id.split("@")[0] in str(mark["sk"])


@pytest.mark.parametrize(("late", "marks"), [(60.0, 0), (60.000001, 1)])
def test_who_is_late(log: DecisionLogger, clock: Clock, late: float, marks: int) -> None:
    """A minute is in time; a microsecond more leaves a mark."""
    log_one(log, decided_at=clock() - timedelta(seconds=late))
    found = equals("pk", log.memory.agent_id) & begins_with("sk", "LATE#")
    assert len(list(log.memory.client_manager.store.query(DECISIONS, found))) == marks


def test_a_repeat_after_its_retention(log: DecisionLogger, clock: Clock) -> None:
    """An item that has expired and is still there does not stand in the way."""
    own = new_decision_id(log.memory.agent_id, clock())
    log_one(log, decision_id=own)
    log.log_outcome(own, RISK, True, 0.5)
    clock.advance(days=366)
    log_one(log, decision_id=own)
    assert log.get_decision(own).outcome is None
    log.log_outcome(own, RISK, False, 0.1)
    outcome = log.get_decision(own).outcome
    assert outcome is not None
    assert not outcome.success


def test_statistics(log: DecisionLogger, clock: Clock) -> None:
    """Counts, rates, averages and percentiles are those of the decisions in the window."""
    log_one(log, confidence=1.0)
    clock.advance(days=2)
    for number in range(10):
        clock.advance(minutes=1)
        decision_id = log_one(log, confidence=number / 10)
        if number < 8:
            error = "boom" if number == 0 else None
            log.log_outcome(decision_id, RISK, number % 4 > 0, number / 10, 10.0 * number, error)
    log_one(log, decision_type=QUERY, confidence=0.25)
    stats = log.get_decision_stats(time_window_hours=24)
    assert (stats["total_decisions"], stats["with_outcome"]) == (11, 8)
    assert (stats["successes"], stats["failures"], stats["success_rate"]) == (6, 2, 0.75)
    assert stats["avg_confidence"] == pytest.approx(4.75 / 11)
    assert stats["avg_quality_score"] == pytest.approx(0.35)
    assert stats["latency_ms"] == {"p50": 30.0, "p95": 60.0, "p99": 60.0}
    assert stats["errors"] == 1
    assert set(stats["by_type"]) == {"risk_assessment", "query_execution"}
    assert stats["by_type"]["query_execution"]["success_rate"] is None
    assert log.get_decision_stats(24, QUERY)["total_decisions"] == 1
    assert log.get_decision_stats(24 * 365 * 5000)["total_decisions"] == 12


def test_decisions_of_one_moment_are_all_kept(log: DecisionLogger, clock: Clock) -> None:
    """A hundred decisions of the same microsecond are a hundred decisions."""
    ids = {log_one(log) for _ in range(100)}
    assert len(ids) == 100
    assert {d.decision_id for d in log.query_decisions()} == ids
    assert all(d.decided_at == clock() for d in log.query_decisions())


def test_agents_do_not_see_each_other(
    client_manager: AWSClientManager, log: DecisionLogger
) -> None:
    """Lists and statistics are one agent's, also when one id starts with another."""
    near = DecisionLogger(MemoryManager(f"{log.memory.agent_id}-2", client_manager))
    log.log_outcome(log_one(log), RISK, True, 0.5, 1.0)
    assert list(near.query_decisions()) == []
    assert list(near.query_decisions(success=True)) == []
    assert near.get_decision_stats()["total_decisions"] == 0


def test_record_is_idempotent_across_processes(memory: MemoryManager, clock: Clock) -> None:
    """A record handed in again by another process, at another time, is the same record."""
    own = new_decision_id(memory.agent_id, clock())
    draft = DecisionDraft(decision_type=RISK, confidence=0.5, decision_id=own)
    first = record(memory.client_manager.store, draft.to_record(memory.agent_id, clock()))
    clock.advance(minutes=5)
    again = record(memory.client_manager.store, draft.to_record(memory.agent_id, clock()))
    assert again == first
