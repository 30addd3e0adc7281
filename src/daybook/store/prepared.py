"""Items in DynamoDB's notation before they are sent: a batch of them is only strung together.

botocore writes a request down anew, attribute by attribute, in ten times as long.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from botocore.client import BaseClient
from pydantic_core import to_json

from daybook.store.attributes import Item, Value, from_wire

_BATCH: ContextVar[bytes | None] = ContextVar("daybook_prepared_batch", default=None)
_EMPTY = b"[]"
_ACCEPTING: WeakSet[object] = WeakSet()


def prepared(item: Item) -> bytes:
    """Return the attributes of an item as they stand in a request, without the braces."""
    return to_json({name: _wire(value) for name, value in item.items()})[1:-1]


def read_prepared(attributes: bytes) -> Item:
    """Return the item."""
    wire = json.loads(b"{%b}" % attributes)
    for value in wire.values():
        if "B" in value:
            value["B"] = base64.b64decode(value["B"])
    return from_wire(wire)


def accept_prepared(client: BaseClient) -> None:
    """Make a client take prepared items. It must not look at what it is given."""
    client.meta.events.register("before-call.dynamodb.BatchWriteItem", _fill)
    _ACCEPTING.add(client)


@contextmanager
def sending(client: object, items: Sequence[bytes]) -> Iterator[bool]:
    """Make a BatchWriteItem for one table, whose list of writes is empty, put these items.

    False for a client that does not accept them: one that was handed in, such as DAX.
    """
    if not isinstance(client, BaseClient) or client not in _ACCEPTING:
        yield False
        return
    writes = b",".join(b'{"PutRequest":{"Item":{%b}}}' % item for item in items)
    token = _BATCH.set(b"[%b]" % writes)
    try:
        yield True
    finally:
        _BATCH.reset(token)


def _fill(params: dict[str, Any], **_: Any) -> None:
    batch = _BATCH.get()
    if batch is not None:
        body = params["body"]
        params["body"] = body.replace(_EMPTY, batch, 1)


def _wire(value: Value) -> dict[str, str]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": base64.b64encode(value).decode()}
    return {"N": str(value)}
