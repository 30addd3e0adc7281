"""A document of the store as an item, and back; and what of an operation can be stored."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langgraph.store.base import Item as Document
from langgraph.store.base import SearchItem

from daybook.adapters.langgraph.names import checked_name
from daybook.errors import InvalidInputError
from daybook.models.identity import microseconds, moment_of
from daybook.models.json_values import JsonObject, checked_json
from daybook.store import Codec, Store, keys, pack, thread_keys, unpack
from daybook.store.attributes import Item
from daybook.store.schema import TTL_ATTRIBUTE

CODEC = Codec(version=1)

CREATED = "created_at"
UPDATED = "updated_at"
ORDER = "order"
NAMESPACE_ORDER = "ns_order"
TTL_SECONDS = "ttl"

_LONGEST_TTL = 100 * 366 * 24 * 60
"""Minutes."""

_LONGEST_SORT_KEY = 1024
_SECONDS = 60

Namespace = tuple[str, ...]
Address = tuple[Namespace, str]


@dataclass(frozen=True)
class KeptDocument:
    """A document as it stands, with the item that keeps it."""

    item: Item
    document: SearchItem

    @property
    def order(self) -> int:
        """What grows with the time at which the document was first written."""
        return int(self.item[ORDER])

    @property
    def namespace_order(self) -> int:
        """What grows with the time at which its namespace was first written to."""
        return int(self.item[NAMESPACE_ORDER])

    @property
    def plain(self) -> Document:
        """The document without a score."""
        found = self.document
        return Document(
            value=found.value,
            key=found.key,
            namespace=found.namespace,
            created_at=found.created_at,
            updated_at=found.updated_at,
        )


def document_of(store: Store, item: Item) -> KeptDocument:
    """Return the document of an item. Raises BodyCorruptError or BodyMissingError."""
    body = unpack(store, CODEC, item)
    document = SearchItem(
        namespace=tuple(body["namespace"]),
        key=body["key"],
        value=body["value"],
        created_at=moment_of(int(item[CREATED])),
        updated_at=moment_of(int(item[UPDATED])),
    )
    return KeptDocument(item, document)


def item_of(
    store: Store,
    agent_id: str,
    address: Address,
    value: JsonObject,
    *,
    standing: Item | None,
    now: datetime,
    order: int,
    namespace_order: int,
    ttl_seconds: int | None,
) -> Item:
    """Return the item of a document, in the place of what stands under its name."""
    namespace, name = address
    micros = microseconds(now)
    item = thread_keys.document(agent_id, namespace, name) | {
        CREATED: int(standing[CREATED]) if standing else micros,
        UPDATED: micros,
        ORDER: int(standing[ORDER]) if standing else order,
        NAMESPACE_ORDER: int(standing[NAMESPACE_ORDER]) if standing else namespace_order,
    }
    if ttl_seconds is not None:
        item |= {TTL_SECONDS: ttl_seconds, TTL_ATTRIBUTE: expiry(now, ttl_seconds)}
    body: JsonObject = {"namespace": list(namespace), "key": name, "value": value}
    return pack(store, CODEC, keys.memory_bodies(agent_id), item, body)


def expiry(now: datetime, ttl_seconds: int) -> int:
    """Return when a document that was written or read now comes to its end."""
    return math.ceil(now.timestamp()) + ttl_seconds


def checked_address(agent_id: str, namespace: object, name: object) -> Address:
    """Return where a document is, or raise InvalidInputError if it can be nowhere."""
    labels = checked_labels(namespace)
    address = (labels, checked_name(name, "a document's key"))
    sort_key = thread_keys.document_namespace(agent_id, labels)["sk"]
    longest = max(len(str(sort_key)), len(str(thread_keys.document(agent_id, *address)["sk"])))
    if longest > _LONGEST_SORT_KEY:
        raise InvalidInputError(
            f"a namespace of {len(labels)} labels and the key {name!r:.60} are too long together: "
            "use fewer or shorter labels"
        )
    return address


def checked_labels(namespace: object) -> Namespace:
    """Return a namespace, or raise InvalidInputError if it is not a tuple of text."""
    if not isinstance(namespace, tuple):
        raise InvalidInputError(f"a namespace is a tuple of text, not {namespace!r:.60}")
    return tuple(checked_name(label, "a namespace's label") for label in namespace)


def checked_value(value: Any) -> JsonObject:
    """Return a document's value as JSON, or raise InvalidInputError."""
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"a document's value is a mapping, not {value!r:.60}")
    try:
        checked: JsonObject = checked_json(value)
    except ValueError as fault:
        raise InvalidInputError(f"a document's value cannot be stored: {fault}") from None
    return checked


def checked_ttl_seconds(minutes: object) -> int | None:
    """Return how many seconds a document lives, rounded up; None: for ever."""
    if minutes is None:
        return None
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    # NaN compares as false
    if not number or not 0 < minutes <= _LONGEST_TTL:  # type: ignore[operator]
        raise InvalidInputError(
            f"ttl is {minutes!r:.60}: use more than 0 and at most {_LONGEST_TTL:,} minutes"
        )
    return math.ceil(float(minutes) * _SECONDS)  # type: ignore[arg-type]


def in_order(found: Sequence[KeptDocument]) -> list[KeptDocument]:
    """Return documents by when their namespace, and then they, were first written."""
    since: dict[Namespace, int] = {}
    for one in found:
        namespace = one.document.namespace
        since[namespace] = min(one.namespace_order, since.get(namespace, one.namespace_order))
    return sorted(
        found,
        key=lambda one: (
            since[one.document.namespace],
            one.document.namespace,
            one.order,
            one.document.key,
        ),
    )
