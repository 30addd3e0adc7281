"""Exceptions of the block, failures of logging, and both at once."""

import asyncio
import logging
from collections.abc import Callable
from uuid import uuid4

import pytest

from daybook import (
    BodyTooLargeError,
    DecisionBlock,
    DecisionLogger,
    DecisionOutcome,
    DecisionType,
    InvalidInputError,
    MemoryManager,
    UnreachableError,
    decision,
)
from daybook.deciding.faults import LONGEST_ERROR
from daybook.settings import Settings
from daybook.testing import local_aws
from tests.faults.clients import DeadError, DyingClient
from tests.unit.deciding.broken import Broken

RISK = DecisionType.RISK_ASSESSMENT


class MuteError(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        """Fail."""
        raise ValueError


class FrozenError(Exception):
    """Takes no notes."""

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse."""
        raise TypeError(name)


def outcome_of(log: DecisionLogger, block: DecisionBlock) -> DecisionOutcome:
    """Return the outcome in the log."""
    outcome = log.get_decision(block.decision_id).outcome
    assert outcome is not None
    return outcome


def run(block: DecisionBlock, is_async: bool, work: Callable[[], object]) -> None:
    """Run the work in the block."""

    async def decide() -> None:
        async with block:
            work()

    if is_async:
        asyncio.run(decide())
    else:
        with block:
            work()


def raising(fault: BaseException) -> Callable[[], object]:
    """Return work that fails."""

    def work() -> None:
        raise fault

    return work


@pytest.mark.parametrize(
    ("fault", "recorded"),
    [
        (ValueError("no price"), "ValueError: no price"),
        (ValueError(), "ValueError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SystemExit(3), "SystemExit: 3"),
        (GeneratorExit(), "GeneratorExit"),
        (asyncio.CancelledError(), "CancelledError"),
        (ExceptionGroup("both", [KeyError("x")]), "ExceptionGroup: both (1 sub-exception)"),
        (MuteError(), "MuteError"),
        (FrozenError("ice"), "FrozenError: ice"),
        (ValueError("half \ud800"), "ValueError: half \\ud800"),
        (ValueError("x" * 5000), "ValueError: " + "x" * (LONGEST_ERROR - 13) + "…"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("is_async", [False, True])
def test_an_exception_is_the_outcome(
    log: DecisionLogger, fault: BaseException, recorded: str, is_async: bool
) -> None:
    """The decision is logged, its outcome is the failure, and the exception goes on unchanged."""
    block = log.deciding(RISK, selected="x", confidence=0.5)
    with pytest.raises(type(fault)) as caught:
        run(block, is_async, raising(fault))
    assert caught.value is fault
    assert not getattr(fault, "__notes__", [])
    outcome = outcome_of(log, block)
    assert (outcome.success, outcome.error) == (False, recorded)
    assert outcome.latency_ms is not None


def test_an_exception_before_anything_was_said(log: DecisionLogger) -> None:
    """Without a choice the decision has none, and without a confidence that is 0."""
    with pytest.raises(ValueError, match="early"), log.deciding(RISK) as d:
        raise ValueError("early")
    read = log.get_decision(d.decision_id)
    assert (read.reasoning.selected, read.reasoning.confidence) == ([], 0.0)
    assert outcome_of(log, d).error == "ValueError: early"


def test_an_exception_after_an_outcome(log: DecisionLogger) -> None:
    """It is a failure all the same; the quality, the details and a given error are kept."""
    late = ValueError("late")
    first, second = log.deciding(RISK, confidence=0.5), log.deciding(RISK, confidence=0.5)

    def judged() -> None:
        first.outcome(True, 0.9, details={"order": 7})
        raise late

    def explained() -> None:
        second.outcome(False, error="known")
        raise late

    for block, work in ((first, judged), (second, explained)):
        with pytest.raises(ValueError, match="late"):
            run(block, False, work)
    outcome = outcome_of(log, first)
    assert (outcome.success, outcome.error) == (False, "ValueError: late")
    assert (outcome.quality_score, outcome.details) == (0.9, {"order": 7})
    assert outcome_of(log, second).error == "known"


def test_every_level_fails_with_its_exception(log: DecisionLogger) -> None:
    """One exception that leaves three blocks is the outcome of each; a caught one is none."""
    with (
        log.deciding(RISK, confidence=0.5) as kept,
        pytest.raises(KeyError),
        log.deciding(RISK, confidence=0.5) as outer,
        log.deciding(RISK, confidence=0.5) as inner,
    ):
        raise KeyError("x")
    assert [outcome_of(log, d).success for d in (kept, outer, inner)] == [True, False, False]


@pytest.mark.parametrize("verb", ["decision", "outcome"])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_failure_of_logging_is_raised(log: DecisionLogger, verb: str, is_async: bool) -> None:
    """When the block went well the error carries the id, and d.log() tries again."""
    broken = DecisionLogger(Broken(log.memory, verb, 1, UnreachableError("no answer")))
    block = broken.deciding(RISK, selected="x", confidence=0.5)
    with pytest.raises(UnreachableError) as caught:
        run(block, is_async, lambda: None)
    assert caught.value.decision_id == block.decision_id
    assert any(block.decision_id in note for note in caught.value.__notes__)
    assert block.is_logged is (verb == "outcome")
    block.log()
    assert outcome_of(log, block).success


@pytest.mark.parametrize("verb", ["decision", "outcome"])
def test_a_failure_of_logging_never_hides_the_blocks(log: DecisionLogger, verb: str) -> None:
    """The block's exception goes on with a note that says what is not in the log."""
    broken = DecisionLogger(Broken(log.memory, verb, 1, UnreachableError("no answer")))
    with pytest.raises(KeyError) as caught, broken.deciding(RISK, confidence=0.5) as d:
        raise KeyError("mine")
    (note,) = caught.value.__notes__
    assert d.decision_id in note
    assert "no answer" in note
    with pytest.raises(FrozenError), broken.deciding(RISK, confidence=0.5):
        raise FrozenError
    d.log()
    assert outcome_of(log, d).error == "KeyError: 'mine'"


def test_a_failure_of_logging_that_is_only_warned_of(
    log: DecisionLogger, caplog: pytest.LogCaptureFixture
) -> None:
    """With on_log_failure="warn" the block ends well and Python's logger is told."""
    broken = DecisionLogger(Broken(log.memory, "decision", 1, UnreachableError("no answer")))
    with (
        caplog.at_level(logging.WARNING, logger="daybook"),
        broken.deciding(RISK, confidence=0.5, on_log_failure="warn") as d,
    ):
        pass
    assert d.decision_id in caplog.text
    assert "no answer" in caplog.text
    with pytest.raises(KeyError), broken.deciding(RISK, confidence=0.5, on_log_failure="warn"):
        raise KeyError("mine")


@pytest.mark.parametrize(
    ("fault", "level", "traceback"),
    [
        (UnreachableError("no answer"), logging.WARNING, False),
        (UnreachableError("no answer"), logging.DEBUG, True),
        (RuntimeError("no answer"), logging.WARNING, True),
    ],
)
def test_a_warning_is_a_sentence(
    log: DecisionLogger,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
    level: int,
    traceback: bool,
) -> None:
    """A traceback comes with what nobody foresaw, and to whoever debugs."""
    broken = DecisionLogger(Broken(log.memory, "decision", 1, fault))
    with caplog.at_level(level, logger="daybook"):
        with broken.deciding(RISK, confidence=0.5, on_log_failure="warn"):
            pass
        decision(RISK, log=log, options=["a"], on_log_failure="warn")(lambda: "c")()
    told, unfit = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert told.getMessage().endswith("no answer")
    assert bool(told.exc_info) is traceback
    assert "not an option" in unfit.getMessage()
    assert bool(unfit.exc_info) is (level == logging.DEBUG)


@pytest.mark.parametrize("is_async", [False, True])
def test_an_early_write_that_fails_waits_for_the_end(log: DecisionLogger, is_async: bool) -> None:
    """What begins inside a decision is not held up because the decision could not be written."""
    memory = Broken(log.memory, "decision", 1, UnreachableError("no answer"))
    broken = DecisionLogger(memory)

    def children(outer: DecisionBlock) -> None:
        for _ in range(2):
            broken.log_decision(RISK, confidence=0.5)
        assert not outer.is_logged

    async def decide() -> DecisionBlock:
        async with broken.deciding(RISK, selected="x", confidence=0.5) as outer:
            async with broken.deciding(RISK, confidence=0.5):
                pass
            children(outer)
        return outer

    if is_async:
        outer = asyncio.run(decide())
    else:
        with broken.deciding(RISK, selected="x", confidence=0.5) as outer:
            children(outer)
    assert memory.times == 0
    assert len(log.get_children(outer.decision_id)) == (3 if is_async else 2)
    assert outcome_of(log, outer).success


def test_an_explicit_write_that_fails_can_be_repeated(log: DecisionLogger) -> None:
    """d.log() raises, and what was handed over stays as it was."""
    broken = DecisionLogger(Broken(log.memory, "decision", 1, UnreachableError("no answer")))
    with broken.deciding(RISK, confidence=0.5) as d:
        with pytest.raises(UnreachableError):
            d.log()
        d.log()
        d.log()
    assert outcome_of(log, d).success


def test_a_context_that_does_not_fit() -> None:
    """It is told at the end, when nothing was written, and can then be made smaller."""
    with local_aws(settings=Settings(payload_bucket=None)) as manager:
        log = DecisionLogger(MemoryManager("a", manager))
        noise = "".join(uuid4().hex for _ in range(30_000))
        with (
            pytest.raises(BodyTooLargeError),
            log.deciding(RISK, context={"noise": noise}, confidence=0.5) as d,
        ):
            pass
        d.context = {"noise": "much"}
        d.log()
        assert log.get_decision(d.decision_id).context.as_dict() == {"noise": "much"}


def test_a_change_deep_inside_that_is_no_json(log: DecisionLogger) -> None:
    """What cannot be checked as it is set is told at the end, and can be put right."""
    d = log.deciding(RISK, selected="x", context={"market": {}}, confidence=0.5)

    def work() -> None:
        d.context["market"]["at"] = {1, 2}
        log.log_decision(RISK, confidence=0.5)

    with pytest.raises(InvalidInputError, match="market"):
        run(d, False, work)
    del d.context["market"]
    d.log()
    assert outcome_of(log, d).success
    assert len(log.get_children(d.decision_id)) == 1


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_process_that_dies(log: DecisionLogger, dies_at: int, after_effect: bool) -> None:
    """Whatever the call, logging again from the block leaves one decision and one outcome."""
    whole = log.memory.client_manager.dynamodb
    store = log.memory.store
    object.__setattr__(store, "dynamodb", DyingClient(whole, [], dies_at, after_effect))
    try:
        with pytest.raises(DeadError), log.deciding(RISK, selected="x", confidence=0.5) as d:
            pass
    finally:
        object.__setattr__(store, "dynamodb", whole)
    d.log()
    assert outcome_of(log, d).success
    assert len(list(log.query_decisions())) == 1


def test_a_decided_decision_outlives_its_process(log: DecisionLogger) -> None:
    """Of a process that dies inside, what had led to something is in the log."""
    outer = log.deciding(RISK, confidence=0.5, selected="x").__enter__()
    with log.deciding(RISK, confidence=0.5) as inner:
        pass
    # the process dies here: the outer block never ends
    assert [d.decision_id for d in log.get_decision_chain(inner.decision_id)] == [
        outer.decision_id,
        inner.decision_id,
    ]
    outer.__exit__(None, None, None)
