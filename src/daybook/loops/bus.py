"""The bus: messages between the loops of one process, through bounded inboxes.

One lock guards all of it, so that at any moment, exactly, what was sent is what was received,
what was dropped and what waits.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic_core import from_json

from daybook.errors import InvalidInputError, UnknownTargetError
from daybook.models.collaboration import CollaborationGraph, Exchange
from daybook.models.json_values import JsonValue, written_json
from daybook.models.loops import Messages
from daybook.models.signals import LARGEST_PAYLOAD

MOST_WAITING_BYTES = 16 * 1024 * 1024
"""JSON that waits for one loop, however few the messages are."""

_log = logging.getLogger("daybook")


@dataclass(frozen=True)
class Message:
    """What a loop was told. `sender` is the loop's name; None: the message came from outside."""

    sender: str | None
    payload: JsonValue


@dataclass
class _Counts:
    """Messages of a loop: see `Messages`."""

    sent: int = 0
    received: int = 0
    dropped: int = 0


@dataclass
class _Inbox:
    """What waits for a loop, as JSON, so that nobody shares an object with its sender."""

    capacity: int
    counts: _Counts = field(default_factory=_Counts)
    waiting: deque[tuple[str | None, bytes]] = field(default_factory=deque)
    waiting_bytes: int = 0
    is_overrun: bool = False

    def is_over(self) -> bool:
        """Whether more waits than may."""
        return len(self.waiting) > self.capacity or self.waiting_bytes > MOST_WAITING_BYTES


class Bus:
    """Inboxes by name. Nobody waits at it: a full inbox drops its oldest message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inboxes: dict[str, _Inbox] = {}
        self._gone = _Counts()
        """Messages that no inbox knows of: of senders outside, and of loops that have left."""
        self._edges: dict[tuple[str, str], list[int]] = {}
        """From sender to target: how many messages were sent, and how many acted on."""

    def join(self, name: str, capacity: int) -> None:
        """Give somebody an inbox. Whoever has one by that name must not join."""
        with self._lock:
            self._inboxes[name] = _Inbox(capacity)

    def leave(self, name: str) -> None:
        """Take somebody's inbox away: what waits in it is dropped, and its exchanges forgotten."""
        with self._lock:
            inbox = self._inboxes.pop(name)
            self._gone.sent += inbox.counts.sent
            self._gone.received += inbox.counts.received
            self._gone.dropped += inbox.counts.dropped + len(inbox.waiting)
            self._edges = {pair: each for pair, each in self._edges.items() if name not in pair}

    def post(self, sender: str | None, target: str, payload: JsonValue) -> bool:
        """Send a message; False if the oldest in a full inbox were dropped for it.

        Raises UnknownTargetError for nobody's name, and InvalidInputError for what is not JSON
        or over 256 KB of it.
        """
        written = _checked_payload(payload)
        with self._lock:
            inbox = self._inboxes.get(target) if isinstance(target, str) else None
            if inbox is None:
                raise UnknownTargetError(
                    f"no loop here has the name {target!r:.140}, so nothing was sent: post to the "
                    "name of a loop of the same supervisor",
                    [("target", "is no loop of this supervisor")],
                )
            overrun = self._put(sender, target, inbox, written)
        _tell_overrun([target] if overrun else [])
        return overrun is None

    def post_to_all(self, sender: str | None, payload: JsonValue) -> int:
        """Send a message to everybody but its sender; return to how many.

        Raises InvalidInputError as `post` does.
        """
        written = _checked_payload(payload)
        with self._lock:
            others = [each for each in self._inboxes.items() if each[0] != sender]
            overrun = [name for name, inbox in others if self._put(sender, name, inbox, written)]
        _tell_overrun(overrun)
        return len(others)

    def receive(self, name: str) -> tuple[Message, ...]:
        """Return what has come for somebody since the last time, the oldest first."""
        with self._lock:
            inbox = self._inboxes[name]
            letters = list(inbox.waiting)
            inbox.waiting.clear()
            inbox.waiting_bytes = 0
            inbox.counts.received += len(letters)
            inbox.is_overrun = False
        return tuple(Message(sender, from_json(written)) for sender, written in letters)

    def note_acted_on(self, name: str, messages: Sequence[Message]) -> None:
        """Note that somebody has acted on what it received."""
        with self._lock:
            for message in messages:
                edge = self._edges.get((message.sender or "", name))
                if edge is not None:
                    edge[1] += 1

    def counts(self) -> tuple[Messages, dict[str, Messages]]:
        """Return the messages of all, and by name, at one moment."""
        with self._lock:
            by_name = {
                name: Messages(
                    sent=inbox.counts.sent,
                    received=inbox.counts.received,
                    dropped=inbox.counts.dropped,
                    waiting=len(inbox.waiting),
                )
                for name, inbox in self._inboxes.items()
            }
            gone = self._gone.sent, self._gone.received, self._gone.dropped
        each = by_name.values()
        total = Messages(
            sent=gone[0] + sum(one.sent for one in each),
            received=gone[1] + sum(one.received for one in each),
            dropped=gone[2] + sum(one.dropped for one in each),
            waiting=sum(one.waiting for one in each),
        )
        return total, by_name

    def graph(self) -> CollaborationGraph:
        """Return who has told whom how often, of those who are there."""
        with self._lock:
            agents = sorted(self._inboxes)
            edges = [(pair, tuple(edge)) for pair, edge in sorted(self._edges.items())]
        return CollaborationGraph(
            agents=agents,
            exchanges=[
                Exchange(sender=sender, target=target, sent=sent, acted_on=acted_on)
                for (sender, target), (sent, acted_on) in edges
            ],
        )

    def _put(self, sender: str | None, target: str, inbox: _Inbox, written: bytes) -> bool | None:
        """Put a message into an inbox.

        Returns None if there was room, or else whether that is news: it is full for the first
        time since it was emptied.
        """
        own = self._inboxes.get(sender) if sender is not None else None
        (own.counts if own else self._gone).sent += 1
        if sender is not None and own and sender != target:
            self._edges.setdefault((sender, target), [0, 0])[0] += 1
        inbox.waiting.append((sender, written))
        inbox.waiting_bytes += len(written)
        if not inbox.is_over():
            return None
        while inbox.is_over():
            # the oldest: what is newer says more of how things are, and often says it again
            inbox.waiting_bytes -= len(inbox.waiting.popleft()[1])
            inbox.counts.dropped += 1
        is_news, inbox.is_overrun = not inbox.is_overrun, True
        return is_news


def _checked_payload(payload: JsonValue) -> bytes:
    written = written_json(payload, "the message")
    if len(written) > LARGEST_PAYLOAD:
        raise InvalidInputError(
            f"the message is {len(written):,} bytes of JSON, and the limit is "
            f"{LARGEST_PAYLOAD:,}: put it where the others can read it, and send its address"
        )
    return written


def _tell_overrun(names: Sequence[str]) -> None:
    for name in names:
        _log.warning("the inbox of the loop %s is full: its oldest messages are dropped", name)
