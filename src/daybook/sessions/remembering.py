"""Remembering in a session, and reading it back: what was compacted first, then the rest."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from daybook.models.base import Record
from daybook.models.identity import DecisionId, microseconds, moment_of, uuid_at
from daybook.models.key_parts import checked_session_id
from daybook.models.sessions import SessionMemory
from daybook.sessions import session_items
from daybook.store import MEMORY, Store, session_keys
from daybook.store.requests import Update

TOUCHED_EVERY = timedelta(minutes=10)
"""How long a session that was touched is not touched again: a write less for each memory."""

_MOST_KNOWN = 10_000


@dataclass
class MemoryIds:
    """Makes ids of memories that sort in the order in which this process asked for them.

    A clock may give the same microsecond twice, and a UUIDv7 tells no less. Safe to use from
    several threads.
    """

    _last: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def next(self, now: datetime, random_bits: int) -> str:
        """Return an id later than all before."""
        with self._lock:
            self._last = max(microseconds(now), self._last + 1)
            return uuid_at(moment_of(self._last), random_bits)


@dataclass
class Touches:
    """Which sessions were touched lately by this process. Safe to use from several threads."""

    _at: dict[str, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def is_due(self, session_id: str, now: datetime) -> bool:
        """Whether a session was not touched lately."""
        with self._lock:
            touched = self._at.get(session_id)
        return touched is None or not timedelta() <= now - touched < TOUCHED_EVERY

    def note(self, session_id: str, now: datetime) -> None:
        """Note that a session was touched now."""
        with self._lock:
            if len(self._at) >= _MOST_KNOWN:
                self._at.clear()
            self._at[session_id] = now

    def forget(self, session_id: str) -> None:
        """Have a session touched again, whatever was noted."""
        with self._lock:
            self._at.pop(session_id, None)


class SessionContent(Record, title="the session's content"):
    """A session's memories in order; `decompressed_in` are seconds, None if nothing had to be."""

    memories: list[SessionMemory]
    decompressed_in: float | None = None


def remember(
    store: Store, agent_id: str, session_id: str, content: Any, memory_id: str, touches: Touches
) -> SessionMemory:
    """Write a memory of a session and return it.

    One request, two when the session was not touched in the last ten minutes; a closed session
    is opened again then. Repeating it with the same id changes nothing. Raises InvalidInputError
    for what is not JSON, and BodyTooLargeError over 350 KB without a bucket, or over 64 MB.
    """
    now = store.clock()
    # the moment inside the id, which is checked by taking it apart
    memory = SessionMemory.checked(
        session_id=session_id,
        memory_id=memory_id,
        content=content,
        made_at=DecisionId.parse(f"{memory_id}@{agent_id}").decided_at,
    )
    item = session_items.memory_item(store, agent_id, memory)
    if touches.is_due(session_id, now):
        # before the memory: a session without memories does no harm, and one that no list
        # names would never be compacted
        touch(store, agent_id, session_id, now)
        touches.note(session_id, now)
    store.put(MEMORY, item)
    return memory


def touch(store: Store, agent_id: str, session_id: str, now: datetime) -> None:
    """Note in a session's head that it is in use. One request."""
    values = {session_items.TOUCHED: microseconds(now), **store.expiry(now)}
    store.change(
        Update(
            table=MEMORY,
            key=session_keys.session(agent_id, session_id),
            values=values,
            removes=(session_items.CLOSED,),
        )
    )


def read(store: Store, agent_id: str, session_id: str) -> SessionContent:
    """Return all memories of a session: those that were compacted, then the others, in order.

    Two requests, one more for each megabyte that is not compacted and for each body in S3. A
    session that is not there has none. Memories that one process made are in its order; of
    several processes, as far as their clocks agree.
    """
    checked_session_id(session_id)
    # in this order: what is removed between the two reads was compacted before
    items = session_items.read_all(store, agent_id, session_id)
    done = session_items.read_compacted(store, agent_id, session_id)
    known = {uuid for uuid, _ in done.entries}
    rest = [
        session_items.read_entry(store, item)
        for item in items
        if session_items.memory_id_of(item) not in known
    ]
    entries: Sequence[session_items.Entry] = [*done.entries, *rest]
    return SessionContent.model_construct(
        memories=[
            # as it was checked when it was written
            SessionMemory.model_construct(
                session_id=session_id,
                memory_id=uuid,
                content=content,
                made_at=DecisionId(uuid, agent_id).decided_at,
            )
            for uuid, content in entries
        ],
        decompressed_in=done.decoded_in,
    )
