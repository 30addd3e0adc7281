"""What can be said about a decision until it is logged: attributes that check and then freeze."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from pydantic import ValidationError

from daybook.errors import InvalidInputError
from daybook.models import DecisionContext
from daybook.models.base import as_invalid_input
from daybook.models.json_values import JsonObject

if TYPE_CHECKING:
    from daybook.deciding.open_decisions import OpenDecision

Kept = TypeVar("Kept")
Given_contra = TypeVar("Given_contra", contravariant=True)


class Part(Generic[Kept, Given_contra]):
    """An attribute that is checked when it is set, and refused once the decision is logged."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, decision: None, owner: type) -> "Part[Kept, Given_contra]": ...
    @overload
    def __get__(self, decision: "OpenDecision", owner: type) -> Kept: ...
    def __get__(
        self, decision: "OpenDecision | None", owner: type
    ) -> "Part[Kept, Given_contra] | Kept":
        if decision is None:
            return self
        kept: Kept = decision.said(self.name)
        return kept

    def __set__(self, decision: "OpenDecision", value: Given_contra) -> None:
        decision.say(**{self.name: value})


class Seen(MutableMapping[str, Any]):
    """A context that takes more until the decision is logged; each entry is checked at once.

    It holds a copy of what it is given, as it was then. `still_open` raises once it is closed,
    which nobody does while they hold `saying`. A change replaces the whole, so that whoever
    iterates in another thread goes on with what stood there.
    """

    def __init__(self, given: JsonObject, saying: RLock, still_open: Callable[[], None]) -> None:
        self._data = given
        self._saying = saying
        self._still_open = still_open

    def __getitem__(self, name: str) -> Any:
        return self._data[name]

    def __setitem__(self, name: str, value: object) -> None:
        entry = checked_context({name: value})
        with self._saying:
            self._still_open()
            self._data = self._data | entry

    def __delitem__(self, name: str) -> None:
        with self._saying:
            self._still_open()
            kept = dict(self._data)
            del kept[name]
            self._data = kept

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return repr(self._data)


def checked_context(given: object) -> JsonObject:
    """Return a copy of a context as plain JSON, or raise InvalidInputError."""
    if not isinstance(given, Mapping):
        raise InvalidInputError(
            f"context must be a mapping, not {type(given).__name__}",
            [("context", "is not a mapping")],
        )
    try:
        return DecisionContext.model_validate(dict(given)).as_dict()
    except ValidationError as fault:
        raise as_invalid_input(fault, "the context") from None


def unchanging(value: object) -> object:
    """Return a view of a list or a dict that refuses to be changed in place."""
    match value:
        case list():
            return tuple(value)
        case dict():
            return MappingProxyType(value)
        case _:
            return value
