"""Verbs: what an agent can do, each written once and spoken through either door.

A method of the agent's handle becomes a verb by its decorator, which says the HTTP request
that stands for it. What the request carries follows from the method's signature, so the client
and the function behind the API cannot disagree about it.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, get_type_hints
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from pydantic_core import from_json, to_json

from daybook.errors import InvalidInputError
from daybook.models.base import Record, as_invalid_input
from daybook.models.identity import DecisionId
from daybook.models.json_values import checked_json
from daybook.models.signal_ids import SignalId
from daybook.models.state import checked_checkpoint_id

if TYPE_CHECKING:
    from daybook.doors.handle import Handle

_PATH_IDS: Mapping[str, Callable[[Any], object]] = {
    "checkpoint_id": checked_checkpoint_id,
    "decision_id": DecisionId.parse,
    "signal_id": SignalId.parse,
}
"""What can stand in a path, and how it is checked: as by the functions of its room."""

Agent = TypeVar("Agent", bound="Handle")
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Wire:
    """A verb's arguments on their way: the path, the query string, and the body if it has one."""

    path: str
    query: str
    body: bytes | None


@dataclass(frozen=True, kw_only=True)
class Verb:
    """A verb and the request that stands for it.

    `path` names arguments in braces. The others travel in the query string of a GET and in the
    JSON body of anything else; an argument that is a record travels as its fields. `lists` is
    the name under which an answer that is a list stands in its JSON. A verb that is `repeatable`
    may be sent again when no answer came. `creates` makes the answer's status 201.
    """

    function: Callable[..., Any]
    method: str
    path: str
    lists: str | None
    repeatable: bool
    creates: bool

    @property
    def name(self) -> str:
        """The method's name."""
        return self.function.__name__

    @property
    def request(self) -> str:
        """Method and path, by which both sides, and errors, speak of the verb."""
        return f"{self.method} {self.path}"

    @cached_property
    def signature(self) -> inspect.Signature:
        """The method's signature, `self` included."""
        return inspect.signature(self.function)

    @cached_property
    def _hints(self) -> Mapping[str, Any]:
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def record(self) -> tuple[str, type[Record]] | None:
        """The argument that is a record, if there is one; then it is the only one."""
        for name in self._names:
            hint = self._hints[name]
            if isinstance(hint, type) and issubclass(hint, Record):
                return name, hint
        return None

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """What a request has to carry, checked."""
        # a query string is text, and stands for numbers, moments and so on
        return self._arguments(strict=self.method != "GET")

    @cached_property
    def _typed(self) -> type[BaseModel]:
        return self._arguments(strict=True)

    def _arguments(self, *, strict: bool) -> type[BaseModel]:
        if self.record:
            return self.record[1]
        fields: dict[str, Any] = {
            name: (self._hints[name], ... if each.default is each.empty else each.default)
            for name, each in self.signature.parameters.items()
            if name in self._names
        }
        config = ConfigDict(
            strict=strict,
            extra="forbid",
            hide_input_in_errors=True,
            arbitrary_types_allowed=True,
        )
        return create_model(self.name, __config__=config, **fields)

    @cached_property
    def answer(self) -> TypeAdapter[Any]:
        """What comes back, as JSON says it."""
        hint: Any = self._hints["return"]
        wrapped: Any = dict[str, hint] if self.lists else hint
        return TypeAdapter(wrapped)

    def dump(self, answer: Any) -> bytes:
        """Write down what the verb returned."""
        return self.answer.dump_json({self.lists: answer} if self.lists else answer)

    def read(self, body: bytes) -> Any:
        """Return what the verb returned, from what was written down. Raises ValidationError."""
        # JSON has no moments and no enums: text stands for them
        answer = self.answer.validate_json(body, strict=False)
        return answer[self.lists] if self.lists else answer

    @cached_property
    def _names(self) -> list[str]:
        return list(self.signature.parameters)[1:]

    @cached_property
    def in_path(self) -> frozenset[str]:
        """The arguments that travel in the path."""
        names = list(self.arguments.model_fields)
        return frozenset(name for name in names if f"{{{name}}}" in self.path)

    def pack(self, given: Mapping[str, Any]) -> Wire:
        """Write the arguments down. Raises InvalidInputError for what JSON cannot say."""
        # first, so that both doors refuse an id by the same error; a slash in one would lead to
        # another path, or nowhere
        ids = {name: _PATH_IDS[name](given[name]) for name in self.in_path if name in given}
        if self.method == "GET":
            self._check(given)
        flat: dict[str, Any] = {}
        for name, value in given.items():
            flat |= self._flat(name, value)
        path = self.path
        for name in self.in_path:
            told = flat.pop(name)
            value = ids[name] if name in ids else _PATH_IDS[name](told)
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        if self.method == "GET":
            asked = {name: _text(value) for name, value in flat.items() if value is not None}
            return Wire(path, urlencode(asked, quote_via=quote), None)
        return Wire(path, "", to_json(flat))

    def _check(self, given: Mapping[str, Any]) -> None:
        """Refuse what would be something else once it is text."""
        try:
            self._typed.model_validate(dict(given))
        except ValidationError as fault:
            raise as_invalid_input(fault, f"the request {self.request}") from None

    def _flat(self, name: str, value: Any) -> dict[str, Any]:
        if self.record and name == self.record[0]:
            if not isinstance(value, self.record[1]):
                raise InvalidInputError(
                    f"{name} is a {type(value).__name__}: use a {self.record[1].__name__}"
                )
            # checked again, for a copy can be changed without being checked
            whole = self.record[1].checked(**dict(value))
            dumped: dict[str, Any] = whole.model_dump(
                mode="json", include=set(type(whole).model_fields)
            )
            return dumped
        try:
            return {name: _jsonable(value)}
        except ValueError as fault:
            raise InvalidInputError(f"{name}: {fault}", [(name, str(fault))]) from None

    def unpack(
        self, path: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> dict[str, Any]:
        """Read the arguments back. Raises InvalidInputError that names every faulty one."""
        try:
            checked = self._read(path, query, body)
        except ValidationError as fault:
            raise as_invalid_input(fault, f"the request {self.request}") from None
        if self.record:
            return {self.record[0]: checked}
        return {name: getattr(checked, name) for name in checked.model_fields_set}

    def _read(self, path: Mapping[str, str], query: Mapping[str, str], body: bytes) -> BaseModel:
        if self.method == "GET":
            return self.arguments.model_validate({**query, **path})
        if query:
            raise InvalidInputError(
                f"{self.request} takes its arguments in the body, not in the query"
            )
        if not path:
            return self.arguments.model_validate_json(body or b"{}")
        try:
            document = from_json(body) if body else {}
        except ValueError as fault:
            raise InvalidInputError(
                f"the body is not valid. Invalid JSON: {fault}", [("", str(fault))]
            ) from None
        if not isinstance(document, dict):
            raise InvalidInputError("the body is not a JSON object", [("", "is not an object")])
        twice = sorted(document.keys() & path.keys())
        if twice:
            raise InvalidInputError(
                f"{twice[0]} is in the path already: leave it out of the body",
                [(twice[0], "is in the path already")],
            )
        return self.arguments.model_validate_json(to_json(document | dict(path)))


VERBS: dict[str, Verb] = {}
"""Every verb, by its name."""


def verb(
    method: str,
    path: str,
    *,
    lists: str | None = None,
    repeatable: bool = True,
    creates: bool = False,
) -> Callable[
    [Callable[Concatenate[Agent, Arguments], Answer]],
    Callable[Concatenate[Agent, Arguments], Answer],
]:
    """Make a method of the handle a verb: see `Verb` for what the arguments say.

    Raises TypeError for a second verb of the same name.
    """

    def spoken(
        function: Callable[Concatenate[Agent, Arguments], Answer],
    ) -> Callable[Concatenate[Agent, Arguments], Answer]:
        made = Verb(
            function=function,
            method=method,
            path=path,
            lists=lists,
            repeatable=repeatable,
            creates=creates,
        )
        if VERBS.setdefault(made.name, made) is not made:
            raise TypeError(f"{made.name} is {VERBS[made.name].request} already: rename one")

        def speak(self: Agent, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
            if self.api is None:
                return function(self, *args, **kwargs)
            bound = made.signature.bind(self, *args, **kwargs)
            given = dict(list(bound.arguments.items())[1:])
            answer: Answer = self.api.call(made, given)
            return answer

        functools.update_wrapper(speak, function)
        return speak

    return spoken


def _jsonable(value: Any) -> Any:
    """Return an argument as JSON; ValueError says what JSON cannot say."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    return checked_json(value)


def _text(value: Any) -> str:
    """Return a value as a query string or a path carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return to_json(value).decode()
