"""What a decorated function is called with, as a context.

Recorded: each argument by its name, if it is JSON and not large. What is left out for another
reason than being excluded is named under `arguments_left_out`.
"""

from collections.abc import Collection, Mapping
from inspect import Signature
from itertools import islice
from typing import Any

from pydantic import ValidationError

from daybook.models import DecisionContext
from daybook.models.json_values import MAX_DEPTH, JsonObject

LEFT_OUT = "arguments_left_out"

LARGEST_ARGUMENT = 4_096
"""Characters of JSON, about, of one argument: every kilobyte logged is a write unit."""

LARGEST_CALL = 32_768
"""Characters of JSON, about, of all arguments together."""

MOST_KEYWORDS = 100
LONGEST_KEYWORD = 64
"""Of what `**kwargs` takes: how many are looked at, and the characters of a name."""

SECRETS = (
    *("password", "passwd", "secret", "credential", "authorization"),
    *("api_key", "apikey", "private_key", "access_token", "auth_token"),
)
"""An argument with one of these in its name, or in that of anything inside it, is recorded only
when it is asked for by name."""

OWNERS = ("self", "cls")
"""A first parameter of this name is whom a method belongs to, and no argument."""

_SCALAR = 8


def bound_arguments(
    signature: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return a call's arguments by name, defaults too; None when the call does not fit."""
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return None
    bound.apply_defaults()
    return dict(bound.arguments)


def keywords_of(signature: Signature) -> str | None:
    """Return the name of the parameter that takes any keyword, `**kwargs`."""
    parameters = signature.parameters.values()
    return next((each.name for each in parameters if each.kind is each.VAR_KEYWORD), None)


def owner_of(signature: Signature) -> str | None:
    """Return the name of the parameter that a method belongs to."""
    first = next(iter(signature.parameters), None)
    return first if first in OWNERS else None


def recorded_arguments(
    arguments: Mapping[str, Any],
    include: Collection[str] | None = None,
    exclude: Collection[str] = (),
    gathering: str | None = None,
) -> JsonObject:
    """Return the context of a call; `include` names what alone is wanted.

    `gathering` is the parameter that takes any keyword, which are arguments by their own names;
    `include` and `exclude` name them one by one, or, by that parameter, all.
    """
    context: JsonObject = {}
    left_out: list[str] = []
    room = LARGEST_CALL
    wanted = None if include is None else set(include)
    keywords = _keywords(arguments.get(gathering) if gathering else None)
    declared = {name: value for name, value in arguments.items() if name != gathering}
    for name, value in (keywords | declared).items():
        names = {name} if gathering is None or name in declared else {name, gathering}
        if not names.isdisjoint(exclude) or (wanted is not None and wanted.isdisjoint(names)):
            continue
        weight = _weight(value, min(LARGEST_ARGUMENT, room))
        kept = _kept(name, value, weight)
        # of the copy, for another thread may be changing the value
        if kept is None or ((wanted is None or name not in wanted) and _holds_secret(kept)):
            left_out.append(name)
        else:
            context |= kept
            room -= weight or 0
    if gathering and len(keywords) < len(arguments.get(gathering, ())):
        left_out.append(gathering)
    return {LEFT_OUT: left_out} | context if left_out else context


def _keywords(gathered: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the keywords that can be named, within bounds: a caller may have made them up."""
    names = (name for name in gathered or {} if len(name) <= LONGEST_KEYWORD)
    named = islice((name for name in names if name.isidentifier()), MOST_KEYWORDS)
    return {name: gathered[name] for name in named} if gathered else {}


def _holds_secret(value: object) -> bool:
    """Whether a name in this JSON, at whatever depth, is that of a secret."""
    if isinstance(value, dict):
        return any(_may_be_secret(key) or _holds_secret(each) for key, each in value.items())
    return isinstance(value, list) and any(_holds_secret(each) for each in value)


def _may_be_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRETS)


def _kept(name: str, value: object, weight: int | None) -> JsonObject | None:
    if weight is None:
        return None
    try:
        # by itself, so that one argument that does not fit costs no other its place
        return DecisionContext.model_validate({name: value}).as_dict()
    except (ValidationError, RuntimeError):  # RuntimeError: another thread is changing it
        return None


def _weight(value: object, room: int, depth: int = 0) -> int | None:
    """Return about how many characters of JSON this is; None over `room`, or if it is none.

    It looks at no more than fits, so a million numbers cost no more than a thousand.
    """
    match value:
        case str():
            weight = len(value) + 2
        case bool() | None | float():
            weight = _SCALAR
        case int():
            weight = _SCALAR + value.bit_length() // 3
        case dict() | list() | tuple() if depth < MAX_DEPTH:
            weight = 2
            try:
                for item in _flat(value):
                    within = _weight(item, room - weight, depth + 1)
                    if within is None:
                        return None
                    weight += within
            except RuntimeError:
                return None
        case _:
            return None
    return weight if weight <= room else None


def _flat(container: Any) -> Any:
    if isinstance(container, dict):
        return (part for pair in container.items() for part in pair)
    return container
