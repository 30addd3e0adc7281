"""From Daybook's errors to HTTP: one table, and one form for every refusal.

The body is `{"error": <class>, "message": <sentence>, "problems": [[where, what], …]}`.
"""

from http import HTTPStatus

from daybook import errors

STATUS_OF: tuple[tuple[type[errors.DaybookError], HTTPStatus], ...] = (
    (errors.UnknownCallerError, HTTPStatus.FORBIDDEN),
    (errors.ForeignDecisionError, HTTPStatus.FORBIDDEN),
    (errors.BodyTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.InvalidInputError, HTTPStatus.BAD_REQUEST),
    (errors.NotFoundError, HTTPStatus.NOT_FOUND),
    (errors.ConflictError, HTTPStatus.CONFLICT),
    (errors.ChainError, HTTPStatus.CONFLICT),
    (errors.ThrottledError, HTTPStatus.TOO_MANY_REQUESTS),
    (errors.UnreachableError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def status_of(error: errors.DaybookError) -> HTTPStatus:
    """Return the status of an error; the first match of the table, from narrow to wide."""
    for kind, status in STATUS_OF:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def refusal(error: errors.DaybookError) -> dict[str, object]:
    """Return the body that tells a client what went wrong."""
    return {
        "error": type(error).__name__,
        "message": str(error),
        "problems": [list(problem) for problem in getattr(error, "problems", ())],
    }
