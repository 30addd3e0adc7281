"""States and actions: JSON values, and the one text by which equal ones are known."""

import json
from typing import Any

import numpy as np

from daybook.errors import InvalidInputError
from daybook.models.json_values import JsonValue, checked_json

_EXACT = 1 << 53
"""From here on not every whole number is a float of its own."""


def plain(value: object, what: str) -> JsonValue:
    """Return a value as plain JSON: numpy's numbers and arrays, and tuples, become Python's.

    `what` is what to call it in an error. Raises InvalidInputError for what JSON has no word for.
    """
    kind = type(value)
    if kind is int or kind is str:
        # most states: nothing to convert, and only the extremes to refuse
        if kind is int and -_EXACT < value < _EXACT:  # type: ignore[operator]
            return value
    elif isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    elif isinstance(value, tuple | list):
        # gymnasium gives tuples of numpy's numbers
        value = [plain(part, what) for part in value]
    try:
        return checked_json(value)
    except ValueError as fault:
        raise InvalidInputError(f"{what} {value!r:.60} is no JSON value: {fault}") from None


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
