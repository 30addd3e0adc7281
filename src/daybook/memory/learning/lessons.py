"""A lesson, and the plain features inside its context."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from daybook.memory.paths import look_up

MOST_VALUES = 64
"""Of a context so many values are looked at, in the order in which it names them."""

MOST_STEPS = 1000
"""Keys of one context that are visited; a hostile context may have millions."""

DEEPEST = 8
LONGEST_TEXT = 64
LONGEST_PATH = 128
_LARGEST = 1.7e308
_NOTHING = object()

Value = float | str | bool | None
"""A feature's value: a float is numeric, anything else is a category."""


class Lesson(NamedTuple):
    """A decision with its outcome, as the learner sees it.

    `uuid` is the decision's UUIDv7; `decided_at` is aware; each of `choices` is credited with
    the outcome; `context` is JSON.
    """

    uuid: str
    decided_at: datetime
    choices: tuple[str, ...]
    context: Mapping[str, Any]
    success: bool


def features_of(context: Mapping[str, Any]) -> dict[str, Value]:
    """Return the context's plain values by dotted path.

    Lists, long texts and what has no path at all (`{"": 1}`) are ignored; numbers become floats,
    the largest integers the largest float. Where two paths read the same, the one stands that
    `look_up` finds.
    """
    found: dict[str, Value] = {}
    for step, (path, value) in enumerate(_walk(context, "", 0)):
        if step >= MOST_STEPS or len(found) >= MOST_VALUES:
            break
        if path:
            plain = _plain(look_up(context, path) if path in found else value)
            if plain is not _NOTHING:
                found[path] = plain
    return found


def _plain(value: Any) -> Any:
    """Return the value as a feature's value, `_NOTHING` if it cannot be one."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else _NOTHING
    if value is None or isinstance(value, bool):
        return value
    return as_float(value) if isinstance(value, int | float) else _NOTHING


def as_float(number: int | float) -> float:  # noqa: PYI041 - an integer is not a float here
    """Return the number as a float; what is too large becomes the largest."""
    if isinstance(number, float):
        return number
    return float(number) if number.bit_length() < 1024 else (_LARGEST if number > 0 else -_LARGEST)  # noqa: PLR2004 - a float's exponent


def _walk(node: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if len(path) > LONGEST_PATH:
            yield "", ()  # a step, and nothing found
        elif isinstance(value, Mapping):
            yield "", ()
            if depth < DEEPEST:
                yield from _walk(value, f"{path}.", depth + 1)
        else:
            yield path, value
