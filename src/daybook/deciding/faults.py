"""What is recorded of an exception that left a block."""

from contextlib import suppress

LONGEST_ERROR = 1_000
"""Characters of an exception that are recorded."""


def described(fault: BaseException) -> str:
    """Return `TypeName: message`, cut to a thousand characters; text that UTF-8 can carry."""
    message = ""
    # an exception may fail to describe itself, and that must not hide it
    with suppress(Exception):
        message = str(fault)
    name = type(fault).__name__
    text = f"{name}: {message}" if message else name
    if len(text) > LONGEST_ERROR:
        text = f"{text[: LONGEST_ERROR - 1]}…"
    return text.encode(errors="backslashreplace").decode()


def noted(fault: BaseException, note: str) -> None:
    """Add a note to an exception, if it takes any."""
    with suppress(Exception):
        fault.add_note(note)
