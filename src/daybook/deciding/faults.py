"""What is recorded of an exception that left a block, and what is said of one in logging it."""

import logging
from contextlib import suppress

from daybook.errors import DaybookError

_log = logging.getLogger("daybook")

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


def warned(what: str, fault: BaseException) -> None:
    """Log a warning; with the traceback if it is debugged, or nothing that Daybook raises.

    An error of Daybook's is a sentence that says what to do, and so enough.
    """
    is_enough = isinstance(fault, DaybookError) and not _log.isEnabledFor(logging.DEBUG)
    _log.warning("%s: %s", what, fault, exc_info=None if is_enough else fault)
