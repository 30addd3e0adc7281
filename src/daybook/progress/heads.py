"""Heads: one item a job, saying how far it has followed an agent, and what it must remember.

What a job writes and its head's next version go into one transaction, on condition that the
head has not moved since it was read. So a batch takes effect once, however often it is tried
and whoever else tries it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from daybook.errors import OvertakenError
from daybook.models.json_values import JsonObject
from daybook.progress.positions import Position
from daybook.store import MEMORY, Codec, Store, keys, pack, unpack
from daybook.store.attributes import Item
from daybook.store.expressions import Condition, absent, begins_with, equals
from daybook.store.requests import Put, Write

CODEC = Codec(version=1)
_VERSION = "version"
_TOKEN = "token"  # noqa: S105 - no secret: it tells our own write from another's


@dataclass(frozen=True)
class Head:
    """How far a job has come; version 0 is a job that never ran. `notes` are the job's own."""

    agent_id: str
    job: str
    version: int = 0
    position: Position = field(default_factory=Position)
    notes: JsonObject = field(default_factory=dict)


def read_heads(store: Store, agent_id: str) -> dict[str, Head]:
    """Return the heads of an agent's jobs, by job. One request."""
    condition = equals("pk", agent_id) & begins_with("sk", keys.heads())
    items = store.query(MEMORY, condition, consistent=True)
    return {head.job: head for head in (_head(store, item) for item in items)}


def read_head(store: Store, agent_id: str, job: str) -> Head:
    """Return the head of one job, or a new one. One request."""
    item = store.get(MEMORY, keys.head(agent_id, job))
    return _head(store, item) if item else Head(agent_id, job)


def commit(
    store: Store,
    head: Head,
    *,
    position: Position | None = None,
    notes: JsonObject | None = None,
    also: Sequence[Write] = (),
) -> Head:
    """Write the head's next version and, with it or not at all, what `also` holds.

    One request; another one when a condition fails, to see whether the write was our own
    whose answer had been lost. Raises OvertakenError if it was not.
    """
    moved = replace(
        head,
        version=head.version + 1,
        position=head.position if position is None else position,
        notes=head.notes if notes is None else notes,
    )
    token = secrets.token_hex(8)
    item = _item(store, moved) | {_TOKEN: token}
    condition = _unmoved(head)
    if also:
        put = Put(table=MEMORY, item=item, condition=condition)
        won = store.transact([put, *also])
        standing = None if won else store.get(MEMORY, keys.head(head.agent_id, head.job))
    else:
        standing = store.replace(MEMORY, item, condition)
        won = standing is None
    if not won and (standing or {}).get(_TOKEN) != token:
        raise OvertakenError(
            f"another worker has gone on with the {head.job} of {head.agent_id} since version "
            f"{head.version}; what this one was about to write was not written"
        )
    return moved


def _unmoved(head: Head) -> Condition:
    return equals(_VERSION, head.version) if head.version else absent("pk")


def _item(store: Store, head: Head) -> Item:
    key = keys.head(head.agent_id, head.job) | {_VERSION: head.version}
    document = {"position": head.position.document, "notes": head.notes}
    return pack(store, CODEC, keys.head_bodies(head.agent_id), key, document)


def _head(store: Store, item: Item) -> Head:
    document = unpack(store, CODEC, item)
    return Head(
        agent_id=str(item["pk"]),
        job=keys.head_job(str(item["sk"])),
        version=int(item[_VERSION]),
        position=Position.read(document["position"]),
        notes=document["notes"],
    )
