"""What every backend must do for learning: consolidate, rehearse, undo, and leave people's own."""

import random
from datetime import timedelta

import pytest

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    InvalidInputError,
    MemoryManager,
    PatternLearner,
    PatternType,
    RunNotFoundError,
    ThrottledError,
    UndoRefusedError,
)
from daybook.memory import knowledge_items, runs
from daybook.memory.learning_head import JOB, UNDO_DEPTH, Notes
from daybook.models import DecisionId
from daybook.progress.heads import read_head
from daybook.store import DECISIONS, MEMORY, keys
from daybook.store.bodies import BODY
from daybook.store.expressions import begins_with, equals
from tests.clocks import Clock

KIND = DecisionType.STRATEGY_SELECTION


def by_tables(log: DecisionLogger) -> DecisionLogger:
    """Return the same agent's logger by the door to the tables."""
    own = log.memory.agent_id
    return DecisionLogger(MemoryManager(own, log.memory.client_manager, door="tables"))


def live(
    log: DecisionLogger,
    clock: Clock,
    count: int,
    seed: int,
    good: str = "bull",
    kind: DecisionType = KIND,
) -> None:
    """Decide and see what comes of it: momentum does well in one regime, and poorly else.

    Straight into the tables: what is tested is what comes after.
    """
    log = by_tables(log)
    draw = random.Random(seed)  # noqa: S311 - reproducible, not secret
    for _ in range(count):
        regime, choice = draw.choice(["bull", "bear"]), draw.choice(["momentum", "reversion"])
        decision_id = log.log_decision(
            kind,
            options=["momentum", "reversion"],
            selected=choice,
            context={"market": {"regime": regime}},
            confidence=0.5,
        )
        clock.advance(minutes=10)
        well = regime == good and choice == "momentum"
        log.log_outcome(decision_id, kind, draw.random() < (0.95 if well else 0.3))


@pytest.fixture
def learner(memory: MemoryManager) -> PatternLearner:
    """Give the learner of an agent."""
    return PatternLearner(memory)


def test_nothing_to_learn(learner: PatternLearner) -> None:
    """An agent without a log learns nothing, and says so."""
    report = learner.consolidate()
    assert (report.outcomes_learned, report.patterns_created, report.more) == (0, 0, False)


def test_what_just_happened_is_learned(
    learner: PatternLearner, memory: MemoryManager, log: DecisionLogger, clock: Clock
) -> None:
    """Outcomes count from the moment they are logged; recall finds what they taught."""
    live(log, clock, 120, seed=1)
    report = learner.consolidate()
    assert report.outcomes_learned == 120
    assert report.patterns_created >= 1
    best = memory.recall(KIND, {"market": {"regime": "bull"}})[0]
    assert (best.pattern.choice, best.pattern.pattern_type) == ("momentum", PatternType.SUCCESS)
    assert "market.regime is bull" in best.because
    (condition,) = best.pattern.conditions
    assert (condition.feature, condition.value) == ("market.regime", "bull")
    for decision_id in best.pattern.evidence:
        evidence = memory.get_decision(decision_id)
        assert evidence.reasoning.selected == ["momentum"]
        assert evidence.context.market == {"regime": "bull"}
    assert learner.consolidate().outcomes_learned == 0


def test_dry_run_writes_nothing(
    learner: PatternLearner, memory: MemoryManager, log: DecisionLogger, clock: Clock
) -> None:
    """A rehearsal tells what a run would learn, and the run then does just that."""
    live(log, clock, 120, seed=1)
    rehearsed = learner.consolidate(dry_run=True)
    assert rehearsed.dry_run
    assert rehearsed.outcomes_learned == 120
    assert memory.list_patterns() == []
    done = learner.consolidate()
    assert done.changes == rehearsed.changes
    assert not done.dry_run


def test_undo_is_as_if_it_had_not_been(
    learner: PatternLearner, memory: MemoryManager, log: DecisionLogger, clock: Clock
) -> None:
    """What a run changed is as before, and the next run learns the same again."""
    live(log, clock, 120, seed=1)
    first = learner.consolidate()
    patterns = memory.list_patterns()
    stats = memory.get_decision_stats(24 * 7)
    live(log, clock, 120, seed=2)
    second = learner.consolidate()
    learned = memory.list_patterns()
    learner.undo(second.run_id)
    assert said(memory) == [pattern.model_dump(exclude={"version"}) for pattern in patterns]
    again = learner.consolidate()
    assert again.outcomes_learned == second.outcomes_learned
    assert said(memory) == [pattern.model_dump(exclude={"version"}) for pattern in learned]
    learner.undo(again.run_id)
    learner.undo(first.run_id)
    assert memory.list_patterns() == []
    assert memory.get_decision_stats(24 * 7)["total_decisions"] == 240
    assert stats["total_decisions"] == 120
    assert learner.consolidate().outcomes_learned == 240


def said(memory: MemoryManager) -> list[dict[str, object]]:
    """Return what the live patterns say, whatever their versions."""
    return [pattern.model_dump(exclude={"version"}) for pattern in memory.list_patterns()]


def test_undo_in_order_only(learner: PatternLearner, log: DecisionLogger, clock: Clock) -> None:
    """Only the latest run can be undone, once; unknown and dry runs not at all."""
    live(log, clock, 60, seed=1)
    first = learner.consolidate()
    live(log, clock, 20, seed=2)
    rehearsed = learner.consolidate(dry_run=True)
    second = learner.consolidate()
    with pytest.raises(UndoRefusedError, match=second.run_id):
        learner.undo(first.run_id)
    learner.undo(second.run_id)
    with pytest.raises(UndoRefusedError, match=first.run_id):
        learner.undo(second.run_id)
    for unknown in (rehearsed.run_id, "nonsense"):
        with pytest.raises(RunNotFoundError):
            learner.undo(unknown)


def test_people_have_the_last_word(
    learner: PatternLearner, memory: MemoryManager, log: DecisionLogger, clock: Clock
) -> None:
    """A learned pattern that a person retired stays retired; one they changed is not undone."""
    live(log, clock, 120, seed=1)
    report = learner.consolidate()
    best, *others = memory.list_patterns()
    assert others
    memory.retire_pattern(best.pattern_id)
    noted = others[0].model_copy(update={"user_metadata": {"seen": "by me"}})
    memory.store_pattern(noted)
    live(log, clock, 60, seed=2)
    second = learner.consolidate()
    assert best.pattern_id not in {pattern.pattern_id for pattern in memory.list_patterns()}
    kept = memory.get_pattern(noted.pattern_id)
    assert kept.user_metadata == {"seen": "by me"}
    learner.undo(second.run_id)
    learner.undo(report.run_id)
    assert memory.get_pattern(noted.pattern_id).user_metadata == {"seen": "by me"}
    assert memory.get_pattern(noted.pattern_id).retired_at is None


def test_shares_outlive_learning(
    client_manager: AWSClientManager,
    learner: PatternLearner,
    memory: MemoryManager,
    log: DecisionLogger,
    clock: Clock,
) -> None:
    """A learned pattern that is shared stays so while learning goes on refreshing it."""
    friend = MemoryManager(f"{memory.agent_id}-friend", client_manager)
    live(log, clock, 120, seed=1)
    learner.consolidate()
    best = memory.list_patterns()[0]
    memory.share_pattern(best.pattern_id, [friend.agent_id])
    live(log, clock, 60, seed=2)
    learner.consolidate()
    (found,) = friend.shared_patterns()
    assert found == memory.get_pattern(best.pattern_id)
    assert found.sample_size > best.sample_size
    clock.now += timedelta(days=1)
    assert friend.recall(KIND, {"market": {"regime": "bull"}})[0].pattern == found


def test_two_types_may_learn_the_same(
    learner: PatternLearner, memory: MemoryManager, log: DecisionLogger, clock: Clock
) -> None:
    """The same choice under the same conditions, in two types, makes two patterns each."""
    live(log, clock, 120, seed=1)
    live(log, clock, 120, seed=1, kind=DecisionType.TOOL_SELECTION)
    report = learner.consolidate()
    found = memory.list_patterns()
    assert len(found) == report.patterns_created == 2 * len(memory.list_patterns(0.0, KIND))
    for kind in (KIND, DecisionType.TOOL_SELECTION):
        assert memory.recall(kind, {"market": {"regime": "bull"}})


def test_a_damaged_decision_holds_up_nobody(
    learner: PatternLearner, memory: MemoryManager, log: DecisionLogger, clock: Clock
) -> None:
    """One body that cannot be read costs its own lesson, is counted, and nothing else."""
    live(log, clock, 60, seed=1)
    damaged = DecisionId.parse(next(log.query_decisions()).decision_id)
    memory.client_manager.store.update(DECISIONS, keys.decision(damaged), {BODY: b"broken"})
    report = learner.consolidate()
    assert (report.outcomes_learned, report.outcomes_damaged) == (59, 1)
    assert memory.get_decision_stats(24)["with_outcome"] == 60
    assert learner.consolidate().outcomes_damaged == 0


def test_only_up_to_the_clock(
    learner: PatternLearner, memory: MemoryManager, log: DecisionLogger, clock: Clock
) -> None:
    """A moment to come would close hours in which decisions are still to be made."""
    live(log, clock, 12, seed=1)
    for wrong in (timedelta(minutes=6), timedelta(days=400), timedelta(days=-36_500)):
        with pytest.raises(InvalidInputError, match="the clock says"):
            learner.consolidate(now=clock() + wrong)
    learner.consolidate(now=clock() + timedelta(minutes=4))
    live(log, clock, 12, seed=2)
    clock.advance(hours=2)
    learner.consolidate()
    stats = memory.get_decision_stats(24)
    assert stats["total_decisions"] == stats["with_outcome"] == 24


def test_keys_without_a_name_teach_nothing(
    learner: PatternLearner, log: DecisionLogger, clock: Clock
) -> None:
    """A context may have them; no condition can name them."""
    log = by_tables(log)
    for number in range(120):
        well = bool(number % 2)
        decision_id = log.log_decision(
            KIND, selected="out", context={"": "bull" if well else "bear"}, confidence=0.5
        )
        clock.advance(minutes=1)
        log.log_outcome(decision_id, KIND, well)
    assert learner.consolidate().outcomes_learned == 120


def test_knowledge_larger_than_an_item(
    memory: MemoryManager,
    log: DecisionLogger,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It goes on in further items, which come and go with it."""
    monkeypatch.setattr(knowledge_items, "_PIECE_BYTES", 500)
    learner = PatternLearner(memory)
    live(log, clock, 60, seed=1)
    first = learner.consolidate()
    stored = knowledge_keys(memory)
    assert any("+" in key for key in stored)
    live(log, clock, 120, seed=2)
    second = learner.consolidate()
    learner.undo(second.run_id)
    assert knowledge_keys(memory) == stored
    assert learner.consolidate().outcomes_learned == 120
    for _ in range(UNDO_DEPTH + 1):
        live(log, clock, 10, seed=3)
        learner.consolidate()
    assert not stored & knowledge_keys(memory)
    with pytest.raises(UndoRefusedError):
        learner.undo(first.run_id)


def test_what_a_failed_run_left_is_swept_away(
    memory: MemoryManager, log: DecisionLogger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Knowledge that was written and never named does not stay."""
    learner = PatternLearner(memory)
    live(log, clock, 60, seed=1)
    with monkeypatch.context() as broken:
        broken.setattr(runs, "write", refuse)
        with pytest.raises(ThrottledError):
            learner.consolidate()
    assert knowledge_keys(memory)
    learner.consolidate()
    named = Notes.read(read_head(memory.client_manager.store, memory.agent_id, JOB)).knowledge
    assert len(knowledge_keys(memory)) == sum(map(len, named.values()))


def refuse(*_: object) -> None:
    """Fail as a table does that is asked too much."""
    raise ThrottledError("slow down")


def knowledge_keys(memory: MemoryManager) -> set[str]:
    """Return the sort keys of all that is known."""
    condition = equals("pk", memory.agent_id) & begins_with("sk", "KNOWN#")
    return {
        str(item["sk"])
        for item in memory.client_manager.store.query(MEMORY, condition, consistent=True)
    }
