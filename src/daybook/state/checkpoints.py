"""Checkpoints of an agent's state: taken, listed, read."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from pydantic import TypeAdapter, ValidationError

from daybook.errors import CheckpointNotFoundError, StateNotFoundError
from daybook.models import Checkpoint
from daybook.models.base import as_invalid_input
from daybook.models.decisions import Label
from daybook.models.state import Kind, checked_checkpoint_id, version_and_number
from daybook.state import checkpoint_items, state_items
from daybook.state.current import standing_item
from daybook.state.retention import prune
from daybook.state.state_items import LAST, TRIES, contended, version_of
from daybook.store import STATE, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import begins_with, equals
from daybook.store.requests import Update

_LABEL: TypeAdapter[str | None] = TypeAdapter(Annotated[Label | None, "label"])


class Taken(NamedTuple):
    """What became of an automatic checkpoint: the version that has one, and the new one."""

    version: int
    checkpoint: Checkpoint | None


def create_checkpoint(
    store: Store, agent_id: str, label: str | None = None, *, keep: int
) -> Checkpoint:
    """Keep the agent's state as it is now; return the checkpoint, without the data.

    Three requests: the state is read, the checkpoint is written in one transaction, and the
    unlabelled ones beyond the `keep` newest are looked for. Raises StateNotFoundError, and
    StaleStateError when others keep changing the state meanwhile.
    """
    try:
        _LABEL.validate_python(label, strict=True)
    except ValidationError as fault:
        raise as_invalid_input(fault, "the label") from None
    for _ in store.backoff.attempts(TRIES):
        item = _current(store, agent_id)
        checkpoint = _take(store, item, "manual", label)
        if checkpoint is not None:
            prune(store, agent_id, keep)
            return checkpoint
    raise contended(agent_id, "kept in a checkpoint", version_of(item))


def create_if_changed(store: Store, agent_id: str, *, keep: int) -> Taken:
    """Keep the agent's state as it is now, unless a checkpoint of this version was taken.

    For the schedule. Raises as create_checkpoint does.
    """
    for _ in store.backoff.attempts(TRIES):
        item = _current(store, agent_id)
        last = item.get(LAST)
        if last is not None and version_and_number(str(last))[0] == version_of(item):
            return Taken(version_of(item), None)
        checkpoint = _take(store, item, "automatic")
        if checkpoint is not None:
            prune(store, agent_id, keep)
            return Taken(checkpoint.version, checkpoint)
    raise contended(agent_id, "kept in a checkpoint", version_of(item))


def list_checkpoints(store: Store, agent_id: str) -> list[Checkpoint]:
    """Return the agent's checkpoints without their data, the newest first.

    One request for each megabyte, some 5,000 of them.
    """
    return list(_newest_first(store, agent_id))


def get_checkpoint(store: Store, agent_id: str, checkpoint_id: str) -> Checkpoint:
    """Return a checkpoint with its data. One request.

    Raises CheckpointNotFoundError, and InvalidInputError for what is no id.
    """
    checked_checkpoint_id(checkpoint_id)
    about = keys.checkpoint(agent_id, checkpoint_id)
    data = keys.checkpoint_data(agent_id, checkpoint_id)
    found = {str(item["sk"]): item for item in store.fetch(STATE, [about, data])}
    if len(found) < len((about, data)):
        raise not_found(agent_id, checkpoint_id)
    document = checkpoint_items.read_data(store, found[str(data["sk"])])
    return checkpoint_items.read(found[str(about["sk"])], document)


def last_checkpoint(store: Store, agent_id: str) -> Checkpoint:
    """Return the checkpoint that a rollback without an id goes to, with its data. Two requests.

    Raises CheckpointNotFoundError.
    """
    return get_checkpoint(store, agent_id, last_id(agent_id, standing_item(store, agent_id)))


def last_id(agent_id: str, item: Item) -> str:
    """Return the id of the last checkpoint that was taken of the state in this item."""
    last = item.get(LAST)
    if last is None:
        raise CheckpointNotFoundError(
            f"{agent_id!r} has no checkpoint to go back to: create_checkpoint() takes one"
        )
    return str(last)


def not_found(agent_id: str, checkpoint_id: str) -> CheckpointNotFoundError:
    """Return the error for a checkpoint that is not there."""
    return CheckpointNotFoundError(
        f"{agent_id!r} has no checkpoint {checkpoint_id!r}: it never had, or newer ones have "
        "taken its place. list_checkpoints() tells which there are"
    )


def _newest_first(store: Store, agent_id: str) -> Iterator[Checkpoint]:
    condition = equals("pk", agent_id) & begins_with("sk", keys.checkpoints())
    found = store.query(STATE, condition, newest_first=True, consistent=True)
    return (checkpoint_items.read(item) for item in found)


def _current(store: Store, agent_id: str) -> Item:
    # what cannot be read is no checkpoint: say so now, and not when it is needed
    found = state_items.read_current(store, agent_id)
    if found is None:
        raise StateNotFoundError(
            f"{agent_id!r} has no state to keep in a checkpoint: save_state() makes the first"
        )
    return found[0]


def _take(store: Store, item: Item, kind: Kind, label: str | None = None) -> Checkpoint | None:
    """Write a checkpoint of the state in this item; None if that is not the current one."""
    checkpoint_id = state_items.next_checkpoint_id(item)
    checkpoint = checkpoint_items.make(item, checkpoint_id, kind, store.clock(), label)
    noted = Update(
        table=STATE,
        key=keys.current_state(checkpoint.agent_id),
        values={LAST: checkpoint_id},
        condition=state_items.unmoved(item),
    )
    if not store.transact([noted, *checkpoint_items.puts(checkpoint, item)]):
        # refused, perhaps by a try of our own whose answer was lost
        standing, is_kept = checkpoint_items.look(store, checkpoint.agent_id, checkpoint_id)
        if not is_kept and standing.get(LAST) != checkpoint_id:
            return None
    return checkpoint
