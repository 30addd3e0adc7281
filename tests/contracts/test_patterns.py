"""What every backend must do for patterns: stored, listed, versioned, retired, shared."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    BodyCorruptError,
    ConditionOperator,
    DecisionType,
    ForeignPatternError,
    InvalidInputError,
    MemoryManager,
    MemoryPattern,
    PatternCondition,
    PatternConflictError,
    PatternNotFoundError,
    PatternType,
    new_decision_id,
)
from daybook.memory import pattern_items, patterns
from daybook.store import MEMORY
from tests.clocks import Clock

KIND = DecisionType.STRATEGY_SELECTION


def make(
    memory: MemoryManager, now: datetime, pattern_id: str = "p1", **more: Any
) -> MemoryPattern:
    """Make a pattern of this agent."""
    fields: dict[str, Any] = {
        "pattern_id": pattern_id,
        "agent_id": memory.agent_id,
        "pattern_type": PatternType.SUCCESS,
        "decision_type": KIND,
        "choice": "momentum",
        "conditions": [
            PatternCondition(feature="market.trend", op=ConditionOperator.EQ, value="up"),
            PatternCondition(feature="market.volatility", op=ConditionOperator.LT, value=0.25),
        ],
        "success_rate": 0.7,
        "baseline_rate": 0.5,
        "sample_size": 300,
        "confidence": 0.64,
        "evidence": [new_decision_id(memory.agent_id, now)],
        "user_metadata": {"näme": [1, 2.5, None, {"a": True}]},
        "created_at": now,
        "updated_at": now,
    }
    return MemoryPattern.checked(**fields | more)


@pytest.fixture
def others(client_manager: AWSClientManager) -> list[MemoryManager]:
    """Give the handles of three more agents."""
    return [MemoryManager(f"agent-{uuid4().hex}", client_manager) for _ in range(3)]


def test_pattern_reads_back_equal(memory: MemoryManager, clock: Clock) -> None:
    """What is stored is what is read, by id and in lists."""
    pattern = make(memory, clock())
    assert memory.store_pattern(pattern) == pattern
    assert memory.get_pattern("p1") == pattern
    assert memory.list_patterns() == [pattern]
    assert memory.pattern_history("p1") == [pattern]
    assert memory.store_pattern(pattern) == pattern


def test_nothing_is_there_at_first(memory: MemoryManager) -> None:
    """An agent without patterns has empty lists, and clear errors for ids."""
    assert memory.list_patterns() == []
    assert memory.shared_patterns() == []
    assert memory.recall(KIND, {"market": {"trend": "up"}}) == []
    for verb in (memory.get_pattern, memory.retire_pattern, memory.pattern_history):
        with pytest.raises(PatternNotFoundError, match="list_patterns"):
            verb("nothing")


def test_list_is_by_confidence(memory: MemoryManager, clock: Clock) -> None:
    """The most confident comes first; a bar and a type leave out the others."""
    for number, kind in ((5, KIND), (9, DecisionType.OTHER), (7, KIND)):
        pattern = make(memory, clock(), f"p{number}", confidence=number / 10, decision_type=kind)
        memory.store_pattern(pattern)
    assert [p.pattern_id for p in memory.list_patterns()] == ["p9", "p7", "p5"]
    assert [p.pattern_id for p in memory.list_patterns(0.7)] == ["p9", "p7"]
    assert [p.pattern_id for p in memory.list_patterns(decision_type=KIND)] == ["p7", "p5"]
    assert memory.list_patterns(0.71, "strategy_selection") == []


def test_bad_arguments(memory: MemoryManager, clock: Clock) -> None:
    """What makes no sense is refused with a sentence, and nothing is written."""
    for bar in (-0.1, 1.1, float("nan"), "high", True):
        with pytest.raises(InvalidInputError, match="min_confidence"):
            memory.list_patterns(bar)  # type: ignore[arg-type]
    for pattern_id in ("a#b", "a\nb", "🙂" * 200):
        with pytest.raises(InvalidInputError):
            memory.store_pattern(make(memory, clock(), pattern_id))
        with pytest.raises(InvalidInputError):
            memory.get_pattern(pattern_id)
    for limit in (0, -1, 1.5, True):
        with pytest.raises(InvalidInputError, match="limit"):
            memory.recall(KIND, {}, limit)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="unknown"):
        memory.recall("nonsense", {})
    for context in ({"x": {1}}, {"x": float("nan")}, {"x": {1: 2}}, {"x": "\ud800"}, ["x"], "x"):
        with pytest.raises(InvalidInputError, match="context"):
            memory.recall(KIND, context)  # type: ignore[arg-type]
    memory.store_pattern(make(memory, clock()))
    for agents in ("a", ["a#b"], [memory.agent_id], [f"a{n}" for n in range(100)]):
        with pytest.raises(InvalidInputError):
            memory.share_pattern("p1", agents)
    assert memory.get_pattern("p1").shared_with == []


def test_change_makes_a_version(memory: MemoryManager, clock: Clock) -> None:
    """A pattern that is stored again becomes the next version; the old one is kept."""
    first = memory.store_pattern(make(memory, clock()))
    clock.advance(hours=1)
    changed = first.model_copy(update={"success_rate": 0.8, "updated_at": clock()})
    second = memory.store_pattern(changed)
    assert (second.version, second.success_rate) == (2, 0.8)
    assert memory.pattern_history("p1") == [first, second]
    with pytest.raises(PatternConflictError, match="version 2"):
        memory.store_pattern(first.model_copy(update={"success_rate": 0.1}))
    assert memory.get_pattern("p1") == second
    assert memory.list_patterns() == [second]


def test_retired_pattern_is_out_of_use(
    memory: MemoryManager, clock: Clock, others: list[MemoryManager]
) -> None:
    """It is neither listed, recalled nor shared; its history tells of it."""
    memory.store_pattern(make(memory, clock(), conditions=[]))
    memory.share_pattern("p1", [others[0].agent_id])
    clock.advance(hours=1)
    retired = memory.retire_pattern("p1")
    assert (retired.retired_at, retired.version) == (clock(), 2)
    clock.advance(hours=1)
    assert memory.retire_pattern("p1") == retired
    assert memory.get_pattern("p1") == retired
    assert (memory.list_patterns(), memory.recall(KIND, {})) == ([], [])
    assert (others[0].shared_patterns(), others[0].recall(KIND, {})) == ([], [])
    assert [p.version for p in memory.pattern_history("p1")] == [1, 2]
    with pytest.raises(PatternNotFoundError):
        memory.share_pattern("p1", [others[1].agent_id])


def test_shared_with_two_and_not_with_a_third(
    memory: MemoryManager, clock: Clock, others: list[MemoryManager]
) -> None:
    """The named agents find a pattern, no other does, and unsharing works at once."""
    first, second, third = others
    pattern = memory.store_pattern(make(memory, clock()))
    shared = memory.share_pattern("p1", [first.agent_id, second.agent_id])
    assert shared.version == pattern.version
    context = {"market": {"trend": "up", "volatility": 0.1}}
    for friend in (first, second):
        assert friend.shared_patterns() == [shared]
        assert [found.pattern for found in friend.recall(KIND, context)] == [shared]
    assert (third.shared_patterns(), third.recall(KIND, context)) == ([], [])
    memory.unshare_pattern("p1", [first.agent_id])
    assert (first.shared_patterns(), first.recall(KIND, context)) == ([], [])
    assert [p.pattern_id for p in second.shared_patterns()] == ["p1"]
    assert second.list_patterns() == []


def test_shared_when_it_is_stored(
    memory: MemoryManager, clock: Clock, others: list[MemoryManager]
) -> None:
    """A new pattern may name who sees it; what was read before that changed ends nothing."""
    names = [other.agent_id for other in others[:2]]
    pattern = memory.store_pattern(make(memory, clock(), shared_with=names))
    assert others[0].shared_patterns() == others[1].shared_patterns() == [pattern]
    memory.unshare_pattern("p1", names[1:])
    with pytest.raises(PatternConflictError, match="share_pattern"):
        memory.store_pattern(pattern.model_copy(update={"choice": "other"}))
    assert len(others[0].shared_patterns()) == 1
    assert others[1].shared_patterns() == []


def test_what_was_read_before_a_refresh_is_not_stored(memory: MemoryManager, clock: Clock) -> None:
    """A refresh makes no version, and yet a copy from before it does not overwrite it."""
    stale = memory.store_pattern(make(memory, clock()))
    clock.advance(minutes=1)
    refreshed = stale.model_copy(update={"sample_size": 97, "updated_at": clock()})
    standing = patterns.find(memory.client_manager.store, memory.agent_id, "p1")
    memory.client_manager.store.transact(
        pattern_items.writes(memory.client_manager.store, standing, refreshed, "run-1")
    )
    with pytest.raises(PatternConflictError, match="refreshed"):
        memory.store_pattern(stale.model_copy(update={"choice": "other"}))
    assert memory.get_pattern("p1") == refreshed


def test_what_is_no_pattern_is_refused(memory: MemoryManager, clock: Clock) -> None:
    """Anything else, and a copy that was made invalid, with an error that says what it is."""
    wrong: Any
    for wrong in (None, {}, "p1"):
        with pytest.raises(InvalidInputError, match="MemoryPattern"):
            memory.store_pattern(wrong)
    with pytest.raises(InvalidInputError, match="shared_with"):
        memory.store_pattern(make(memory, clock()).model_copy(update={"shared_with": None}))
    assert memory.list_patterns() == []


def test_foreign_pattern_is_refused(
    memory: MemoryManager, clock: Clock, others: list[MemoryManager]
) -> None:
    """An agent can neither store, share nor retire what is another's."""
    pattern = memory.store_pattern(make(memory, clock()))
    thief = others[0]
    with pytest.raises(ForeignPatternError, match="share_pattern"):
        thief.store_pattern(pattern)
    with pytest.raises(PatternNotFoundError):
        thief.share_pattern("p1", [others[1].agent_id])
    with pytest.raises(PatternNotFoundError):
        thief.retire_pattern("p1")
    assert memory.list_patterns() == [pattern]


def test_forged_share_is_refused(
    memory: MemoryManager, clock: Clock, others: list[MemoryManager]
) -> None:
    """Items that claim what their owner never said show nothing to the recipient.

    The forger writes straight into its own partition, where its role lets it: a share of a
    pattern that was never shared, one of a pattern that does not exist, and a pattern that
    says it is another agent's.
    """
    forger, victim, recipient = memory, others[0], others[1]
    store = forger.client_manager.store
    forger.store_pattern(make(forger, clock()))
    for pattern_id in ("p1", "missing"):
        shown = make(forger, clock(), pattern_id, shared_with=[recipient.agent_id])
        share = pattern_items.writes(store, None, shown)[1]
        store.put(MEMORY, share.item)  # type: ignore[union-attr]
    assert (recipient.shared_patterns(), recipient.recall(KIND, {})) == ([], [])
    lie = make(victim, clock(), "p3", shared_with=[recipient.agent_id], conditions=[])
    pattern, share = pattern_items.writes(store, None, lie)
    for write in (pattern, share):
        store.put(MEMORY, write.item | {"pk": forger.agent_id})  # type: ignore[union-attr]
    assert (recipient.shared_patterns(), recipient.recall(KIND, {})) == ([], [])
    with pytest.raises(BodyCorruptError, match="forged"):
        forger.get_pattern("p3")


def test_a_shared_pattern_without_its_body_hides_no_other(
    memory: MemoryManager, clock: Clock, others: list[MemoryManager]
) -> None:
    """One whose object is gone, or cannot be looked for, is passed over; others are recalled."""
    store, recipient = memory.client_manager.store, others[0]
    friends = [recipient.agent_id]
    whole = memory.store_pattern(make(memory, clock(), conditions=[], shared_with=friends))
    lost = make(memory, clock(), "p2", conditions=[], shared_with=friends)
    pattern, share = pattern_items.writes(store, None, lost)
    store.put(MEMORY, share.item)  # type: ignore[union-attr]
    item = {k: v for k, v in pattern.item.items() if k != "body"}  # type: ignore[union-attr]
    store.put(MEMORY, item | {"body_object": f"memory/{memory.agent_id}/gone"})
    assert recipient.shared_patterns() == [whole]
    assert [found.pattern for found in recipient.recall(KIND, {})] == [whole]


def test_a_share_that_outlived_its_pattern_shows_nothing(
    memory: MemoryManager, clock: Clock, others: list[MemoryManager]
) -> None:
    """A share item that came back, as from a backup, does not revive a retired pattern."""
    shown = memory.store_pattern(make(memory, clock(), shared_with=[others[0].agent_id]))
    share = pattern_items.writes(memory.client_manager.store, None, shown)[1]
    memory.retire_pattern("p1")
    memory.client_manager.store.put(MEMORY, share.item)  # type: ignore[union-attr]
    assert (others[0].shared_patterns(), others[0].recall(KIND, {})) == ([], [])


def test_recall_ranks_what_applies(memory: MemoryManager, clock: Clock) -> None:
    """Only patterns whose conditions hold are recalled, best first, with the reason."""
    calm = PatternCondition(feature="market.volatility", op=ConditionOperator.LT, value=0.25)
    wild = PatternCondition(feature="market.volatility", op=ConditionOperator.GE, value=0.25)
    memory.store_pattern(make(memory, clock(), "good", conditions=[calm], confidence=0.6))
    memory.store_pattern(make(memory, clock(), "better", conditions=[calm], confidence=0.7))
    memory.store_pattern(make(memory, clock(), "elsewhere", conditions=[wild], confidence=0.9))
    found = memory.recall(KIND, {"market": {"volatility": 0.2}})
    assert [each.pattern.pattern_id for each in found] == ["better", "good"]
    assert found[0].score == pytest.approx(0.7)
    assert "market.volatility" in found[0].because
    assert [e.pattern.pattern_id for e in memory.recall(KIND, {"market": {"volatility": 0.2}}, 1)]
    assert memory.recall(KIND, {}) == memory.recall(DecisionType.OTHER, {}) == []
    clock.advance(days=365)
    assert memory.recall(KIND, {"market": {"volatility": 0.2}})[0].score < 0.7


def test_recent_read_of_a_shared_pattern_is_kept(
    memory: MemoryManager, clock: Clock, others: list[MemoryManager]
) -> None:
    """Another's pattern is read anew after a minute; till then its content may be older."""
    friend = others[0]
    memory.store_pattern(make(memory, clock(), conditions=[]))
    shared = memory.share_pattern("p1", [friend.agent_id])
    assert friend.recall(KIND, {})[0].pattern == shared
    changed = memory.store_pattern(shared.model_copy(update={"confidence": 0.9}))
    assert friend.recall(KIND, {})[0].pattern == shared
    clock.advance(seconds=61)
    assert friend.recall(KIND, {})[0].pattern == changed
    assert friend.recall(KIND, {})[0].score == pytest.approx(0.9, abs=1e-3)
    clock.advance(seconds=timedelta(minutes=5).total_seconds())
    memory.unshare_pattern("p1", [friend.agent_id])
    assert friend.recall(KIND, {}) == []
