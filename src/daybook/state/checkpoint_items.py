"""A checkpoint as two items: what it is, which lists read, and its data beside it."""

from datetime import datetime
from typing import cast

from daybook.models import Checkpoint
from daybook.models.identity import microseconds, moment_of
from daybook.models.json_values import JsonObject
from daybook.models.state import Kind
from daybook.state import state_items
from daybook.store import STATE, Store, keys, unpack
from daybook.store.attributes import Item
from daybook.store.bodies import BODY_OBJECT
from daybook.store.expressions import absent, equals
from daybook.store.requests import Check, Delete, Put, Write


def make(
    item: Item, checkpoint_id: str, kind: Kind, now: datetime, label: str | None = None
) -> Checkpoint:
    """Return a checkpoint of the state in this item, without its data."""
    return Checkpoint.checked(
        checkpoint_id=checkpoint_id,
        agent_id=str(item["pk"]),
        version=state_items.version_of(item),
        label=label,
        kind=kind,
        created_at=now,
    )


def puts(checkpoint: Checkpoint, item: Item) -> list[Write]:
    """Return the writes that keep the state in this item as a checkpoint."""
    key = keys.checkpoint(checkpoint.agent_id, checkpoint.checkpoint_id)
    about = key | {
        "version": checkpoint.version,
        "kind": checkpoint.kind,
        "created_at": microseconds(checkpoint.created_at),
    }
    if checkpoint.label is not None:
        about["label"] = checkpoint.label
    if BODY_OBJECT in item:
        about[BODY_OBJECT] = item[BODY_OBJECT]
    data_key = keys.checkpoint_data(checkpoint.agent_id, checkpoint.checkpoint_id)
    return [
        Put(table=STATE, item=about, condition=absent("pk")),
        Put(table=STATE, item=data_key | state_items.content_of(item)),
    ]


def deletes(checkpoint: Checkpoint) -> list[Write]:
    """Return the writes that take a checkpoint away."""
    agent_id, checkpoint_id = checkpoint.agent_id, checkpoint.checkpoint_id
    return [
        Delete(table=STATE, key=keys.checkpoint(agent_id, checkpoint_id)),
        Delete(table=STATE, key=keys.checkpoint_data(agent_id, checkpoint_id)),
    ]


def still_there(agent_id: str, checkpoint_id: str) -> Check:
    """Return the condition that a checkpoint has not been taken away."""
    key = keys.checkpoint(agent_id, checkpoint_id)
    return Check(table=STATE, key=key, condition=equals("pk", agent_id))


def look(store: Store, agent_id: str, checkpoint_id: str) -> tuple[Item, bool]:
    """Return the current state's item, and whether this checkpoint is there. One request."""
    asked = [keys.current_state(agent_id), keys.checkpoint(agent_id, checkpoint_id)]
    found = {str(item["sk"]): item for item in store.fetch(STATE, asked)}
    current, about = (str(key["sk"]) for key in asked)
    return found.get(current, {}), about in found


def read(item: Item, data: JsonObject | None = None) -> Checkpoint:
    """Return the checkpoint of an item."""
    label = item.get("label")
    return Checkpoint.model_construct(
        checkpoint_id=keys.checkpoint_id_of(str(item["sk"])),
        agent_id=str(item["pk"]),
        version=int(item["version"]),
        label=str(label) if label is not None else None,
        kind=cast("Kind", item["kind"]),
        created_at=moment_of(int(item["created_at"])),
        data=data,
    )


def read_data(store: Store, item: Item) -> JsonObject:
    """Return the data of the item beside. Raises BodyMissingError or BodyCorruptError."""
    return unpack(store, state_items.CODEC, item)
