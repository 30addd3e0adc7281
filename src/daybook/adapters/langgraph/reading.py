"""Checkpoints read: one, or the newest first."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from daybook.adapters.langgraph.checkpoints import CHILD, NAMESPACE, Attachments, tuple_of
from daybook.adapters.langgraph.positions import Position
from daybook.adapters.langgraph.threads import Threads
from daybook.errors import BodyCorruptError
from daybook.store import STATE, thread_keys
from daybook.store.attributes import Item
from daybook.store.expressions import Condition, begins_with, between, equals

CHUNK = 50
"""Checkpoints read at a time when nobody says how many are wanted."""

THREAD = "thread"
_AFTER_ALL = "~"  # sorts after whatever begins a part of a key
_TRIES = 3


def find(threads: Threads, position: Position) -> CheckpointTuple | None:
    """Return the checkpoint at `position`, with what tasks have written to it. Two requests.

    None when there is none. A fenced reader of the latest goes on to the checkpoint that
    follows the one with the largest id, if a machine whose clock is behind has made one.
    """
    for _ in range(_TRIES):
        item = _item(threads, position)
        if item is None:
            return None
        own = thread_keys.checkpoint_id_of(str(item["sk"]))
        prefix = thread_keys.beside(position.ns, own)
        attached = Attachments.of(_under(threads, position, begins_with("sk", prefix)))
        child = attached.children.get(prefix)
        if threads.fenced and position.checkpoint_id is None and child is not None:
            followed = _follow(threads, position, child)
            if followed is not None:
                return followed
            attached.children.clear()
        found = tuple_of(threads, position, item, attached)
        if found is not None:
            return found
    raise BodyCorruptError(
        f"a checkpoint of the thread {position.thread!r:.80} lacks a part of its body: put it "
        "again, or continue from an earlier one"
    )


def _item(threads: Threads, position: Position) -> Item | None:
    partition = threads.partition(position.thread)
    if position.checkpoint_id is not None:
        key = thread_keys.checkpoint(partition, position.ns, position.checkpoint_id)
        return threads.store.get(STATE, key)
    condition = equals("pk", partition) & begins_with("sk", thread_keys.checkpoints(position.ns))
    newest = threads.store.query(STATE, condition, newest_first=True, consistent=True, page_size=1)
    return next(newest, None)


def _follow(threads: Threads, position: Position, child: str) -> CheckpointTuple | None:
    """Return the last of the checkpoints that follow each other from `child` on."""
    partition = threads.partition(position.thread)
    last: str | None = None
    seen: set[str] = set()
    while child not in seen:
        seen.add(child)
        if threads.store.get(STATE, thread_keys.checkpoint(partition, position.ns, child)) is None:
            break
        last = child
        following = threads.store.get(
            STATE, thread_keys.next_checkpoint(partition, position.ns, child)
        )
        if following is None:
            break
        child = str(following[CHILD])
    return None if last is None else find(threads, position.at(position.ns, last))


def newest_first(
    threads: Threads,
    position: Position | None,
    *,
    matching: Mapping[str, Any] | None = None,
    before: str | None = None,
    limit: int | None = None,
) -> Iterator[CheckpointTuple]:
    """Iterate the checkpoints of a namespace, a thread, or (None) of all threads of the agent.

    `matching` names what the metadata must equal. `before` is an id. Two requests for a
    namespace or a thread of up to 1 MB; for all threads one more, and two for each.
    """
    if limit is not None and limit <= 0:
        return iter(())
    if position is None:
        iterators = [
            _of_thread(threads, Position(thread, None), matching, before, limit)
            for thread in all_threads(threads)
        ]
        found: Iterator[CheckpointTuple] = merge(
            *iterators, key=lambda one: one.checkpoint["id"], reverse=True
        )
    elif position.checkpoint_id is not None:
        found = _one(threads, position, matching, before)
    else:
        found = _of_thread(threads, position, matching, before, limit)
    return islice(found, limit)


def all_threads(threads: Threads) -> list[str]:
    """Return the threads of the agent. One request for thousands."""
    listed = equals("pk", thread_keys.thread_list(threads.agent_id))
    condition = listed & begins_with("sk", thread_keys.listed_threads())
    return [str(item[THREAD]) for item in threads.store.query(STATE, condition, consistent=True)]


def _one(
    threads: Threads, position: Position, matching: Mapping[str, Any] | None, before: str | None
) -> Iterator[CheckpointTuple]:
    if before is not None and str(position.checkpoint_id) >= before:
        return
    if position.namespace is None:
        every = _of_thread(threads, Position(position.thread, None), matching, before, None)
        yield from (one for one in every if one.checkpoint["id"] == position.checkpoint_id)
        return
    found = find(threads, position)
    if found is not None and _matches(found, matching):
        yield found


def _of_thread(
    threads: Threads,
    position: Position,
    matching: Mapping[str, Any] | None,
    before: str | None,
    limit: int | None,
) -> Iterator[CheckpointTuple]:
    if position.namespace is None:
        yield from _of_all_namespaces(threads, position, matching, before)
        return
    wanted = CHUNK if limit is None or matching else min(limit, CHUNK)
    start = thread_keys.checkpoints(position.ns)
    # a range includes its end, which is taken out again below
    range_ = begins_with("sk", start) if before is None else between("sk", start, start + before)
    items = threads.store.query(
        STATE,
        equals("pk", threads.partition(position.thread)) & range_,
        newest_first=True,
        consistent=True,
        page_size=None if limit is None and not matching else wanted,
    )
    earlier = (item for item in items if before is None or _id(item) < before)
    while chunk := list(islice(earlier, wanted)):
        oldest, newest = _id(chunk[-1]), _id(chunk[0])
        first = thread_keys.beside(position.ns, oldest)
        last = f"{thread_keys.beside(position.ns, newest)}{_AFTER_ALL}"
        attached = Attachments.of(_under(threads, position, between("sk", first, last)))
        yield from _tuples(threads, position, chunk, attached, matching)


def _of_all_namespaces(
    threads: Threads, position: Position, matching: Mapping[str, Any] | None, before: str | None
) -> Iterator[CheckpointTuple]:
    items = [
        item
        for item in _under(threads, position, begins_with("sk", thread_keys.checkpoints()))
        if before is None or _id(item) < before
    ]
    if items:
        items.sort(key=_id, reverse=True)
        attached = Attachments.of(
            _under(threads, position, begins_with("sk", thread_keys.all_beside()))
        )
        yield from _tuples(threads, position, items, attached, matching)


def _tuples(
    threads: Threads,
    position: Position,
    items: Sequence[Item],
    attached: Attachments,
    matching: Mapping[str, Any] | None,
) -> Iterator[CheckpointTuple]:
    for item in items:
        found = tuple_of(threads, position, item, attached)
        if found is None:
            # written or deleted between the two requests: look at it alone
            found = find(threads, position.at(str(item[NAMESPACE]), _id(item)))
        if found is not None and _matches(found, matching):
            yield found


def _matches(found: CheckpointTuple, matching: Mapping[str, Any] | None) -> bool:
    metadata: Mapping[str, Any] = found.metadata
    return all(metadata.get(name) == value for name, value in (matching or {}).items())


def _under(threads: Threads, position: Position, range_: Condition) -> Iterator[Item]:
    condition = equals("pk", threads.partition(position.thread)) & range_
    return threads.store.query(STATE, condition, consistent=True)


def _id(item: Item) -> str:
    return thread_keys.checkpoint_id_of(str(item["sk"]))
