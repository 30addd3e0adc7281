"""States and actions: JSON values, and the one text by which equal ones are known."""

import json
import reprlib
from typing import Any

import numpy as np

from daybook.errors import InvalidInputError
from daybook.models.json_values import MAX_DEPTH, JsonValue, checked_json

_EXACT = 1 << 53
"""From here on not every whole number is a float of its own."""


def plain(value: object, what: str) -> JsonValue:
    """Return a value as plain JSON: numpy's numbers and arrays, and tuples, become Python's.

    `what` is what to call it in an error. Raises InvalidInputError for what JSON has no word for.
    """
    if type(value) is int and -_EXACT < value < _EXACT:
        return value  # most states: nothing to convert, nothing to refuse
    try:
        return checked_json(_without_numpy(value, MAX_DEPTH))
    except ValueError as fault:
        raise InvalidInputError(
            f"{what} {reprlib.repr(value):.60} is no JSON value: {fault}"
        ) from None


def _without_numpy(value: Any, levels: int) -> Any:
    """Return a value with Python's numbers and lists for numpy's, and lists for tuples."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if levels < 0:
        return value  # too deep for JSON: checked_json says so
    if isinstance(value, tuple | list):
        return [_without_numpy(part, levels - 1) for part in value]
    if isinstance(value, dict):
        return {name: _without_numpy(part, levels - 1) for name, part in value.items()}
    return value


def key_of(value: JsonValue) -> str:
    """Return the text of a plain value: JSON with sorted keys and no spaces.

    Numbers that are equal have one text: 1 and 1.0 are one state, as they are one key of a dict;
    true is another.
    """
    if type(value) is int:
        return str(value)
    return json.dumps(
        _normal(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def value_of(key: str) -> JsonValue:
    """Return the value of a text of `key_of`. Raises ValueError."""
    return json.loads(key)


def _normal(value: Any) -> Any:
    match value:
        case bool():
            return value
        case float() if value.is_integer() and abs(value) < _EXACT:
            return int(value)
        case list():
            return [_normal(part) for part in value]
        case dict():
            return {name: _normal(part) for name, part in value.items()}
        case _:
            return value
