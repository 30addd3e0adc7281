"""When a loop whose step raises goes on, and when it gives up."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from threading import TIMEOUT_MAX

from daybook.errors import InvalidInputError
from daybook.spool.config import checked_seconds

_MOST_DOUBLINGS = 60


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """How long a loop pauses after its step has raised, and how often in a row it may.

    The pauses double from `first_pause_s` to `longest_pause_s` seconds, each less up to a half by
    chance, so that loops which failed together do not all come back together. After
    `most_failures` in a row the loop gives up. A step that ends well begins the row anew. `draw`
    (from 0 to 1) is there to be replaced in tests.

    Raises InvalidInputError for what cannot be.
    """

    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    most_failures: int = 10
    draw: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        first = checked_seconds(self.first_pause_s, "first_pause_s")
        if first > checked_seconds(self.longest_pause_s, "longest_pause_s"):
            raise InvalidInputError(
                f"first_pause_s is {self.first_pause_s!r:.40} and longest_pause_s "
                f"{self.longest_pause_s!r:.40}: the first is no more than the second"
            )
        checked_count(self.most_failures, "most_failures")

    def pause(self, failures: int) -> float | None:
        """Return for how many seconds to pause after so many failures in a row; None: give up."""
        if failures >= self.most_failures:
            return None
        doubled = self.first_pause_s * 2 ** min(failures - 1, _MOST_DOUBLINGS)
        pause = min(doubled, self.longest_pause_s, TIMEOUT_MAX)
        return float(pause * (0.5 + self.draw() / 2))


def checked_count(given: int, name: str, most: int | None = None) -> int:
    """Return a whole number from 1, or raise InvalidInputError."""
    is_whole = isinstance(given, int) and not isinstance(given, bool)
    if not is_whole or given < 1 or (most is not None and given > most):
        upto = "" if most is None else f" to {most:,}"
        raise InvalidInputError(f"{name} is a whole number from 1{upto}, not {given!r:.40}")
    return given
