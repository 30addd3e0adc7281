"""The signal verbs of an agent's handle: thin, over the functions of this room."""

import math
import random
import secrets
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from daybook.doors import Handle, verb
from daybook.errors import InvalidInputError, StorageError
from daybook.models import AgentCard, AgentSignal, AgentState, ClaimedSignal, SignalReport
from daybook.models.enums import SignalPriority, SignalType
from daybook.models.signal_ids import SignalId
from daybook.models.signals import SignalDraft
from daybook.signals import inbox, publishing, registry, settling, status
from daybook.signals.claims import Claim
from daybook.signals.listening import Patience, listen
from daybook.signals.registry import Directory


class SignalVerbs(Handle):
    """What an agent does with signals, and with the registry of who is there."""

    signals_routed: bool = False
    """Whether a deployed router delivers what is published."""

    @cached_property
    def _directory(self) -> Directory:
        return Directory()

    def publish_signal(
        self,
        signal_type: SignalType | str,
        payload: Mapping[str, Any] | None = None,
        targets: Sequence[str] | None = None,
        priority: SignalPriority | int = SignalPriority.NORMAL,
        topic: str | None = None,
        dedupe_id: str | None = None,
    ) -> str:
        """Tell something to named agents, to a topic's subscribers, or, with neither, to all.

        Returns the signal's id, also when a topic has no subscribers. With a `dedupe_id` it can
        be published again, after a failure say, and is still one signal. Raises
        UnknownTargetError when a target is not registered, SignalConflictError when another
        signal stands under the `dedupe_id`, and SignalTooLargeError over 256 KB of payload.
        """
        signal_id: str | None = None
        if self.api is not None and dedupe_id is None:
            # so that a request whose answer is lost can be sent again
            signal_id = str(SignalId.make(self.agent_id, self.clock(), None))
        draft = SignalDraft.checked(
            signal_type=signal_type,
            payload={} if payload is None else payload,
            targets=targets,
            priority=priority,
            topic=topic,
            dedupe_id=dedupe_id,
            signal_id=signal_id,
        )
        try:
            return self._publish(draft)
        except StorageError as fault:
            if self.api is not None:
                made = SignalId.make(self.agent_id, self.clock(), dedupe_id)
                fault.signal_id = signal_id or str(made)
            raise

    @verb("GET", "/signals", lists="signals")
    def pending_signals(self, limit: int = 50) -> list[AgentSignal]:
        """Return what waits for this agent, the most urgent first, then the oldest.

        Claims nothing, and is no count: after 3 MB of JSON the rest is left out, until those
        in front are claimed. Two requests. Raises InvalidInputError for a limit that is none.
        """
        return inbox.list_pending(self.store, self.agent_id, limit)

    def claim_signals(self, limit: int = 10, visibility_seconds: int = 60) -> list[Claim]:
        """Claim signals of this agent's inbox, in the order in which they are due.

        Nobody else is given them for so many seconds; a signal that is not acknowledged by then
        can be claimed again. After 3 MB of JSON it stops, so fewer than `limit` need not be all:
        claim again until none come. One request, and one for each signal. Raises
        InvalidInputError for a limit or a time out of range, and StorageError when AWS fails
        before anything is claimed; when it fails later, the answer is what is claimed by then.
        """
        # the token, so that a request whose answer is lost can be sent again
        claimed = self._claim(limit, visibility_seconds, secrets.token_hex(6))
        return [Claim(self, each) for each in claimed]

    @verb("GET", "/signals/{signal_id}")
    def signal_status(self, signal_id: str) -> SignalReport:
        """Return how far each target has got with a signal. Raises SignalNotFoundError."""
        return status.report_status(self.store, signal_id, self._reader)

    def listen(
        self,
        visibility_seconds: int = 60,
        batch: int = 10,
        idle_min: float = 0.2,
        idle_max: float = 20.0,
        stop: threading.Event | None = None,
        timeout: float | None = None,
        *,
        sleep: Callable[[float], object] | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> Iterator[Claim]:
        """Iterate claims as signals come, until `stop` is set or `timeout` seconds have passed.

        While nothing comes it asks ever less often, from `idle_min` to `idle_max` seconds. What
        was claimed ahead and not handed out when it ends is given back.
        """
        inbox.checked_count("batch", batch, inbox.MOST_AT_ONCE)
        inbox.checked_count("visibility_seconds", visibility_seconds, inbox.LONGEST_VISIBILITY)
        ends = timer() + _checked_timeout(timeout)
        wait = sleep or (stop.wait if stop is not None else time.sleep)
        patience = Patience(
            idle_min=idle_min, idle_max=idle_max, sleep=wait, draw=random.random, timer=timer
        )
        return listen(
            lambda limit: self.claim_signals(limit, visibility_seconds),
            visibility_seconds=visibility_seconds,
            batch=batch,
            patience=patience,
            is_over=lambda: (stop is not None and stop.is_set()) or timer() >= ends,
            remaining=lambda: max(0.0, ends - timer()),
        )

    @verb("PUT", "/registration")
    def register(self, capabilities: Sequence[str] = (), topics: Sequence[str] = ()) -> AgentCard:
        """Enter this agent into the registry, or replace what it says of itself there.

        Raises InvalidInputError.
        """
        card = registry.register(self.store, self.agent_id, capabilities, topics)
        self._directory.forget()
        return card

    @verb("POST", "/registration/heartbeat")
    def heartbeat(self) -> AgentCard:
        """Note that this agent is alive. One request. Raises AgentNotRegisteredError."""
        return registry.heartbeat(self.store, self.agent_id)

    @verb("DELETE", "/registration")
    def unregister(self) -> None:
        """Take this agent out of the registry. What is delivered stays till it expires."""
        registry.unregister(self.store, self.agent_id)
        self._directory.forget()

    @verb("GET", "/agents", lists="agents")
    def agents(self, alive_within: timedelta | float | None = None) -> list[AgentCard]:
        """Return the registered agents, or those heard of within a timedelta or seconds.

        Raises InvalidInputError.
        """
        return registry.list_agents(self.store, alive_within)

    @verb("POST", "/signals", creates=True)
    def _publish(self, draft: SignalDraft) -> str:
        signal = publishing.publish_draft(
            self.store,
            self.agent_id,
            draft,
            routed=self.signals_routed,
            directory=self._directory,
        )
        return signal.signal_id

    @verb("POST", "/signals/claim", lists="claims")
    def _claim(
        self, limit: int, visibility_seconds: int, token: inbox.ClaimToken | None = None
    ) -> list[ClaimedSignal]:
        return inbox.claim(self.store, self.agent_id, limit, visibility_seconds, token)

    @verb("POST", "/signals/{signal_id}/ack")
    def _ack(self, signal_id: str, fence: int) -> None:
        settling.acknowledge(self.store, self.agent_id, signal_id, fence)

    @abstractmethod
    def _ack_with_state(
        self, signal_id: str, fence: int, state: Mapping[str, Any], expected_version: int | None
    ) -> AgentState:
        """Acknowledge, and write the agent's state in the same transaction."""

    @verb("POST", "/signals/{signal_id}/release")
    def _release(
        self, signal_id: str, fence: int, delay_seconds: int = 0, *, untried: bool = False
    ) -> None:
        settling.release(
            self.store, self.agent_id, signal_id, fence, delay_seconds, untried=untried
        )

    @verb("POST", "/signals/{signal_id}/extend")
    def _extend(self, signal_id: str, fence: int, visibility_seconds: int) -> datetime:
        return settling.extend(self.store, self.agent_id, signal_id, fence, visibility_seconds)


def _checked_timeout(timeout: float | None) -> float:
    if timeout is None:
        return math.inf
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
        raise InvalidInputError(f"timeout is {timeout!r:.60}: use seconds, or None for ever")
    return float(timeout)
