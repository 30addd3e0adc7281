"""Text of a user's that becomes part of a key: a session's id, a run's."""

from typing import Annotated

from pydantic import AfterValidator

from daybook.errors import InvalidInputError

LONGEST_BYTES = 512


def checked_key_part(text: object, name: str) -> str:
    """Return the text, or raise InvalidInputError if it cannot be part of a key."""
    if not isinstance(text, str) or not text:
        raise InvalidInputError(f"{name} is {text!r:.60}: use a text that is not empty")
    if "#" in text or not text.isprintable():
        raise InvalidInputError(f"{name} is {text!r:.80}: leave out # and controls")
    if len(text.encode()) > LONGEST_BYTES:
        raise InvalidInputError(
            f"{name} takes {len(text.encode())} bytes; the most is {LONGEST_BYTES}: shorten it"
        )
    return text


def checked_session_id(text: object) -> str:
    """Return a session's id, or raise InvalidInputError."""
    return checked_key_part(text, "session_id")


SessionId = Annotated[str, AfterValidator(checked_session_id)]
