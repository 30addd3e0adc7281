"""Checkpoints read: one, or the newest first."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from daybook.adapters.langgraph.checkpoints import NAMESPACE, Beside, tuple_of
from daybook.adapters.langgraph.places import Place
from daybook.adapters.langgraph.shelf import Shelf
from daybook.errors import BodyCorruptError
from daybook.store import STATE, thread_keys
from daybook.store.attributes import Item
from daybook.store.expressions import Condition, begins_with, between, equals

CHUNK = 50
"""Checkpoints read at a time when nobody says how many are wanted."""

THREAD = "thread"
_AFTER_ALL = "~"  # sorts after whatever begins a part of a key
_TRIES = 3


def find(shelf: Shelf, place: Place) -> CheckpointTuple | None:
    """Return the checkpoint at `place`, with what tasks have written to it. Two requests.

    None when there is none. A fenced reader of the latest goes on to the checkpoint that
    follows the one with the largest id, if a machine whose clock is behind has made one.
    """
    for _ in range(_TRIES):
        item = _item(shelf, place)
        if item is None:
            return None
        own = thread_keys.checkpoint_id_of(str(item["sk"]))
        prefix = thread_keys.beside(place.ns, own)
        beside = Beside.of(_under(shelf, place, begins_with("sk", prefix)))
        child = beside.children.get(prefix)
        if shelf.fenced and place.checkpoint_id is None and child is not None:
            followed = _follow(shelf, place, child)
            if followed is not None:
                return followed
            beside.children.clear()
        found = tuple_of(shelf, place, item, beside)
        if found is not None:
            return found
    raise BodyCorruptError(
        f"a checkpoint of the thread {place.thread!r:.80} lacks a part of its body: put it again, "
        "or continue from an earlier one"
    )


def _item(shelf: Shelf, place: Place) -> Item | None:
    partition = shelf.partition(place.thread)
    if place.checkpoint_id is not None:
        key = thread_keys.checkpoint(partition, place.ns, place.checkpoint_id)
        return shelf.store.get(STATE, key)
    condition = equals("pk", partition) & begins_with("sk", thread_keys.checkpoints(place.ns))
    newest = shelf.store.query(STATE, condition, newest_first=True, consistent=True, page_size=1)
    return next(newest, None)


def _follow(shelf: Shelf, place: Place, child: str) -> CheckpointTuple | None:
    """Return the last of the checkpoints that follow each other from `child` on."""
    partition = shelf.partition(place.thread)
    last: str | None = None
    seen: set[str] = set()
    while child not in seen:
        seen.add(child)
        if shelf.store.get(STATE, thread_keys.checkpoint(partition, place.ns, child)) is None:
            break
        last = child
        following = shelf.store.get(STATE, thread_keys.next_checkpoint(partition, place.ns, child))
        if following is None:
            break
        child = str(following["child"])
    return None if last is None else find(shelf, place.at(place.ns, last))


def newest_first(
    shelf: Shelf,
    place: Place | None,
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
    if place is None:
        threads = [
            _of_thread(shelf, Place(thread, None), matching, before, limit)
            for thread in all_threads(shelf)
        ]
        found: Iterator[CheckpointTuple] = merge(
            *threads, key=lambda one: one.checkpoint["id"], reverse=True
        )
    elif place.checkpoint_id is not None:
        found = _one(shelf, place, matching, before)
    else:
        found = _of_thread(shelf, place, matching, before, limit)
    return islice(found, limit)


def all_threads(shelf: Shelf) -> list[str]:
    """Return the threads of the agent. One request for thousands."""
    listed = equals("pk", thread_keys.thread_list(shelf.agent_id))
    condition = listed & begins_with("sk", thread_keys.listed_threads())
    return [str(item[THREAD]) for item in shelf.store.query(STATE, condition, consistent=True)]


def _one(
    shelf: Shelf, place: Place, matching: Mapping[str, Any] | None, before: str | None
) -> Iterator[CheckpointTuple]:
    if before is not None and str(place.checkpoint_id) >= before:
        return
    if place.namespace is None:
        every = _of_thread(shelf, Place(place.thread, None), matching, before, None)
        yield from (one for one in every if one.checkpoint["id"] == place.checkpoint_id)
        return
    found = find(shelf, place)
    if found is not None and _matches(found, matching):
        yield found


def _of_thread(
    shelf: Shelf,
    place: Place,
    matching: Mapping[str, Any] | None,
    before: str | None,
    limit: int | None,
) -> Iterator[CheckpointTuple]:
    if place.namespace is None:
        yield from _of_all_namespaces(shelf, place, matching, before)
        return
    wanted = CHUNK if limit is None or matching else min(limit, CHUNK)
    start = thread_keys.checkpoints(place.ns)
    # a range includes its end, which is taken out again below
    range_ = begins_with("sk", start) if before is None else between("sk", start, start + before)
    items = shelf.store.query(
        STATE,
        equals("pk", shelf.partition(place.thread)) & range_,
        newest_first=True,
        consistent=True,
        page_size=None if limit is None and not matching else wanted,
    )
    earlier = (item for item in items if before is None or _id(item) < before)
    while chunk := list(islice(earlier, wanted)):
        oldest, newest = _id(chunk[-1]), _id(chunk[0])
        first = thread_keys.beside(place.ns, oldest)
        last = f"{thread_keys.beside(place.ns, newest)}{_AFTER_ALL}"
        beside = Beside.of(_under(shelf, place, between("sk", first, last)))
        yield from _tuples(shelf, place, chunk, beside, matching)


def _of_all_namespaces(
    shelf: Shelf, place: Place, matching: Mapping[str, Any] | None, before: str | None
) -> Iterator[CheckpointTuple]:
    items = [
        item
        for item in _under(shelf, place, begins_with("sk", thread_keys.checkpoints()))
        if before is None or _id(item) < before
    ]
    if items:
        items.sort(key=_id, reverse=True)
        beside = Beside.of(_under(shelf, place, begins_with("sk", thread_keys.all_beside())))
        yield from _tuples(shelf, place, items, beside, matching)


def _tuples(
    shelf: Shelf,
    place: Place,
    items: Sequence[Item],
    beside: Beside,
    matching: Mapping[str, Any] | None,
) -> Iterator[CheckpointTuple]:
    for item in items:
        found = tuple_of(shelf, place, item, beside)
        if found is None:
            # written or deleted between the two requests: look at it alone
            found = find(shelf, place.at(str(item[NAMESPACE]), _id(item)))
        if found is not None and _matches(found, matching):
            yield found


def _matches(found: CheckpointTuple, matching: Mapping[str, Any] | None) -> bool:
    metadata: Mapping[str, Any] = found.metadata
    return all(metadata.get(name) == value for name, value in (matching or {}).items())


def _under(shelf: Shelf, place: Place, range_: Condition) -> Iterator[Item]:
    condition = equals("pk", shelf.partition(place.thread)) & range_
    return shelf.store.query(STATE, condition, consistent=True)


def _id(item: Item) -> str:
    return thread_keys.checkpoint_id_of(str(item["sk"]))
