"""A claim as its holder sees it."""

from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from daybook.errors import ClaimExpiredError, StorageError
from daybook.models import AgentSignal, AgentState, ClaimedSignal

if TYPE_CHECKING:
    from daybook.signals.handle import SignalVerbs


class Claim:
    """A signal that is this worker's until `visible_until`.

    As a context manager it acknowledges the signal when the block ends well, and gives it back
    when the block raises. A block that took too long ends with ClaimExpiredError:

        for claim in memory.claim_signals():
            try:
                with claim as signal:
                    act_on(signal.payload)
            except ClaimExpiredError:
                continue
    """

    def __init__(self, handle: "SignalVerbs", claimed: ClaimedSignal) -> None:
        self.signal: AgentSignal = claimed.signal
        self.fence = claimed.fence
        self.attempt = claimed.attempt
        self.visible_until = claimed.visible_until
        self._handle = handle
        self._settled = False

    def __repr__(self) -> str:
        return f"<Claim {self.signal.signal_id} attempt {self.attempt}>"

    @overload
    def ack(self) -> None: ...

    @overload
    def ack(self, state: Mapping[str, Any], expected_version: int | None = None) -> AgentState: ...

    def ack(
        self, state: Mapping[str, Any] | None = None, expected_version: int | None = None
    ) -> AgentState | None:
        """Say that the signal has been dealt with. Saying it twice changes nothing.

        With `state`, the next version of the agent's state is written in the same transaction,
        as by `save_state`, and returned: what the signal does to the state then happens once,
        however often the signal is delivered. Raises ClaimExpiredError when the claim is no
        longer held, also because it has acknowledged before without this state, and
        StaleStateError when another version of the state stands; nothing is changed then, and
        after the latter the claim is still held.
        """
        written: AgentState | None = None
        if state is None:
            self._handle._ack(self.signal.signal_id, self.fence)
        else:
            written = self._handle._ack_with_state(
                self.signal.signal_id, self.fence, state, expected_version
            )
        self._settled = True
        return written

    def release(self, delay_seconds: int = 0, *, untried: bool = False) -> None:
        """Give the signal back, to be claimed again at once or after so many seconds.

        `untried` says that nobody has tried to deal with it: then it is no attempt. Raises
        ClaimExpiredError when the claim is no longer held.
        """
        self._handle._release(self.signal.signal_id, self.fence, delay_seconds, untried=untried)
        self._settled = True

    def extend(self, visibility_seconds: int) -> None:
        """Hold the signal for so many seconds from now.

        Raises ClaimExpiredError when the claim is no longer held.
        """
        self.visible_until = self._handle._extend(
            self.signal.signal_id, self.fence, visibility_seconds
        )

    def __enter__(self) -> AgentSignal:
        return self.signal

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._settled:
            return
        if kind is None:
            self.ack()
            return
        # what went wrong inside matters more; the signal comes back by itself
        with suppress(ClaimExpiredError, StorageError):
            self.release()
