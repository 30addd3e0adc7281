"""The API as a door, on the deployed stack: the log, memory, and who is who."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from daybook import (
    AgentNotRegisteredError,
    AWSClientManager,
    BrokenChainError,
    CheckpointNotFoundError,
    DaybookError,
    DecisionConflictError,
    DecisionLogger,
    DecisionNotFoundError,
    DecisionType,
    ForeignDecisionError,
    ForeignPatternError,
    ForeignSignalError,
    ForgedIdentityError,
    InvalidCursorError,
    InvalidDecisionIdError,
    InvalidInputError,
    InvalidSignalIdError,
    MemoryManager,
    MemoryPattern,
    OutcomeConflictError,
    PatternConflictError,
    PatternLearner,
    PatternNotFoundError,
    RunNotFoundError,
    SignalNotFoundError,
    SignalTooLargeError,
    StaleStateError,
    UnknownCallerError,
    UnknownTargetError,
    WrongDecisionTypeError,
    new_decision_id,
)
from daybook.decisions import DecisionQuery
from daybook.models.enums import PatternType
from daybook.models.signal_ids import SignalId
from daybook.platform import Connection
from daybook.settings import Settings

KIND = DecisionType.QUERY_EXECUTION
LEARNED = DecisionType.WORKFLOW_SELECTION
FACTS = {"success_rate": 0.9, "baseline_rate": 0.4, "sample_size": 100, "confidence": 0.8}
DECISIONS = 150

Handles = Callable[..., MemoryManager]


@pytest.fixture
def scout(through_api: Handles) -> MemoryManager:
    """Give the scout's handle, which has nothing but the API."""
    return through_api("scout")


@pytest.fixture(params=["api", "tables"])
def by_either_door(
    request: pytest.FixtureRequest, scout: MemoryManager, deployed: AWSClientManager
) -> MemoryManager:
    """Give the scout's handle by each door in turn."""
    return scout if request.param == "api" else MemoryManager("scout", deployed)


@pytest.fixture
def unscheduled(platform: Connection, session: boto3.Session) -> Iterator[None]:
    """Keep the schedule from learning what a test is about to learn by hand."""
    schedules = session.client("scheduler", endpoint_url=platform.endpoint_url)
    known = schedules.get_schedule(Name="daybook-consolidation")
    names = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    same = {name: known[name] for name in names}
    schedules.update_schedule(**same, State="DISABLED")
    yield
    schedules.update_schedule(**same, State="ENABLED")


def pattern_of(memory: MemoryManager, pattern_id: str, **more: Any) -> MemoryPattern:
    """Make a pattern by hand."""
    now = datetime.now(UTC)
    fields = {
        "pattern_id": pattern_id,
        "agent_id": memory.agent_id,
        "pattern_type": PatternType.SUCCESS,
        "decision_type": KIND,
        "choice": "cached",
        "created_at": now,
        "updated_at": now,
    }
    return MemoryPattern.checked(**FACTS | fields | more)


def test_the_log(scout: MemoryManager, deployed: AWSClientManager) -> None:
    """A decision, its outcome and its chain are written and read, and the tables say the same."""
    log = DecisionLogger(scout)
    context = {"market": {"price": 0.1 + 0.2, "näme": "über & 100 % + #?"}}
    root = log.log_decision(KIND, confidence=0.5, context=context, tags=["door"])
    child = log.log_decision(KIND, confidence=0.25, parent_decision_id=root)
    log.log_outcome(root, KIND, True, 0.75, 12.5)
    read = log.get_decision(root)
    assert (read.context.market, read.tags) == (context["market"], ["door"])
    assert read.outcome is not None
    assert (read.outcome.quality_score, read.outcome.latency_ms) == (0.75, 12.5)
    straight = DecisionLogger(MemoryManager("scout", deployed))
    assert read == straight.get_decision(root)
    assert log.get_decision_chain(child) == straight.get_decision_chain(child)
    assert [each.decision_id for each in log.get_children(root)] == [child]


def test_pages_and_statistics(scout: MemoryManager, deployed: AWSClientManager) -> None:
    """A log is read page by page, the newest first, and counted."""
    log, began = DecisionLogger(scout), datetime.now(UTC)
    made = [log.log_decision(KIND, confidence=0.5) for _ in range(5)]
    for number, decision_id in enumerate(made):
        log.log_outcome(decision_id, KIND, number % 2 == 0)
    query = DecisionQuery.checked(agent_id="scout", decision_type=KIND, since=began)
    first = scout.page_decisions(query, 3)
    assert first.cursor is not None
    rest = scout.page_decisions(query, 3, first.cursor)
    listed = [each.decision_id for each in (*first.decisions, *rest.decisions)]
    assert (listed, rest.cursor) == (made[::-1], None)
    well = DecisionQuery.checked(agent_id="scout", success=True, since=began)
    assert [each.decision_id for each in scout.query_decisions(well)] == made[::-2]
    stats = scout.get_decision_stats(1, KIND)
    straight = MemoryManager("scout", deployed).get_decision_stats(1, KIND)
    assert stats["successes"] >= 3
    for figure in ("total_decisions", "with_outcome", "successes", "success_rate"):
        assert stats[figure] == straight[figure], figure


def test_patterns(scout: MemoryManager, through_api: Handles) -> None:
    """A pattern is stored, listed, recalled, changed, shared and retired."""
    pattern_id = f"by hand: 50 % + {uuid4().hex[:8]} ü/é"
    stored = scout.store_pattern(pattern_of(scout, pattern_id))
    assert scout.get_pattern(pattern_id) == stored
    assert pattern_id in {each.pattern_id for each in scout.list_patterns(0.5, KIND)}
    recalled = scout.recall(KIND, {"market": {"price": 1.5}}, 100)
    assert pattern_id in {each.pattern.pattern_id for each in recalled}
    again = scout.store_pattern(stored.model_copy(update={"choice": "fresh"}))
    assert (again.version, again.choice) == (stored.version + 1, "fresh")
    scout.share_pattern(pattern_id, ["risk"])
    risk = through_api("risk")
    assert pattern_id in {each.pattern_id for each in risk.shared_patterns()}
    assert pattern_id in {each.pattern.pattern_id for each in risk.recall(KIND, {}, 100)}
    scout.unshare_pattern(pattern_id, ["risk"])
    assert pattern_id not in {each.pattern_id for each in risk.shared_patterns()}
    scout.retire_pattern(pattern_id)
    assert pattern_id not in {each.pattern_id for each in scout.list_patterns()}
    assert len(scout.pattern_history(pattern_id)) >= 3


@pytest.mark.usefixtures("unscheduled")
def test_consolidation(through_api: Handles, deployed: AWSClientManager) -> None:
    """The API rehearses, learns and forgets again: a planted effect, and every outcome once."""
    risk, draw = through_api("risk"), random.Random(7)  # noqa: S311 - the same effect each time
    log = DecisionLogger(MemoryManager("risk", deployed))
    learner = PatternLearner(risk)
    learner.consolidate()
    began = datetime.now(UTC) - timedelta(hours=3)
    for number in range(DECISIONS):
        regime, choice = draw.choice(("storm", "calm")), draw.choice(("short", "long"))
        own = log.log_decision(
            LEARNED,
            options=("short", "long"),
            selected=[choice],
            context={"market": {"regime": regime}},
            confidence=0.5,
            decided_at=began + timedelta(seconds=number),
        )
        is_right = (choice == "short") is (regime == "storm")
        log.log_outcome(own, LEARNED, draw.random() < (0.95 if is_right else 0.1))

    def learned() -> list[MemoryPattern]:
        return risk.list_patterns(decision_type=LEARNED)

    known = learned()
    rehearsed = learner.consolidate(dry_run=True)
    assert (rehearsed.dry_run, rehearsed.outcomes_learned) == (True, DECISIONS)
    assert rehearsed.changes
    assert learned() == known
    done = learner.consolidate()
    assert (done.dry_run, done.outcomes_learned) == (False, DECISIONS)
    (best, *_) = risk.recall(LEARNED, {"market": {"regime": "storm"}})
    assert best.pattern.conditions[0].value == "storm"
    assert learner.consolidate().outcomes_learned == 0
    assert done.run_id in learner.undoable()
    for run_id in learner.undoable():
        learner.undo(run_id)
        if run_id == done.run_id:
            break
    assert learned() == known
    assert learner.consolidate().outcomes_learned == DECISIONS


def refused(memory: MemoryManager) -> dict[str, tuple[type[DaybookError], Callable[[], object]]]:
    """Return what cannot be done, and how each is refused."""
    log = DecisionLogger(memory)
    own = log.log_decision(KIND, confidence=0.5)
    log.log_outcome(own, KIND, True)
    orphan = log.log_decision(
        KIND, confidence=0.5, parent_decision_id=new_decision_id(memory.agent_id)
    )
    missing = new_decision_id(memory.agent_id)
    stored = memory.store_pattern(pattern_of(memory, f"by-hand.{uuid4().hex}"))
    memory.store_pattern(stored.model_copy(update={"choice": "fresh"}))
    memory.retire_pattern(stored.pattern_id)
    other = stored.model_copy(update={"choice": "stale"})
    foreign = stored.model_copy(update={"agent_id": "risk", "pattern_id": "p"})
    sid = str(SignalId.make(memory.agent_id, datetime.now(UTC), None))
    state = memory.load_state() or memory.save_state({})
    query = DecisionQuery.checked(agent_id=memory.agent_id)
    memory.unregister()
    return {
        "confidence": (InvalidInputError, lambda: log.log_decision(KIND, confidence=7)),
        "nan": (
            InvalidInputError,
            lambda: log.log_decision(KIND, confidence=0.5, context={"x": float("nan")}),
        ),
        "decision": (
            DecisionConflictError,
            lambda: log.log_decision(KIND, confidence=0.75, decision_id=own),
        ),
        "outcome": (OutcomeConflictError, lambda: log.log_outcome(own, KIND, False)),
        "type": (WrongDecisionTypeError, lambda: log.log_outcome(own, LEARNED, True)),
        "no decision": (DecisionNotFoundError, lambda: log.log_outcome(missing, KIND, True)),
        "missing": (DecisionNotFoundError, lambda: log.get_decision(missing)),
        "decision id": (InvalidDecisionIdError, lambda: log.get_decision("no/thing?")),
        "cursor": (InvalidCursorError, lambda: memory.page_decisions(query, 5, "x")),
        "limit": (InvalidInputError, lambda: memory.page_decisions(query, 0)),
        "chain": (BrokenChainError, lambda: log.get_decision_chain(orphan)),
        "foreign": (
            ForeignDecisionError,
            lambda: log.log_outcome(new_decision_id("risk"), KIND, True),
        ),
        "no pattern": (PatternNotFoundError, lambda: memory.get_pattern("nothing")),
        "pattern": (PatternConflictError, lambda: memory.store_pattern(other)),
        "foreign pattern": (ForeignPatternError, lambda: memory.store_pattern(foreign)),
        "context": (InvalidInputError, lambda: memory.recall("nonsense", {})),
        "run": (RunNotFoundError, lambda: memory.undo_run(uuid4().hex)),
        "state": (StaleStateError, lambda: memory.save_state({}, state.version + 7)),
        "not a state": (InvalidInputError, lambda: memory.save_state({"x": {1, 2}}, 1)),
        "no checkpoint": (
            CheckpointNotFoundError,
            lambda: memory.get_checkpoint("0000000001-000000-0123456789ab"),
        ),
        "checkpoint id": (InvalidInputError, lambda: memory.get_checkpoint("last")),
        "target": (
            UnknownTargetError,
            lambda: memory.publish_signal("request", {}, [f"nobody-{uuid4().hex}"]),
        ),
        "payload": (
            SignalTooLargeError,
            lambda: memory.publish_signal("request", {"x": "y" * 300_000}),
        ),
        "priority": (InvalidInputError, lambda: memory.publish_signal("request", priority=9)),
        "no signal": (SignalNotFoundError, lambda: memory.signal_status(sid)),
        "signal id": (InvalidSignalIdError, lambda: memory.signal_status("nothing")),
        "claims": (InvalidInputError, lambda: memory.claim_signals(0)),
        "heartbeat": (AgentNotRegisteredError, memory.heartbeat),
    }


def test_refusals_are_the_same(by_either_door: MemoryManager) -> None:
    """Bad input and conflicts raise the same errors by either door, with what they carry."""
    for name, (kind, call) in refused(by_either_door).items():
        with pytest.raises(DaybookError) as told:
            call()
        assert type(told.value) is kind, (name, told.value)
        if isinstance(told.value, StaleStateError):
            state = by_either_door.load_state()
            assert state is not None
            assert told.value.found == state.version
        if isinstance(told.value, BrokenChainError):
            assert [each.decision_type for each in told.value.chain] == [KIND]


def test_a_forged_identity_changes_nothing(
    through_api: Handles, deployed: AWSClientManager
) -> None:
    """Whoever signs as another agent than it says to be is refused, whatever it asks for."""
    forged, victim = through_api("scout", signed_by="risk"), MemoryManager("scout", deployed)
    before = victim.load_state()
    own = new_decision_id("scout")
    expected = before.version if before else None
    for attempt in (
        lambda: DecisionLogger(forged).log_decision(KIND, confidence=0.5, decision_id=own),
        lambda: forged.save_state({"stolen": True}, expected),
        forged.load_state,
        forged.claim_signals,
        lambda: forged.register(["everything"]),
        forged.consolidate,
        lambda: forged.store_pattern(pattern_of(forged, "forged")),
    ):
        with pytest.raises(ForgedIdentityError, match="sign with the agent's own role"):
            attempt()
    with pytest.raises(DecisionNotFoundError):
        victim.get_decision(own)
    with pytest.raises(PatternNotFoundError):
        victim.get_pattern("forged")
    assert victim.load_state() == before


def test_the_root_is_no_agent(platform: Connection, session: boto3.Session) -> None:
    """The account's own keys may call the API, and it asks for an agent's role."""
    manager = AWSClientManager(platform.region, session=session, settings=Settings())
    root = MemoryManager("scout", manager, door="api", api_url=platform.api_url)
    with pytest.raises(UnknownCallerError, match="assume"):
        root.load_state()


def test_another_agents_things(through_api: Handles, scout: MemoryManager) -> None:
    """An agent reads neither the decisions of another one nor how far its signals have got."""
    own = DecisionLogger(scout).log_decision(KIND, confidence=0.5)
    sid = scout.publish_signal("request", {"n": 1}, topic="nobody-listens")
    risk = through_api("risk")
    for read in (risk.get_decision, risk.get_decision_chain):
        with pytest.raises(ForeignDecisionError):
            read(own)
    DecisionLogger(scout).log_decision(KIND, confidence=0.5, parent_decision_id=own)
    assert risk.get_children(own) == []
    with pytest.raises(ForeignDecisionError):
        risk.page_decisions(DecisionQuery.checked(agent_id="scout"), 5)
    with pytest.raises(ForeignSignalError):
        risk.signal_status(sid)
    assert scout.signal_status(sid).deliveries == []
