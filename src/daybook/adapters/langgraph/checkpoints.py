"""A checkpoint as items, and back: itself, what tasks have written to it, what follows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, CheckpointTuple

from daybook.adapters.langgraph import bodies, frames, task_writes
from daybook.adapters.langgraph.positions import Position, checked_checkpoint_id
from daybook.adapters.langgraph.threads import Threads
from daybook.store import thread_keys
from daybook.store.attributes import Item

NAMESPACE = "ns"
PARENT = "parent"
RUN = "run"
CHILD = "child"


@dataclass
class Attachments:
    """What lies beside checkpoints of a thread: parts of bodies, writes of tasks, followers."""

    parts: dict[str, Item] = field(default_factory=dict)
    writes: dict[str, list[Item]] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[Item]) -> "Attachments":
        """Sort the items of what lies beside checkpoints, by the checkpoint's sort key prefix."""
        found = cls()
        for item in items:
            sort_key = str(item["sk"])
            owner = thread_keys.owner_of(sort_key)
            if thread_keys.is_body_part(sort_key):
                found.parts[sort_key] = item
            elif thread_keys.is_next_checkpoint(sort_key):
                found.children[owner] = str(item[CHILD])
            else:
                found.writes.setdefault(owner, []).append(item)
        return found


def items_of(
    threads: Threads, position: Position, checkpoint: Checkpoint, metadata: CheckpointMetadata
) -> list[Item]:
    """Return the item of a checkpoint that follows the one at `position`, and its body's parts.

    Raises BodyTooLargeError, or InvalidInputError for an id that cannot be part of a key.
    """
    own = checked_checkpoint_id(checkpoint["id"])
    partition = threads.partition(position.thread)
    item = thread_keys.checkpoint(partition, position.ns, own) | {NAMESPACE: position.ns}
    if position.checkpoint_id is not None:
        item[PARENT] = position.checkpoint_id
    run_id = run_of(metadata)
    if run_id is not None:
        item[RUN] = run_id
    typed = [threads.dumped(part, "the graph's state") for part in (checkpoint, metadata)]
    body = frames.join([kind for kind, _ in typed], [blob for _, blob in typed])
    prefix = thread_keys.beside(position.ns, own)
    expiry = threads.expiry()
    packed = bodies.pack(
        threads.store,
        threads.folder,
        item | expiry,
        body,
        lambda digest, number: thread_keys.body_part(partition, prefix, digest, number),
    )
    return [packed[0], *(part | expiry for part in packed[1:])]


def run_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the run that made a checkpoint, as its metadata says."""
    run_id = metadata.get("run_id")
    return run_id if isinstance(run_id, str) and run_id else None


def tuple_of(
    threads: Threads, position: Position, item: Item, attached: Attachments
) -> CheckpointTuple | None:
    """Return the checkpoint of an item; None when a part of it has just been deleted."""
    own = thread_keys.checkpoint_id_of(str(item["sk"]))
    namespace = str(item[NAMESPACE])
    prefix = thread_keys.beside(namespace, own)
    partition = str(item["pk"])

    def part_key(digest: str, number: int) -> Item:
        return thread_keys.body_part(partition, prefix, digest, number)

    body = bodies.unpack(threads.store, item, attached.parts, part_key)
    writes = task_writes.pending(
        threads, partition, prefix, attached.writes.get(prefix, ()), attached.parts
    )
    if body is None or writes is None:
        return None
    kinds, blobs = frames.split(body)
    checkpoint, metadata = (
        threads.serde.loads_typed((kind, blob)) for kind, blob in zip(kinds, blobs, strict=True)
    )
    parent = item.get(PARENT)
    return CheckpointTuple(
        config=position.at(
            namespace, own, _fork(threads, own, attached.children.get(prefix))
        ).config,
        checkpoint=checkpoint,
        metadata=metadata,
        parent_config=(
            # whoever starts from there knows that there is a checkpoint after it: this one
            position.at(namespace, str(parent), str(parent) if threads.fenced else None).config
            if parent is not None
            else None
        ),
        pending_writes=writes,
    )


def _fork(threads: Threads, own: str, child: str | None) -> str | None:
    if not threads.fenced:
        return None
    return own if child is not None else ""
