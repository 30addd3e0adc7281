"""A pattern as items: as it stands, its earlier versions, and a share for each recipient."""

from dataclasses import dataclass

from pydantic import ValidationError

from daybook.errors import BodyCorruptError, InvalidInputError
from daybook.models import MemoryPattern
from daybook.models.base import as_invalid_input
from daybook.models.json_values import JsonObject
from daybook.store import MEMORY, Codec, Store, keys, pack, unpack
from daybook.store.attributes import Item
from daybook.store.expressions import Condition, absent, equals
from daybook.store.requests import Delete, Put, Write

CODEC = Codec(version=1)

REVISION = "rev"
RUN = "run"
_INDEXED_STEPS = 1_000_000_000
"""ConfidenceIndex sorts by whole numbers: the confidence in billionths."""

LONGEST_ID_BYTES = 512
MOST_RECIPIENTS = 90
"""Agents that one pattern can be shared with: all of them fit into one transaction."""


@dataclass(frozen=True)
class Standing:
    """A pattern as it stands in the table.

    `revision` grows with every write of the item, also those that make no new version;
    `run` is the consolidation run that wrote it last, None when a person did.
    """

    pattern: MemoryPattern
    revision: int
    run: str | None


def checked_pattern_id(pattern_id: str) -> str:
    """Return the id, or raise InvalidInputError if it cannot be part of a key."""
    if not isinstance(pattern_id, str):
        raise InvalidInputError(f"a pattern id is text, not {pattern_id!r:.60}")
    if not pattern_id:
        raise InvalidInputError("a pattern id cannot be empty")
    if "#" in pattern_id or not pattern_id.isprintable():
        raise InvalidInputError(
            f"{pattern_id!r:.80} is not a pattern id: leave out # and controls"
        )
    if len(pattern_id.encode()) > LONGEST_ID_BYTES:
        raise InvalidInputError(f"{pattern_id!r:.60}… is over {LONGEST_ID_BYTES} bytes long")
    return pattern_id


def document(pattern: MemoryPattern) -> JsonObject:
    """Return a pattern as JSON."""
    dumped: JsonObject = pattern.model_dump(mode="json")
    return dumped


def from_document(stored: JsonObject) -> MemoryPattern:
    """Return the pattern of a JSON document. Raises BodyCorruptError."""
    try:
        # as JSON: there a time is text and an enum is its value
        return MemoryPattern.model_validate(stored, strict=False)
    except ValidationError as fault:
        raise BodyCorruptError(str(as_invalid_input(fault, "a stored pattern"))) from None


def read_pattern(store: Store, item: Item) -> MemoryPattern:
    """Return the pattern of an item. Raises BodyCorruptError.

    Its owner is the partition that holds it, which only the owner can write.
    """
    pattern = from_document(unpack(store, CODEC, item))
    if pattern.agent_id != item["pk"]:
        raise BodyCorruptError(
            f"the pattern {pattern.pattern_id!r} in the memory of {item['pk']!r} says that it is "
            f"{pattern.agent_id!r}'s: it is forged or misplaced"
        )
    return pattern


def read_standing(store: Store, item: Item) -> Standing:
    """Return a pattern with what the item says of it."""
    run = item.get(RUN)
    return Standing(read_pattern(store, item), int(item[REVISION]), str(run) if run else None)


def writes(
    store: Store, standing: Standing | None, pattern: MemoryPattern, run: str | None = None
) -> list[Write]:
    """Return the transaction that puts a pattern in the place of what stands.

    Holds only if nobody has written since. A new version keeps the old one beside it, and
    shares come and go with `shared_with`; a retired pattern is shown to nobody.
    """
    revision = standing.revision if standing else 0
    unmoved: Condition = equals(REVISION, revision) if standing else absent("pk")
    item = _item(store, pattern, revision + 1, run)
    transaction: list[Write] = [Put(table=MEMORY, item=item, condition=unmoved)]
    if standing and standing.pattern.version != pattern.version:
        transaction.append(Put(table=MEMORY, item=_version_item(store, standing.pattern)))
    before = _recipients(standing.pattern) if standing else set()
    after = _recipients(pattern)
    shown = [Put(table=MEMORY, item=_share_item(pattern, agent)) for agent in after - before]
    hidden = [
        Delete(table=MEMORY, key=keys.share(pattern.agent_id, pattern.pattern_id, agent))
        for agent in before - after
    ]
    return [*transaction, *shown, *hidden]


def _recipients(pattern: MemoryPattern) -> set[str]:
    return set() if pattern.retired_at else set(pattern.shared_with)


def _item(store: Store, pattern: MemoryPattern, revision: int, run: str | None) -> Item:
    agent_id, pattern_id = pattern.agent_id, pattern.pattern_id
    item = keys.pattern(agent_id, pattern_id) | {REVISION: revision}
    if run is not None:
        item[RUN] = run
    if pattern.retired_at is None:
        item |= {
            "confidence_key": keys.type_key(agent_id, pattern.decision_type),
            "confidence": round(pattern.confidence * _INDEXED_STEPS),
            "recipient_key": agent_id,
            "recall_key": keys.recall_key(pattern.decision_type, agent_id, pattern_id),
        }
    return pack(store, CODEC, keys.memory_bodies(agent_id), item, document(pattern))


def _version_item(store: Store, pattern: MemoryPattern) -> Item:
    key = keys.pattern_version(pattern.agent_id, pattern.pattern_id, pattern.version)
    return pack(store, CODEC, keys.memory_bodies(pattern.agent_id), key, document(pattern))


def _share_item(pattern: MemoryPattern, recipient: str) -> Item:
    owner, pattern_id = pattern.agent_id, pattern.pattern_id
    return keys.share(owner, pattern_id, recipient) | {
        "recipient_key": recipient,
        "recall_key": keys.recall_key(pattern.decision_type, owner, pattern_id),
    }


def least_indexed(min_confidence: float) -> int:
    """Return the least number in ConfidenceIndex that may belong to this confidence."""
    return round(min_confidence * _INDEXED_STEPS)
