"""A session's items: a head, an item for each memory, and one that holds what was compacted."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from daybook.errors import BodyCorruptError
from daybook.models.identity import moment_of
from daybook.models.sessions import SessionHead, SessionMemory
from daybook.store import MEMORY, Codec, Store, pack, session_keys, unpack
from daybook.store.attributes import Item
from daybook.store.bodies import BODY, BODY_OBJECT, body_of, own_object, packed, placed
from daybook.store.expressions import begins_with, equals

CODEC = Codec(version=1)

REVISION = "rev"
TOKEN = "token"  # noqa: S105 - tells one write from another
ORIGINAL, STORED = "original_bytes", "stored_bytes"
TOUCHED, CLOSED, SETTLED = "touched_at", "closed_at", "settled_at"

Entry = tuple[str, Any]
"""A memory: its id, which carries when it was made, and its content."""


@dataclass(frozen=True)
class Compacted:
    """What was compacted of a session: `revision` 0 and nothing when nothing was yet.

    `original_bytes` is what the contents take as JSON, `stored_bytes` what the body takes,
    wherever it is; `decoded_in` the seconds that it took to decompress and read it.
    """

    revision: int = 0
    token: str = ""
    original_bytes: int = 0
    stored_bytes: int = 0
    entries: Sequence[Entry] = ()
    decoded_in: float | None = None


def memory_item(store: Store, agent_id: str, memory: SessionMemory) -> Item:
    """Return the item of a memory, its large body already in S3."""
    key = session_keys.session_memory(agent_id, memory.session_id, memory.memory_id)
    item = key | store.expiry(store.clock())
    folder = session_keys.session_bodies(agent_id, memory.session_id)
    return pack(store, CODEC, folder, item, {"content": memory.content})


def read_entry(store: Store, item: Item) -> Entry:
    """Return the memory of an item. Raises BodyMissingError or BodyCorruptError."""
    return memory_id_of(item), _of(unpack(store, CODEC, item), "content", item)


def memory_id_of(item: Item) -> str:
    """Return the id of the memory of an item."""
    return str(item["sk"]).rpartition("#")[2]


def read_all(store: Store, agent_id: str, session_id: str) -> list[Item]:
    """Return the items of the memories that are not compacted, or not yet removed, in order.

    One request for every megabyte, strongly consistent.
    """
    mine = equals("pk", agent_id) & begins_with("sk", session_keys.session_memories(session_id))
    return list(store.query(MEMORY, mine, consistent=True))


def read_compacted(store: Store, agent_id: str, session_id: str) -> Compacted:
    """Return what was compacted. One request, and one to S3 where the body is there."""
    item = store.get(MEMORY, session_keys.compacted_session(agent_id, session_id))
    if item is None:
        return Compacted()
    if BODY_OBJECT in item:
        item |= {BODY: own_object(store, item)}
    began = time.perf_counter()
    document = CODEC.decode(*body_of(item))
    ids, contents = _of(document, "ids", item), _of(document, "contents", item)
    took = time.perf_counter() - began
    if len(ids) != len(contents):
        raise _damaged(item)
    return Compacted(
        revision=_number(item, REVISION),
        token=str(item[TOKEN]),
        original_bytes=_number(item, ORIGINAL),
        stored_bytes=_number(item, STORED),
        entries=list(zip(ids, contents, strict=True)),
        decoded_in=took,
    )


def compacted_item(store: Store, agent_id: str, session_id: str, made: Compacted) -> Item:
    """Return the item of what is compacted; `stored_bytes` in it is what its body takes.

    A body over 350 KB is in S3 when this returns; raises BodyTooLargeError without a bucket.
    """
    key = session_keys.compacted_session(agent_id, session_id)
    facts: Item = {REVISION: made.revision, TOKEN: made.token, ORIGINAL: made.original_bytes}
    beside = key | facts | {STORED: 0} | store.expiry(store.clock())
    # apart, for alike compresses well with alike
    ids, contents = [uuid for uuid, _ in made.entries], [content for _, content in made.entries]
    document = {"ids": ids, "contents": contents}
    item = packed(CODEC, beside, document)
    body = item[BODY]
    item[STORED] = len(body if isinstance(body, bytes) else str(body).encode())
    return placed(store, session_keys.session_bodies(agent_id, session_id), item)


def read_head(item: Item) -> SessionHead:
    """Return the head of a session."""

    def moment(name: str) -> Any:
        return moment_of(_number(item, name)) if name in item else None

    return SessionHead.checked(
        session_id=session_keys.session_of(str(item["sk"])),
        touched_at=moment(TOUCHED),
        closed_at=moment(CLOSED),
        settled_at=moment(SETTLED),
    )


def _number(item: Item, name: str) -> int:
    with suppress(KeyError, ValueError):
        return int(item[name])
    raise _damaged(item)


def _of(body: Mapping[str, Any], name: str, item: Item) -> Any:
    if name not in body:
        raise _damaged(item)
    return body[name]


def _damaged(item: Item) -> BodyCorruptError:
    return BodyCorruptError(f"the item {item.get('pk')!r} {item.get('sk')!r} is no session's")
