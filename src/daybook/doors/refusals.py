"""Refusals: Daybook's errors as HTTP answers, and back again.

One table gives each error its status. The body says the rest:
`{"error": <class>, "message": <sentence>, "problems": [[where, what], …]}` and, where the error
carries more, `"details"`. Read back, it is the same error with the same attributes.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_jsonable_python

from daybook import errors
from daybook.models import DecisionRecord
from daybook.models.base import MOST_PROBLEMS
from daybook.store.signing import HttpAnswer

STATUS_OF: tuple[tuple[type[errors.DaybookError], HTTPStatus], ...] = (
    (errors.UnknownCallerError, HTTPStatus.FORBIDDEN),
    (errors.ForgedIdentityError, HTTPStatus.FORBIDDEN),
    (errors.ForeignDecisionError, HTTPStatus.FORBIDDEN),
    (errors.ForeignPatternError, HTTPStatus.FORBIDDEN),
    (errors.ForeignSignalError, HTTPStatus.FORBIDDEN),
    (errors.BodyTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.InvalidInputError, HTTPStatus.BAD_REQUEST),
    (errors.NotFoundError, HTTPStatus.NOT_FOUND),
    (errors.ConflictError, HTTPStatus.CONFLICT),
    (errors.ChainError, HTTPStatus.CONFLICT),
    (errors.ThrottledError, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.UnreachableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.UnfinishedBatchError, HTTPStatus.SERVICE_UNAVAILABLE),
)

LONGEST_MESSAGE = 4_000
"""Characters of a message, and of each problem, that are told."""

UNTOLD = frozenset({"unprocessed"})
"""What an error carries for whoever is at the tables: keys and bytes of DynamoDB's."""

PASSING = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses of faults that may pass; 500 only where it is API Gateway's own, not the function's."""

_WHERE = "that the URL is the stack's output ApiUrl"

_BY_STATUS: Mapping[int, tuple[type[errors.DaybookError], str]] = {
    401: (errors.AccessDeniedError, "sign the request with the agent's role"),
    403: (
        errors.AccessDeniedError,
        f"check that the role may call the API, that it has not expired, and {_WHERE}",
    ),
    404: (
        errors.StorageError,
        f"nothing is there: check {_WHERE}",
    ),
    413: (errors.BodyTooLargeError, "the API carries 6 MB, compressed: use the tables directly"),
    429: (errors.ThrottledError, "the API is throttled: try again later"),
    500: (errors.StorageError, "the API's function failed, or ran out of time: its log says why"),
    502: (errors.UnreachableError, "the API's function failed: try again"),
    503: (errors.UnreachableError, "the API is not available: try again"),
    504: (errors.UnreachableError, "the API's function took too long: try again"),
}
"""What an answer means that does not come from Daybook's own function."""

_KINDS: Mapping[str, type[errors.DaybookError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.DaybookError)
}


def status_of(error: errors.DaybookError) -> HTTPStatus:
    """Return the status of an error; the first match of the table, from narrow to wide."""
    for kind, status in STATUS_OF:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def refusal(error: errors.DaybookError) -> dict[str, Any]:
    """Return the body that tells a client what went wrong, within bounds but for `details`."""
    carried = {
        name: value
        for name, value in vars(error).items()
        if not name.startswith("_") and name not in UNTOLD
    }
    problems = carried.pop("problems", ())[:MOST_PROBLEMS]
    details = {name: to_jsonable_python(value) for name, value in carried.items() if value}
    told = {
        "error": type(error).__name__,
        "message": _cut(str(error)),
        "problems": [[_cut(where), _cut(what)] for where, what in problems],
    }
    return told | ({"details": details} if details else {})


def briefly(error: errors.DaybookError) -> dict[str, Any]:
    """Return the body for an error that cannot be told in full."""
    return {"error": type(error).__name__, "message": _cut(str(error)), "problems": []}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1]}…"


def error_of(asked: str, answer: HttpAnswer) -> errors.DaybookError:
    """Return the error that an answer tells of. `asked` is what the request was."""
    try:
        told = from_json(answer.body)
        error = _KINDS[told["error"]](told["message"])
        _restore(error, told)
    except (ValueError, KeyError, TypeError, ValidationError):
        return _foreign(asked, answer)
    return error


def _restore(error: errors.DaybookError, told: Mapping[str, Any]) -> None:
    if isinstance(error, errors.InvalidInputError):
        error.problems = tuple((where, what) for where, what in told.get("problems", ()))
    for name, value in told.get("details", {}).items():
        # JSON as it came, but for the records of a chain
        records = name == "chain" and [
            DecisionRecord.model_validate(each, strict=False) for each in value
        ]
        setattr(error, name, tuple(records) if records else value)


def _foreign(asked: str, answer: HttpAnswer) -> errors.DaybookError:
    """Return the error for an answer that Daybook's function did not give."""
    kind, advice = _BY_STATUS.get(
        answer.status, (errors.StorageError, f"that is not Daybook's API: check {_WHERE}")
    )
    said = answer.body[:200].decode(errors="replace")
    return kind(f"{asked} was answered with the status {answer.status} ({said}): {advice}")
