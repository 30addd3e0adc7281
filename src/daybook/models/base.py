"""What every record has in common: frozen, strict, and clear about bad input."""

from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from daybook.errors import InvalidInputError

Item = TypeVar("Item")
Kind = TypeVar("Kind")

MOST_PROBLEMS = 50
"""Problems that one error lists: a body of megabytes can have one in every number."""


class Record(BaseModel):
    """An immutable pydantic model that refuses unknown fields and never coerces types.

    Its `title` is what errors call it: an agent that logs a decision knows of no draft.
    """

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,
    )

    @classmethod
    def checked(cls, **fields: Any) -> Self:
        """Build the record, or raise InvalidInputError that names every faulty field."""
        try:
            return cls(**fields)
        except ValidationError as fault:
            raise as_invalid_input(fault, fault.title) from None


def as_invalid_input(fault: ValidationError, what: str) -> InvalidInputError:
    """Turn pydantic's report into one sentence a problem, of the first fifty."""
    problems = [
        (
            ".".join(str(step) for step in error["loc"]),
            error["msg"].removeprefix("Value error, "),
        )
        for error in fault.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]
    ]
    listed = "; ".join(f"{where}: {reason}" if where else reason for where, reason in problems)
    more = fault.error_count() - len(problems)
    if more:
        listed += f"; and {more} more"
    return InvalidInputError(f"{what} is not valid. {listed}", problems)


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


ListOf = Annotated[list[Item], BeforeValidator(_as_list)]
"""A list that may also be given as a tuple."""


def checked_kind(given: object, kind: type[Kind], how: str) -> Kind:
    """Return what was given; InvalidInputError, with `how` one is made, if it is another thing."""
    if not isinstance(given, kind):
        raise InvalidInputError(f"{given!r:.80} is no {kind.__name__}: pass {how}")
    return given
