"""An item's attributes: text, whole numbers and bytes, in and out of DynamoDB's notation.

Daybook keeps anything richer inside an item's body, so three types are enough here.
"""

from collections.abc import Mapping
from typing import Any

from daybook.errors import BodyCorruptError

Value = str | int | bytes
Item = dict[str, Value]
WireItem = dict[str, dict[str, Any]]

UNIT_BYTES = 1024
"""A write unit carries this much of an item."""


def to_wire(item: Mapping[str, Value]) -> WireItem:
    """Write an item in DynamoDB's notation."""
    return {name: value_to_wire(value) for name, value in item.items()}


def value_to_wire(value: Value) -> dict[str, Any]:
    """Write one value in DynamoDB's notation; TypeError for a type that items never hold."""
    match value:
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case int() if not isinstance(value, bool):
            return {"N": str(value)}
        case _:
            raise TypeError(f"an item holds text, whole numbers and bytes, not {value!r}")


def from_wire(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """Read an item from DynamoDB's notation."""
    return {name: _from_wire(value) for name, value in item.items()}


def _from_wire(value: Mapping[str, Any]) -> Value:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return str(held)
        case "N":
            return int(held)
        case "B":
            return bytes(held)
        case _:
            raise BodyCorruptError(f"a stored attribute is of the type {kind}, which none has")


def size(item: Mapping[str, Value]) -> int:
    """Return what DynamoDB counts as the item's size, in bytes.

    From the developer guide, "DynamoDB item sizes and formats": the UTF-8 length of every
    name and text, the length of bytes, and for a number about one byte for two digits plus
    one (rounded up here).
    """
    total = 0
    for name, value in item.items():
        total += _length(name)
        if isinstance(value, str):
            total += _length(value)
        elif isinstance(value, bytes):
            total += len(value)
        else:
            total += len(str(value)) // 2 + 2
    return total


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def write_units(size_bytes: int) -> int:
    """Return the write units that an item of this size costs on the table."""
    return max(1, -(-size_bytes // UNIT_BYTES))
