"""`DecisionBlock`: a block of code that is a decision, in `with` or `async with`.

When it is written: at the end of the block, or earlier, when the first decision inside it
begins and this one has its choice and its confidence. So what a choice led to finds it in the
log, and a process that dies loses only what it had not yet decided. Once it has been handed
over for writing it does not change.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from types import TracebackType
from typing import Any, Literal, Self, Unpack

from daybook.deciding.drafting import BlockDetails, Context
from daybook.deciding.faults import noted, warned
from daybook.deciding.off_loop import off_loop
from daybook.deciding.open_decisions import OpenDecision, checked_parts
from daybook.deciding.scopes import Scope, current_decision, enter, leave
from daybook.errors import DaybookError, InvalidInputError, StorageError
from daybook.memory_manager import MemoryManager
from daybook.models import DecisionType, new_decision_id

When = Literal["now", "later"]
"""When the outcome is known: as the block ends, or some day through `log_outcome`."""

Unlogged = Literal["raise", "warn"]
"""What to do when the block went well and logging it did not."""


class DecisionBlock(OpenDecision):
    """A decision under way. Made by `log.deciding(…)` and entered once.

    What can be said about it, see OpenDecision. It may be shared between threads.
    """

    def __init__(
        self,
        memory: MemoryManager,
        decision_type: DecisionType | str,
        *,
        options: Sequence[str] = (),
        scores: Mapping[str, float] | None = None,
        selected: Sequence[str] | str = (),
        context: Context = None,
        confidence: float | None = None,
        outcome: When = "now",
        on_log_failure: Unlogged = "raise",
        **details: Unpack[BlockDetails],
    ) -> None:
        parts = checked_block(
            decision_type,
            options=options,
            scores=scores,
            selected=selected,
            confidence=confidence,
            outcome=outcome,
            on_log_failure=on_log_failure,
            **details,
        )
        super().__init__(parts, context)
        self._memory = memory
        self._comes_later = outcome == "later"
        self._warns = on_log_failure == "warn"
        self._nests = "parent_decision_id" not in details
        self._writing = threading.Lock()
        self._tried = self._written = self._ended = self._outcome_written = False
        self._was_handed_in = False
        self._set_aside = False

    @property
    def is_logged(self) -> bool:
        """Whether the decision is known to stand in the log."""
        return self._written

    def log(self) -> None:
        """Write the decision now; after the block, whatever could not be written at its end.

        For before work that may not come back. It can be repeated after any failure and counts
        once. Raises InvalidInputError when the confidence is missing, and StorageError.
        """
        with self._writing:
            self._write_decision()
            if self._ended and not self._outcome_written:
                if self._judged or self._fault is not None or not self._comes_later:
                    self._memory.record_outcome(self._final_outcome(self._latency_ms))
                self._outcome_written = True

    @property
    def waits_to_be_logged(self) -> bool:
        """Whether this is decided and not yet written: `settle` would write it."""
        return self._is_decided and not (self._written or self._tried)

    def settle(self) -> None:
        """Write the decision if it is decided, because something that it led to begins.

        Tried once: what fails here is tried again at the end of the block, which reports it.
        """
        if not self.waits_to_be_logged:
            return
        with self._writing:
            if not self._tried:
                with suppress(DaybookError):
                    self._write_decision()
                self._tried = True

    def __enter__(self) -> Self:
        around = self._around()
        if around is not None:
            around.settle()
        return self._begin(around)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(fault)
        self._conclude(fault)

    def set_aside(self) -> None:
        """Step out without ending it; `async with` takes it up again, in whichever task."""
        leave(self._scope)
        self._set_aside = True

    async def __aenter__(self) -> Self:
        if self._set_aside:
            return self._step_in()
        around = self._around()
        if around is not None and around.waits_to_be_logged:
            await off_loop(around.settle)
        return self._begin(around)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(fault)
        if isinstance(fault, GeneratorExit):
            # a coroutine that is being closed may not wait for anything
            self._conclude(fault)
        else:
            await off_loop(lambda: self._conclude(fault))

    def _around(self) -> "DecisionBlock | None":
        self._not_begun()
        return current_decision() if self._nests else None

    def _begin(self, around: "DecisionBlock | None") -> Self:
        with self._saying:
            self._not_begun()
            self._id = new_decision_id(self._memory.agent_id, self._memory.client_manager.clock())
            if around is not None:
                self._said["parent_decision_id"] = around.decision_id
        self._started = perf_counter()
        return self._step_in()

    def _step_in(self) -> Self:
        self._set_aside = False
        self._scope = Scope(self._memory, self)
        enter(self._scope)
        return self

    def _not_begun(self) -> None:
        if self._id is not None:
            raise InvalidInputError(
                f"this block has begun before, as {self._id}: a block is one decision. "
                "Call log.deciding(…) for each"
            )

    def _end(self, fault: BaseException | None) -> None:
        self._latency_ms = (perf_counter() - self._started) * 1000
        leave(self._scope)
        if fault is not None:
            self._failed(fault)
        self._ended = True

    def _conclude(self, fault: BaseException | None) -> None:
        """Write what is not written yet; a failure to do so never hides the block's own."""
        try:
            self.log()
        except Exception as failure:
            if isinstance(failure, StorageError):
                failure.decision_id = self.decision_id
            what = "the outcome of the decision" if self._written else "the decision"
            note = f"Daybook could not log {what} {self.decision_id}"
            if fault is not None:
                noted(fault, f"{note}: {failure}")
            elif self._warns:
                warned(note, failure)
            else:
                noted(failure, f"{note}; the block itself went well. d.log() tries again")
                raise

    def _write_decision(self) -> None:
        """Write the decision unless it is written; the caller holds the lock."""
        if self._written:
            return
        draft = self._final_draft()
        is_new, self._was_handed_in = not self._was_handed_in, True
        try:
            self._memory.record_decision(draft, is_new=is_new)
        except InvalidInputError:
            self._reopen()
            raise
        self._written = True


def checked_block(
    decision_type: DecisionType | str,
    *,
    options: Sequence[str] = (),
    scores: Mapping[str, float] | None = None,
    selected: Sequence[str] | str = (),
    confidence: float | None = None,
    outcome: When = "now",
    on_log_failure: Unlogged = "raise",
    **details: Unpack[BlockDetails],
) -> dict[str, Any]:
    """Return the parts of the decision that a block begins with, or raise InvalidInputError."""
    _one_of("outcome", outcome, ("now", "later"))
    _one_of("on_log_failure", on_log_failure, ("raise", "warn"))
    for name in details.keys() - BlockDetails.__annotations__.keys():
        raise InvalidInputError(
            f"a block takes no {name}: its id and its time are made as it begins",
            [(name, "is unknown here")],
        )
    said = {
        "decision_type": decision_type,
        "options": options,
        "scores": scores,
        "selected": selected,
        "confidence": confidence,
    }
    return checked_parts({**said, **details})


def _one_of(name: str, value: object, words: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in words:
        raise InvalidInputError(
            f"{name} is {value!r:.60}: use one of {', '.join(words)}", [(name, "is unknown")]
        )
