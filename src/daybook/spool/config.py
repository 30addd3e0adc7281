"""Where a spool is, what it does when it is full, and how it is doing."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from threading import TIMEOUT_MAX
from typing import Literal

from daybook.errors import InvalidInputError, SpoolError


@dataclass(frozen=True, kw_only=True)
class SpoolConfig:
    """Where a spool is, and what it does when it is full.

    `path` is a file on a local disk; SQLite's own files and a lock stand beside it. At most
    `max_entries`, of `max_bytes` in all, wait in it, besides those of calls under way; the file
    is somewhat larger, by what was set aside, too. When it is full, logging waits up
    to `patience_s` seconds for room (`when_full="wait"`) or fails at once (`"raise"`); either
    ends in SpoolFullError. When the process ends, what waits is delivered for up to `drain_s`
    seconds; the rest stays in the file until it is opened again.

    Raises InvalidInputError for what cannot be.
    """

    path: str | PathLike[str]
    max_entries: int = 1_000_000
    max_bytes: int = 1024**3
    when_full: Literal["wait", "raise"] = "wait"
    patience_s: float = 30.0
    drain_s: float = 5.0

    def __post_init__(self) -> None:
        if not isinstance(self.path, str | PathLike) or not str(self.path):
            raise InvalidInputError(f"a spool needs the path of a file, not {self.path!r:.80}")
        for name in ("max_entries", "max_bytes"):
            limit = getattr(self, name)
            if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
                raise InvalidInputError(f"{name} is a whole number from 1, not {limit!r:.40}")
        for name in ("patience_s", "drain_s"):
            checked_seconds(getattr(self, name), name)
        if self.when_full not in ("wait", "raise"):
            raise InvalidInputError(f"when_full is 'wait' or 'raise', not {self.when_full!r:.40}")

    @property
    def file(self) -> Path:
        """The file, whatever names it. Raises SpoolError if nothing can be there."""
        try:
            return Path(self.path).expanduser().resolve()
        except (OSError, RuntimeError, ValueError, TypeError) as fault:
            raise SpoolError(f"{self.path!r:.200} is no path of a file: {fault}") from fault


def checked_seconds(given: float, name: str) -> float:
    """Return seconds that can be waited for, or raise InvalidInputError. `inf` is for ever."""
    if not isinstance(given, int | float) or isinstance(given, bool) or not given >= 0:
        raise InvalidInputError(f"{name} is a number of seconds from 0, not {given!r:.40}")
    return min(given, TIMEOUT_MAX)


@dataclass(frozen=True, kw_only=True)
class SpoolStatus:
    """How a spool is doing.

    `depth` entries wait, the oldest for `oldest_age_s` seconds (0 when none does). `last_error`
    is why the last try failed; None once one succeeds. `set_aside` entries were refused and are
    kept for `daybook spool`. `quarantined` counts the damaged files that lie beside the spool.
    """

    depth: int
    oldest_age_s: float
    last_error: str | None
    set_aside: int
    quarantined: int
