"""What may go into a context, a score table or a detail: JSON that reads back equal."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import from_json, to_json

from daybook.errors import InvalidInputError

MAX_DEPTH = 64
"""Containers inside containers. Deeper input is hostile or a mistake."""

MAX_INT_BITS = 3300
"""About a thousand digits; Python itself refuses to write down more than 4,300."""

_LIMITED = (dict, list, int)

JsonValue = Any
JsonObject = dict[str, JsonValue]


def checked_json(value: object) -> JsonValue:
    """Return `value` as plain JSON data, or raise ValueError that names the offending part.

    Tuples become lists; everything else reads back as the same value: floats to the last
    bit, integers of up to a thousand digits, text as it was. Refused: NaN and infinities, keys
    that are not text, text that UTF-8 cannot carry, types that JSON has no word for.
    """
    try:
        read = from_json(to_json(value), allow_inf_nan=False)
    except ValueError:
        return _checked(value, 0)
    # what compiled code writes down and reads again as the same is JSON, but for its limits
    return read if read == value and _is_within_limits(read, MAX_DEPTH) else _checked(value, 0)


def written_json(value: object, what: str) -> bytes:
    """Return a value as JSON on one line; InvalidInputError, calling it `what`, if it is none."""
    try:
        return to_json(checked_json(value))
    except ValueError as fault:
        raise InvalidInputError(f"{what} is not JSON: {fault}") from None


def _is_within_limits(value: JsonValue, levels: int) -> bool:
    kind = type(value)
    if kind is int:
        return bool(value.bit_length() <= MAX_INT_BITS)
    if kind is not dict and kind is not list:
        return True
    for item in value.values() if kind is dict else value:
        # for most there is nothing to look at, and a call takes longer than all the rest
        if type(item) in _LIMITED and not _is_within_limits(item, levels - 1):
            return False
    return levels > 0


def _checked(value: object, depth: int) -> JsonValue:
    """Return the value part by part, in Python, which can tell what is wrong with it."""
    match value:
        case None | bool():
            return value
        case str():
            return checked_text(value)
        case int():
            if value.bit_length() > MAX_INT_BITS:
                raise ValueError(f"is an integer of over {MAX_INT_BITS} bits: write it as text")
            return int(value)
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{value} is not JSON: leave the value out, or use None")
            return float(value)
        case Mapping() | list() | tuple():
            if depth >= MAX_DEPTH:
                raise ValueError(f"is nested more than {MAX_DEPTH} levels deep")
            return _checked_container(value, depth)
        case _:
            raise ValueError(
                f"a {type(value).__name__} is not JSON: "
                "use text, numbers, booleans, None, lists and dicts"
            )


def checked_text(text: str) -> str:
    """Return the text, or raise ValueError if UTF-8 cannot carry it."""
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise ValueError(f"holds an unpaired surrogate at position {fault.start}") from None
    return str(text)


def _checked_container(
    container: Mapping[Any, object] | Sequence[object], depth: int
) -> JsonObject | list[JsonValue]:
    if isinstance(container, Mapping):
        for key in container:
            if not isinstance(key, str):
                raise ValueError(f"has the key {key!r}: keys must be text")  # noqa: TRY004
        return {checked_text(key): _within(key, item, depth) for key, item in container.items()}
    return [_within(position, item, depth) for position, item in enumerate(container)]


def _within(place: str | int, item: object, depth: int) -> JsonValue:
    try:
        return _checked(item, depth + 1)
    except _JsonError as fault:
        raise _JsonError((place, *fault.path), fault.reason) from None
    except ValueError as fault:
        raise _JsonError((place,), str(fault)) from None


class _JsonError(ValueError):
    """A fault deep inside, with the way to it."""

    def __init__(self, path: tuple[str | int, ...], reason: str) -> None:
        shown = ".".join(str(step)[:40] for step in path)
        super().__init__(f"{shown}: {reason}")
        self.path = path
        self.reason = reason


def _checked_object(value: object) -> JsonObject:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping, not {type(value).__name__}")  # noqa: TRY004
    checked: JsonObject = checked_json(value)
    return checked


Json = Annotated[Any, BeforeValidator(checked_json)]
JsonDict = Annotated[JsonObject, BeforeValidator(_checked_object)]
