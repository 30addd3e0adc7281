"""The records of the signals table's stream: which say something new, and what they hold."""

import base64
from typing import Any

from daybook.errors import BodyCorruptError
from daybook.models import SignalStatus
from daybook.signals.items import STATUS
from daybook.store.attributes import Item, WireItem, from_wire
from daybook.store.keys import DELIVERED, ROUTED

Record = dict[str, Any]


def is_signal(record: Record) -> bool:
    """Whether a signal was published. One whose id was used a day ago replaces that one."""
    return record["eventName"] in {"INSERT", "MODIFY"} and _sort_key(record).startswith(ROUTED)


def is_death(record: Record) -> bool:
    """Whether a delivery was put aside as dead just now."""
    change: dict[str, WireItem] = record["dynamodb"]
    before, after = (change.get(image, {}).get(STATUS, {}) for image in ("OldImage", "NewImage"))
    dead = {"S": SignalStatus.DEAD.value}
    return _sort_key(record).startswith(DELIVERED) and after == dead != before


def stored(record: Record) -> Item:
    """Return the item as it is after the change. Raises BodyCorruptError."""
    try:
        image = record["dynamodb"]["NewImage"]
        return from_wire({name: _as_sent(value) for name, value in image.items()})
    except (LookupError, TypeError, ValueError, AttributeError) as fault:
        raise BodyCorruptError(f"a record of the stream holds no item: {fault!r}") from fault


def _sort_key(record: Record) -> str:
    return str(record["dynamodb"]["Keys"]["sk"].get("S", ""))


def _as_sent(value: dict[str, Any]) -> dict[str, Any]:
    """Return a value with its bytes: the event is JSON, and carries them as base64."""
    held = value.get("B")
    return {"B": base64.b64decode(held)} if isinstance(held, str) else value
