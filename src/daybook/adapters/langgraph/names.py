"""The names that graphs give: to threads, namespaces, tasks and documents."""

from daybook.errors import InvalidInputError
from daybook.models.json_values import checked_text

_LONGEST = 10_000


def checked_name(name: object, what: str) -> str:
    """Return the name of `what`, or raise InvalidInputError if it cannot be one."""
    if not isinstance(name, str):
        raise InvalidInputError(f"{what} is text, not {name!r:.60}")
    if len(name) > _LONGEST:
        raise InvalidInputError(f"{what} has {len(name):,} characters; the most is {_LONGEST:,}")
    try:
        return checked_text(name)
    except ValueError as fault:
        raise InvalidInputError(f"{what} {fault}") from None
