"""What a block records, what it refuses, and when it is written."""

import math
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

import pytest

from daybook import (
    DecisionLoggedError,
    DecisionLogger,
    DecisionNotFoundError,
    DecisionRecord,
    DecisionType,
    InvalidInputError,
    carrying,
    current_decision,
)

RISK = DecisionType.RISK_ASSESSMENT


def only(log: DecisionLogger) -> DecisionRecord:
    """Return the one decision in the log."""
    (decision,) = log.query_decisions()
    return decision


def nothing_logged(log: DecisionLogger) -> bool:
    """Tell whether the log is empty."""
    return not list(log.query_decisions())


def test_everything_said_is_recorded(log: DecisionLogger) -> None:
    """What is given and what is set later are one decision with its outcome."""
    with log.deciding(
        RISK, options=["half", "full"], context={"market": {"vix": 31}}, session_id="s"
    ) as d:
        d.select("half", scores={"half": 0.6, "full": 0.4})
        d.confidence = 0.8
        d.context["seen"] = 1
        d.rationale = "calm"
        d.tags += ("x",)
        d.propensity = 0.5
        d.patterns_applied = ["p"]
        d.agent_version = "v2"
        d.outcome(True, 0.9, details={"filled": True})
    read = log.get_decision(d.decision_id)
    assert read.reasoning.selected == ["half"]
    assert read.reasoning.scores == {"half": 0.6, "full": 0.4}
    assert (read.reasoning.confidence, read.reasoning.rationale) == (0.8, "calm")
    assert (read.reasoning.propensity, read.reasoning.patterns_applied) == (0.5, ["p"])
    assert read.context.as_dict() == {"market": {"vix": 31}, "seen": 1}
    assert (read.tags, read.session_id, read.agent_version) == (["x"], "s", "v2")
    assert read.outcome is not None
    assert (read.outcome.success, read.outcome.quality_score) == (True, 0.9)
    assert (read.outcome.details, read.outcome.error) == ({"filled": True}, None)


def test_the_id_is_the_moment_of_entry(log: DecisionLogger) -> None:
    """The decision was made as the block began, and its id is known there."""
    before = datetime.now(UTC)
    with log.deciding(RISK, confidence=1.0) as d:
        began = d.decision_id
        after = datetime.now(UTC)
        threading.Event().wait(0.02)
    assert only(log).decision_id == began
    assert before <= only(log).decided_at <= after


def test_the_latency_is_the_time_of_the_block(
    log: DecisionLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in milliseconds by a clock that only goes forward, and ends before the writing."""
    ticks = iter([5.0, 5.25])
    monkeypatch.setattr("daybook.deciding.blocks.perf_counter", lambda: next(ticks))
    with log.deciding(RISK, confidence=1.0):
        pass
    outcome = only(log).outcome
    assert outcome is not None
    assert outcome.latency_ms == 250.0


def test_an_outcome_that_comes_later(log: DecisionLogger) -> None:
    """With outcome="later" the decision waits for log_outcome."""
    with log.deciding(RISK, confidence=1.0, outcome="later") as d:
        pass
    assert log.get_decision(d.decision_id).outcome is None
    log.log_outcome(d.decision_id, RISK, success=False)
    read = log.get_decision(d.decision_id).outcome
    assert read is not None
    assert not read.success


def test_later_unless_it_is_said_or_fails(log: DecisionLogger) -> None:
    """A block that raises has failed, and one that says its outcome has it, also then."""
    with log.deciding(RISK, confidence=1.0, outcome="later") as said:
        said.outcome(False, 0.1)
    with (
        pytest.raises(KeyError),
        log.deciding(RISK, confidence=1.0, outcome="later") as failed,
    ):
        raise KeyError("x")
    for block, error in ((said, None), (failed, "KeyError: 'x'")):
        outcome = log.get_decision(block.decision_id).outcome
        assert outcome is not None
        assert (outcome.success, outcome.error) == (False, error)


def test_written_at_the_end_while_undecided(log: DecisionLogger) -> None:
    """Without a choice a decision is written when its block ends, after those inside it."""
    with log.deciding(RISK, confidence=0.5) as outer:
        with log.deciding(RISK, confidence=0.5) as inner:
            pass
        assert inner.is_logged
        with pytest.raises(DecisionNotFoundError):
            log.get_decision(outer.decision_id)
        outer.select("late choice")
    chain = log.get_decision_chain(inner.decision_id)
    assert [d.decision_id for d in chain] == [outer.decision_id, inner.decision_id]
    assert chain[0].reasoning.selected == ["late choice"]


def test_written_before_what_it_led_to(log: DecisionLogger) -> None:
    """A decision with choice and confidence stands in the log before one inside it begins."""
    with log.deciding(RISK) as outer:
        outer.select("half")
        with log.deciding(RISK, confidence=0.5):
            assert not outer.is_logged  # not sure yet
        outer.confidence = 0.5
        with log.deciding(RISK, confidence=0.5) as inner:
            assert log.get_decision(outer.decision_id).outcome is None
    assert len(log.get_children(outer.decision_id)) == 2
    assert inner.parent_decision_id == outer.decision_id


def test_a_logged_decision_does_not_change(log: DecisionLogger) -> None:
    """Afterwards every change is refused, and the outcome alone is still open."""
    with log.deciding(RISK, context={"a": 1}, selected="half", confidence=0.5) as d:
        d.log()
        changes: list[Callable[[], object]] = [
            lambda: setattr(d, "confidence", 0.6),
            lambda: setattr(d, "rationale", "no"),
            lambda: setattr(d, "context", {}),
            lambda: d.context.update(b=2),
            lambda: d.context.pop("a"),
            lambda: d.select("full"),
        ]
        for change in changes:
            with pytest.raises(DecisionLoggedError, match=d.decision_id):
                change()
        d.outcome(True, 0.4)
        d.outcome(False, 0.6)
    with pytest.raises(DecisionLoggedError, match="outcome of the decision"):
        d.outcome(True)
    read = only(log)
    assert read.context.as_dict() == {"a": 1}
    assert read.outcome is not None
    assert (read.outcome.success, read.outcome.quality_score) == (False, 0.6)


@pytest.mark.parametrize(
    "faulty",
    [
        {"decision_type": "no such"},
        {"options": ["a", "a"]},
        {"options": ["a"], "selected": "b"},
        {"options": 5},
        {"scores": {"a": math.nan}},
        {"scores": "text"},
        {"context": {"at": datetime(2026, 1, 1, tzinfo=UTC)}},
        {"context": {"x": math.inf}},
        {"context": "text"},
        {"context": {1: 2}},
        {"confidence": 1.1},
        {"confidence": True},
        {"confidence": "high"},
        {"tags": [""]},
        {"session_id": "s" * 257},
        {"propensity": 0.0},
        {"parent_decision_id": "no id"},
        {"outcome": False},
        {"outcome": "soon"},
        {"on_log_failure": "ignore"},
        {"decided_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"decision_id": "x"},
        {"tagz": ["x"]},
    ],
)
def test_bad_arguments_are_told_before_the_block(log: DecisionLogger, faulty: Any) -> None:
    """The block does not begin and nothing is written."""
    with pytest.raises(InvalidInputError):
        log.deciding(**({"decision_type": RISK, "confidence": 0.5} | faulty))
    assert nothing_logged(log)


def test_a_bad_change_is_told_where_it_stands(log: DecisionLogger) -> None:
    """It changes nothing, and the block can go on."""
    with log.deciding(RISK, options=["a", "b"], confidence=0.5) as d:
        changes: list[Callable[[], object]] = [
            lambda: d.select("c"),
            lambda: d.select(["a"], scores={"c": 1.0}),
            lambda: d.select("b", confidence=2.0),
            lambda: setattr(d, "confidence", math.nan),
            lambda: setattr(d, "tags", [1]),
            lambda: setattr(d, "context", [1]),
            lambda: d.context.update(x={1, 2}),
            lambda: d.outcome("yes"),  # type: ignore[arg-type]
            lambda: d.outcome(True, 2.0),
            lambda: d.outcome(True, details={"x": math.nan}),
        ]
        for change in changes:
            with pytest.raises(InvalidInputError):
                change()
        with pytest.raises(TypeError):
            d.scores["a"] = 1.0  # type: ignore[index]
        d.select("a")
    read = only(log)
    assert (read.reasoning.selected, read.reasoning.scores) == (["a"], {})
    assert (read.reasoning.confidence, read.tags, read.context.as_dict()) == (0.5, [], {})


@pytest.mark.parametrize("name", ["rational", "tag", "outcome", "select", "decision_id", "memory"])
def test_what_cannot_be_set_is_told_with_what_can(log: DecisionLogger, name: str) -> None:
    """A mistyped name is not dropped in silence, and a method is not overwritten."""
    with log.deciding(RISK, confidence=0.5) as d:
        with pytest.raises(InvalidInputError, match=rf"^{name} .* rationale, .*tags, .* context"):
            setattr(d, name, "x")
        d.outcome(success=True)
    assert only(log).decision_id == d.decision_id


def test_the_context_is_what_was_seen(log: DecisionLogger) -> None:
    """What the agent does with its own dict and list afterwards is not in the log."""
    market: dict[str, Any] = {"prices": [1.0, 2.0]}
    context = {"market": market}
    with log.deciding(RISK, context=context, confidence=0.5) as d:
        market["prices"].append(3.0)
        context["more"] = {}
        d.context["own"] = True
        assert dict(d.context) == {"market": {"prices": [1.0, 2.0]}, "own": True}
        assert len(d.context) == 2
        assert repr(d.context).startswith("{'market'")
    assert only(log).context.market == {"prices": [1.0, 2.0]}
    assert "own" not in context


def test_a_missing_confidence_can_be_given_after_the_block(log: DecisionLogger) -> None:
    """The error names it; the block's decision is kept and can still be logged."""
    with pytest.raises(InvalidInputError, match="confidence") as caught, log.deciding(RISK) as d:
        d.select("half")
    assert caught.value.problems == (("confidence", "is missing"),)
    assert nothing_logged(log)
    d.confidence = 0.5
    d.log()
    d.log()
    read = only(log)
    assert read.outcome is not None
    assert read.outcome.success


def test_a_block_is_one_decision(log: DecisionLogger) -> None:
    """It begins once: not again afterwards, nor inside itself, nor in async."""
    block = log.deciding(RISK, confidence=0.5)
    with pytest.raises(InvalidInputError, match="has its id once"):
        _ = block.decision_id
    with block:
        for again in (block, block):
            with pytest.raises(InvalidInputError, match="begun before"), again:
                pass
        assert current_decision() is block
    with pytest.raises(InvalidInputError, match="begun before"), block:
        pass
    assert only(log).decision_id == block.decision_id


def test_parents_by_hand(log: DecisionLogger) -> None:
    """An explicit parent wins, and an explicit None makes a root."""
    other = log.log_decision(RISK, confidence=0.5)
    with log.deciding(RISK, confidence=0.5) as outer:
        with log.deciding(RISK, confidence=0.5, parent_decision_id=other) as named:
            pass
        with log.deciding(RISK, confidence=0.5, parent_decision_id=None) as root:
            pass
        with log.deciding(RISK, confidence=0.5) as inner:
            pass
    parents = {d.decision_id: d.parent_decision_id for d in log.query_decisions()}
    assert parents == {
        other: None,
        outer.decision_id: None,
        named.decision_id: other,
        root.decision_id: None,
        inner.decision_id: outer.decision_id,
    }


def test_decisions_logged_by_hand_nest(log: DecisionLogger) -> None:
    """log_decision and its kin take the block as their parent, unless they name one."""
    with log.deciding(RISK, confidence=0.5, selected="x") as d:
        child = log.log_decision(RISK, confidence=0.5)
        source = log.log_source_selection(["a"], {}, "a", None, 0.5)
        root = log.log_decision(RISK, confidence=0.5, parent_decision_id=None)
        named = log.log_decision(RISK, confidence=0.5, parent_decision_id=child)
        assert d.is_logged
    parents = {x.decision_id: x.parent_decision_id for x in log.query_decisions()}
    assert [parents[one] for one in (child, source, root, named)] == [
        *(d.decision_id, d.decision_id, None, child),
    ]
    assert log.get_decision(log.log_decision(RISK, confidence=0.5)).parent_decision_id is None


def test_a_plain_thread_nests_on_its_own(log: DecisionLogger) -> None:
    """A thread starts nowhere; with carrying it starts in the block."""
    seen: list[str | None] = []

    def work() -> None:
        with log.deciding(RISK, confidence=0.5) as d:
            seen.append(d.parent_decision_id)

    with log.deciding(RISK, confidence=0.5) as outer:
        for target in (work, carrying(work)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        assert current_decision() is outer
    assert seen == [None, outer.decision_id]
    assert current_decision() is None


def exit_with_parent(log: DecisionLogger | None = None) -> None:
    """Exit with 1 where a decision is under way, and with 2 if its children are not."""
    around = current_decision()
    if around is None:
        sys.exit(0)
    assert log
    child = log.log_decision(RISK, confidence=0.5)
    sys.exit(1 if log.get_decision(child).parent_decision_id == around.decision_id else 2)


def test_a_spawned_process_starts_with_no_parent_and_a_forked_one_with_a_copy(
    log: DecisionLogger,
) -> None:
    """As the documentation says; what a forked one decides is a child of the block."""
    spawning, forking = get_context("spawn"), get_context("fork")
    with log.deciding(RISK, confidence=0.5):
        spawned = spawning.Process(target=exit_with_parent)
        forked = forking.Process(target=exit_with_parent, args=(log,))
        for process in (spawned, forked):
            process.start()
            process.join()
    assert (spawned.exitcode, forked.exitcode) == (0, 1)


def test_carrying_refuses_what_it_cannot_carry() -> None:
    """An async function would run where it is awaited, and a value does not run."""

    async def work() -> None: ...

    for wrong in (work, "text", None):
        with pytest.raises(InvalidInputError):
            carrying(wrong)  # type: ignore[arg-type]


def test_blocks_that_end_out_of_turn(log: DecisionLogger) -> None:
    """Blocks entered by hand may end in any order: each is logged, and nothing else breaks."""
    first, second = log.deciding(RISK, confidence=0.5), log.deciding(RISK, confidence=0.5)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert current_decision() is second
    second.__exit__(None, None, None)
    assert current_decision() is None
    assert second.parent_decision_id == first.decision_id
    assert len(list(log.query_decisions())) == 2
