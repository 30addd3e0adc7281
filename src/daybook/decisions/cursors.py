"""Cursors: where a page ended, tied to the query that it was a page of."""

import base64
import binascii
import hashlib
import json

from daybook.errors import InvalidCursorError, InvalidDecisionIdError
from daybook.models import DecisionId

_FINGERPRINT_LENGTH = 12


def encode(query: str, last: DecisionId) -> str:
    """Return the cursor of a page that ended with this decision."""
    plain = json.dumps([_fingerprint(query), str(last)])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode(query: str, cursor: str) -> DecisionId:
    """Return the decision at which the page before ended.

    A cursor says only where to go on, never whose log to read: that is the query's part.
    Raises InvalidCursorError when it is damaged or belongs to another query.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        fingerprint, last = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        decision_id = DecisionId.parse(last)
    except (binascii.Error, ValueError, TypeError, InvalidDecisionIdError, RecursionError):
        raise InvalidCursorError(
            "the cursor is damaged: pass .cursor of the page before, unchanged, or none to start"
        ) from None
    if fingerprint != _fingerprint(query):
        raise InvalidCursorError(
            "the cursor belongs to another query: keep every argument but the limit the same "
            "from page to page, or start without a cursor"
        )
    return decision_id


def _fingerprint(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:_FINGERPRINT_LENGTH]
