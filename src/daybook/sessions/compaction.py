"""Compaction: a session's memories become one compressed item, and the originals go.

First the item, under a condition on what stood there; then the originals are removed. So each
memory is in at least one place at every moment, and a reader, who takes what is in both for one,
finds it once. Whoever comes after a crash removes what was left.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import Field
from pydantic_core import to_json

from daybook.errors import DaybookError, SessionBusyError
from daybook.models.base import Record
from daybook.models.identity import aware, microseconds
from daybook.models.key_parts import checked_session_id
from daybook.models.sessions import SessionHead, SessionMetrics
from daybook.sessions import session_items
from daybook.sessions.closing import list_sessions
from daybook.sessions.remembering import TOUCHED_EVERY
from daybook.sessions.session_items import Compacted, Entry
from daybook.store import MEMORY, Store, session_keys
from daybook.store.attributes import Item
from daybook.store.expressions import equals
from daybook.store.requests import Update

TRIES = 5
"""How often compaction starts anew when another one of the same session is in its way."""

IDLE = timedelta(days=1)
"""A session in which nothing was remembered for so long is compacted as a closed one is."""


def compact(
    store: Store, agent_id: str, session_id: str, token: str, namespace: str = "default"
) -> SessionMetrics:
    """Put all memories of a session into one compressed item, and remove the originals.

    Requests: reading the session, one write, one for every 25 memories; none of the writes when
    there is nothing new. `token` is a text that no other compaction has. Memories that others
    write meanwhile stay as they are, and the next compaction takes them in. Raises
    SessionBusyError when others keep compacting it, and BodyTooLargeError, with nothing changed,
    for over 350 KB without a bucket, or over 64 MB of JSON.
    """
    checked_session_id(session_id)
    began = time.perf_counter()
    for attempt in store.backoff.attempts(TRIES):
        items = session_items.read_all(store, agent_id, session_id)
        before = session_items.read_compacted(store, agent_id, session_id)
        known = {uuid for uuid, _ in before.entries}
        fresh = [
            session_items.read_entry(store, item)
            for item in items
            if session_items.memory_id_of(item) not in known
        ]
        made = _joined(before, fresh, f"{token}-{attempt}")
        stored: int | None = before.stored_bytes
        if fresh:
            stored = _write(store, agent_id, session_id, made, before)
        if stored is None:
            continue
        # what is here by now is in the item
        store.delete_all(MEMORY, [_key(item) for item in items])
        return SessionMetrics.checked(
            session_id=session_id,
            namespace=namespace,
            original_bytes=made.original_bytes,
            compressed_bytes=stored,
            compression_ratio=ratio(made.original_bytes, stored),
            memories=len(made.entries),
            compacted=len(fresh),
            bytes_saved=(made.original_bytes - stored)
            - (before.original_bytes - before.stored_bytes),
            duration=time.perf_counter() - began,
        )
    raise SessionBusyError(
        f"the session {session_id!r:.80} was compacted by others {TRIES} times in a row: nothing "
        "is lost; try again"
    )


def ratio(original: int, compressed: int) -> float:
    """Return 1 - compressed / original; 0 of nothing."""
    return 1 - compressed / original if original else 0.0


class SettlingReport(Record, title="the report"):
    """What `compact_closed` did: the sessions it dealt with, and why some could not be."""

    settled: list[SessionMetrics] = Field(default_factory=list)
    failed: dict[str, str] = Field(default_factory=dict)


def compact_closed(
    store: Store,
    agent_id: str,
    token: str,
    now: datetime | None = None,
    *,
    idle: timedelta = IDLE,
    namespace: str = "default",
    limit: int = 1000,
) -> SettlingReport:
    """Compact the sessions of an agent that are closed, or in which nothing happened for `idle`.

    For a schedule: it can be repeated, and run twice at once. At most `limit` sessions; those
    that it has dealt with are not looked at again until something is remembered in them. One that
    cannot be compacted does not hold up the others: it is named in the report, and tried again.
    """
    moment = store.clock() if now is None else aware(now, "now")
    report = SettlingReport()
    for head in list_sessions(store, agent_id):
        if not _is_due(head, moment, idle):
            continue
        if len(report.settled) + len(report.failed) >= limit:
            break
        try:
            report.settled.append(compact(store, agent_id, head.session_id, token, namespace))
            _settle(store, agent_id, head, moment)
        except DaybookError as fault:
            report.failed[head.session_id] = f"{type(fault).__name__}: {fault}"
    return report


def _is_due(head: SessionHead, now: datetime, idle: timedelta) -> bool:
    is_over = head.closed_at is not None or head.touched_at + idle <= now
    # something may have been remembered for a while without a touch
    last = max(head.touched_at + TOUCHED_EVERY, head.closed_at or head.touched_at)
    return is_over and (head.settled_at is None or head.settled_at < last)


def _settle(store: Store, agent_id: str, head: SessionHead, now: datetime) -> None:
    """Note that a session was dealt with, unless it was touched meanwhile."""
    touched = equals(session_items.TOUCHED, microseconds(head.touched_at))
    key = session_keys.session(agent_id, head.session_id)
    settled: Item = {session_items.SETTLED: microseconds(now)}
    store.change(Update(table=MEMORY, key=key, values=settled, condition=touched))


def _joined(before: Compacted, fresh: Sequence[Entry], token: str) -> Compacted:
    added = sum(len(to_json(content)) for _, content in fresh)
    return Compacted(
        revision=before.revision + 1,
        token=token,
        original_bytes=before.original_bytes + added,
        entries=[*before.entries, *fresh],
    )


def _write(
    store: Store, agent_id: str, session_id: str, made: Compacted, before: Compacted
) -> int | None:
    """Write what is compacted in place of what was; return its bytes, or None if that changed."""
    item = session_items.compacted_item(store, agent_id, session_id, made)
    if before.revision:
        standing = store.replace(MEMORY, item, equals(session_items.REVISION, before.revision))
    else:
        standing = store.insert(MEMORY, item)
    # ours, by a try whose answer was lost
    if standing is None or standing.get(session_items.TOKEN) == made.token:
        return int(item[session_items.STORED])
    return None


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}
