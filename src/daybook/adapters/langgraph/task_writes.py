"""What tasks have written to a checkpoint and no later checkpoint holds yet.

All that a task wrote lies in one item, so that a call is one request. LangGraph's special
writes (an error, an interrupt, …) replace what was there, so each has an item of its own; of the
ordinary ones the first of each index stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import WRITES_IDX_MAP, PendingWrite

from daybook.adapters.langgraph import bodies, frames
from daybook.adapters.langgraph.names import checked_name
from daybook.adapters.langgraph.positions import Position
from daybook.adapters.langgraph.threads import Threads
from daybook.errors import InvalidInputError, ThrottledError
from daybook.store import STATE, thread_keys
from daybook.store.attributes import Item
from daybook.store.expressions import absent, equals
from daybook.store.requests import Put

TASK = "task"
PATH = "path"
REVISION = "rev"

TRIES = 8
"""How often writes are merged anew when others keep adding to those of the same task."""


@dataclass(frozen=True)
class Entry:
    """One write: its index (below 0: special), its channel and its value, serialized."""

    index: int
    channel: str
    kind: str
    blob: bytes


@dataclass(frozen=True)
class Task:
    """A task that writes to a checkpoint; `prefix` is that of what lies beside the checkpoint."""

    partition: str
    prefix: str
    name: str
    path: str

    def part_key(self, digest: str, number: int) -> Item:
        """Return the key of a part of a body that is too large for one item."""
        return thread_keys.body_part(self.partition, self.prefix, digest, number)

    def key(self, special: int = 0) -> Item:
        """Return the key of what the task wrote."""
        return thread_keys.task_writes(self.partition, self.prefix, self.name, special)


def put_writes(
    threads: Threads,
    position: Position,
    writes: Sequence[tuple[str, Any]],
    task_id: str,
    task_path: str,
) -> None:
    """Add what a task has written to the checkpoint at `position`.

    One request; up to two more when the task has written there before. Raises
    InvalidInputError, or BodyTooLargeError.
    """
    if position.checkpoint_id is None:
        raise InvalidInputError(
            'the config names no checkpoint that the writes belong to: add "checkpoint_id"'
        )
    partition = threads.partition(position.thread)
    prefix = thread_keys.beside(position.ns, position.checkpoint_id)
    name, path = checked_name(task_id, "task_id"), checked_name(task_path, "task_path")
    task = Task(partition, prefix, name, path)
    entries = [
        Entry(
            WRITES_IDX_MAP.get(channel, index),
            channel,
            *threads.dumped(value, "what a task wrote"),
        )
        for index, (channel, value) in enumerate(writes)
    ]
    specials = {entry.index: entry for entry in entries if entry.index < 0}
    ordinary = [entry for entry in entries if entry.index >= 0]
    blind = [
        item
        for index, entry in specials.items()
        for item in _items(threads, task, task.key(index), [entry], revision=0)
    ]
    if not ordinary:
        _put(threads, blind)
    else:
        _add(threads, task, ordinary, blind)


def pending(
    threads: Threads,
    partition: str,
    prefix: str,
    items: Iterable[Item],
    parts: Mapping[str, Item],
) -> list[PendingWrite] | None:
    """Return the writes of a checkpoint in the order in which a run would apply them.

    None when a part of a body is missing: it has just been deleted.
    """
    found: list[tuple[tuple[str, str, int], PendingWrite]] = []
    for item in items:
        task = Task(partition, prefix, str(item[TASK]), str(item[PATH]))
        entries = _entries(threads, task, item, parts)
        if entries is None:
            return None
        for entry in entries:
            value = threads.serde.loads_typed((entry.kind, entry.blob))
            order = (task.path, task.name, entry.index)
            found.append((order, (task.name, entry.channel, value)))
    return [write for _, write in sorted(found, key=lambda ordered: ordered[0])]


def _add(threads: Threads, task: Task, entries: Sequence[Entry], blind: Sequence[Item]) -> None:
    items = _items(threads, task, task.key(), entries, revision=1)
    standing: Item | None
    if len(items) == 1 and not blind:
        standing = threads.store.insert(STATE, items[0])
        if standing is None:
            return
    else:
        first = Put(table=STATE, item=items[0], condition=absent("pk"))
        others = [Put(table=STATE, item=item) for item in (*items[1:], *blind)]
        if threads.store.transact([first, *others]):
            return
        _put(threads, blind)
        standing = threads.store.get(STATE, task.key())
    _merge(threads, task, entries, standing)


def _merge(threads: Threads, task: Task, entries: Sequence[Entry], standing: Item | None) -> None:
    for _ in threads.store.backoff.attempts(TRIES):
        before = [] if standing is None else _standing_entries(threads, task, standing)
        known = {entry.index for entry in before}
        new = [entry for entry in entries if entry.index not in known]
        if not new:
            return
        revision = 0 if standing is None else int(standing[REVISION])
        items = _items(threads, task, task.key(), [*before, *new], revision=revision + 1)
        if standing is None:
            _put(threads, items)  # what was there has expired
            return
        condition = equals(REVISION, revision)
        if len(items) == 1:
            standing = threads.store.replace(STATE, items[0], condition)
            if standing is None:
                return
        else:
            puts = [Put(table=STATE, item=item) for item in items[1:]]
            first = Put(table=STATE, item=items[0], condition=condition)
            if threads.store.transact([first, *puts]):
                return
            standing = threads.store.get(STATE, task.key())
        standing = standing or None
    raise ThrottledError(
        f"others kept adding to the writes of the task {task.name!r:.80} {TRIES} times: try again"
    )


def _standing_entries(threads: Threads, task: Task, standing: Item) -> list[Entry]:
    number = int(standing.get(bodies.PARTS, 0))
    keys = [task.part_key(str(standing[bodies.DIGEST]), part) for part in range(number)]
    parts = {str(item["sk"]): item for item in threads.store.fetch(STATE, keys)} if keys else {}
    return _entries(threads, task, standing, parts) or []


def _items(
    threads: Threads, task: Task, key: Item, entries: Sequence[Entry], *, revision: int
) -> list[Item]:
    notes = [[entry.index, entry.channel, entry.kind] for entry in entries]
    body = frames.join(notes, [entry.blob for entry in entries])
    item = key | {TASK: task.name, PATH: task.path, REVISION: revision}
    expiry = threads.expiry()
    packed = bodies.pack(threads.store, threads.folder, item | expiry, body, task.part_key)
    return [packed[0], *(part | expiry for part in packed[1:])]


def _entries(
    threads: Threads, task: Task, item: Item, parts: Mapping[str, Item]
) -> list[Entry] | None:
    body = bodies.unpack(threads.store, item, parts, task.part_key)
    if body is None:
        return None
    notes, blobs = frames.split(body)
    return [
        Entry(int(index), str(channel), str(kind), blob)
        for (index, channel, kind), blob in zip(notes, blobs, strict=True)
    ]


def _put(threads: Threads, items: Sequence[Item]) -> None:
    if len(items) == 1:
        threads.store.put(STATE, items[0])
    elif items:
        threads.store.transact([Put(table=STATE, item=item) for item in items])
