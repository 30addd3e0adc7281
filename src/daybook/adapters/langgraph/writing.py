"""Checkpoints written: one request, atomic, and in turn where a fence is asked for.

A fenced writer adds, in the same transaction, an item that says which checkpoint follows the
one it continues from. There is one such item for each checkpoint, so of two writers that
continue from the same one the second is refused. A branch that is meant leaves no such item:
see `positions.FORK`.
"""

from collections.abc import Sequence

from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata

from daybook.adapters.langgraph.checkpoints import CHILD, items_of, run_of
from daybook.adapters.langgraph.positions import Position
from daybook.adapters.langgraph.reading import THREAD
from daybook.adapters.langgraph.threads import Threads
from daybook.errors import StaleStateError, ThrottledError
from daybook.store import STATE, thread_keys
from daybook.store.attributes import Item
from daybook.store.expressions import absent_or_at_most
from daybook.store.requests import Put, Write
from daybook.store.schema import TTL_ATTRIBUTE

UNTIL = "until"
"""Epoch seconds up to which the item that names a follower holds: also when it never expires."""

_FOR_EVER = 2**53
_TRIES = 3
_INSIDE_A_RUN = "loop"


def put(
    threads: Threads, position: Position, checkpoint: Checkpoint, metadata: CheckpointMetadata
) -> Position:
    """Write the checkpoint that follows the one at `position`, and return where it is.

    One request. Raises StaleStateError when it is fenced and another already follows, and
    BodyTooLargeError.
    """
    items = items_of(threads, position, checkpoint, metadata)
    run_id = run_of(metadata)
    writes: list[Write] = [Put(table=STATE, item=item) for item in items]
    listing = _has_to_be_listed(threads, position, metadata, run_id)
    if listing:
        entries = list_entries(threads, position.thread, run_id)
        writes += [Put(table=STATE, item=entry) for entry in entries]
    if threads.fenced and not _is_meant_as_a_branch(position):
        _put_in_turn(threads, position, checkpoint["id"], writes)
    else:
        _put_all(threads, writes)
    if listing:
        threads.listed.note(position.thread, run_id, threads.store.clock())
    return position.at(position.ns, checkpoint["id"])


def list_entries(threads: Threads, thread: str, run_id: str | None) -> list[Item]:
    """Return the items that put a thread, and a run that wrote there, into the agent's list.

    They outlive the checkpoints that are written before they are put there anew.
    """
    about = {THREAD: thread} | threads.expiry(lives=2)
    entries = [thread_keys.listed_thread(threads.agent_id, thread) | about]
    if run_id is not None:
        entries.append(thread_keys.listed_run(threads.agent_id, run_id, thread) | about)
    return entries


def _has_to_be_listed(
    threads: Threads, position: Position, metadata: CheckpointMetadata, run_id: str | None
) -> bool:
    """Whether a checkpoint may be the first that the list would lead to.

    Each run begins by listing its thread, in case it was deleted and begins anew; within the
    run there is no need.
    """
    if position.checkpoint_id is None or metadata.get("source") != _INSIDE_A_RUN:
        return True
    since = threads.listed.since(position.thread, run_id)
    return since is None or (
        threads.ttl is not None and threads.store.clock() - since >= threads.ttl
    )


def _is_meant_as_a_branch(position: Position) -> bool:
    if position.checkpoint_id is None:
        # from a config that we gave out, without its id: a copy of the first checkpoint
        return position.fork is not None
    return position.fork == position.checkpoint_id


def _put_in_turn(threads: Threads, position: Position, own: str, writes: Sequence[Write]) -> None:
    partition = threads.partition(position.thread)
    key = thread_keys.next_checkpoint(partition, position.ns, position.checkpoint_id or "")
    for _ in threads.store.backoff.attempts(_TRIES):
        # each time anew: what follows may have expired since
        now = int(threads.store.clock().timestamp())
        claim = key | {CHILD: own, UNTIL: _FOR_EVER} | until(threads.expiry())
        turn = Put(table=STATE, item=claim, condition=absent_or_at_most(UNTIL, now))
        if threads.store.transact([*writes, turn]):
            return
        standing = threads.store.get(STATE, key)
        child = None if standing is None else str(standing[CHILD])
        if child == own:
            # our own, whose answer was lost, or this very checkpoint put again
            _put_all(threads, writes)
            return
        if child is not None:
            raise StaleStateError(
                f"the thread {position.thread!r:.80} has gone on from "
                f"{position.checkpoint_id or 'its beginning'} to {child} since it was read; "
                f"{own} was not written. Read the thread again and run from there; or, if a "
                "branch is meant, read the older checkpoint by its checkpoint_id and run from it"
            )
    raise ThrottledError(
        f"what follows {position.checkpoint_id or 'the beginning'} of the thread "
        f"{position.thread!r:.80} kept changing: try again"
    )


def until(expiry: Item) -> Item:
    """Return an item's end of life with what a condition on it needs."""
    return expiry | {UNTIL: expiry[TTL_ATTRIBUTE]} if expiry else {}


def _put_all(threads: Threads, writes: Sequence[Write]) -> None:
    first = writes[0]
    if len(writes) == 1 and isinstance(first, Put):
        threads.store.put(STATE, first.item)
    else:
        threads.store.transact(writes)
