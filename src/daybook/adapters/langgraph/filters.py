"""Which documents a filter and a namespace condition let through, as LangGraph's stores do it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langgraph.store.base import MatchCondition

from daybook.errors import InvalidInputError

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, wanted: bool(value == wanted),
    "$ne": lambda value, wanted: bool(value != wanted),
    "$gt": lambda value, wanted: float(value) > float(wanted),
    "$gte": lambda value, wanted: float(value) >= float(wanted),
    "$lt": lambda value, wanted: float(value) < float(wanted),
    "$lte": lambda value, wanted: float(value) <= float(wanted),
}


def lets_through(conditions: Mapping[str, Any] | None, value: Mapping[str, Any]) -> bool:
    """Whether a document's value meets every condition of a filter; a missing field is None.

    Orders compare as numbers, so those of a field that is none raise TypeError or ValueError,
    as in LangGraph's own store. Raises InvalidInputError for an operator that there is not.
    """
    return all(_meets(value.get(name), wanted) for name, wanted in (conditions or {}).items())


def _meets(value: Any, wanted: Any) -> bool:
    match wanted:
        case dict() if any(name.startswith("$") for name in wanted):
            return all(_compare(value, name, against) for name, against in wanted.items())
        case dict():
            return isinstance(value, dict) and all(
                _meets(value.get(name), part) for name, part in wanted.items()
            )
        case list() | tuple():
            return (
                isinstance(value, list | tuple)
                and len(value) == len(wanted)
                and all(_meets(one, part) for one, part in zip(value, wanted, strict=True))
            )
        case _:
            return bool(value == wanted)


def _compare(value: Any, operator: str, wanted: Any) -> bool:
    if operator not in _OPERATORS:
        raise InvalidInputError(
            f"there is no operator {operator!r:.60} in a filter: use {', '.join(_OPERATORS)}"
        )
    return _OPERATORS[operator](value, wanted)


def is_under(namespace: Sequence[str], condition: MatchCondition) -> bool:
    """Whether a namespace begins or ends as a condition says; `*` is any one label."""
    path = condition.path
    if condition.match_type not in ("prefix", "suffix"):
        raise InvalidInputError(
            f"a namespace cannot match by {condition.match_type!r:.60}: use prefix or suffix"
        )
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)]
    if condition.match_type == "suffix":
        part = namespace[len(namespace) - len(path) :]
    return all(wanted in ("*", label) for label, wanted in zip(part, path, strict=True))


def fixed_start(conditions: Sequence[MatchCondition] | None) -> tuple[str, ...]:
    """Return the labels that every namespace under these conditions begins with."""
    starts: list[tuple[str, ...]] = [()]
    for condition in conditions or ():
        if condition.match_type == "prefix":
            path = tuple(condition.path)
            starts.append(path[: path.index("*")] if "*" in path else path)
    return max(starts, key=len)
