"""Beats: when a loop's steps are due. Pure: the time is an argument."""

import math
from dataclasses import dataclass
from threading import TIMEOUT_MAX

from daybook.errors import InvalidInputError
from daybook.spool.config import checked_seconds

SHORTEST_INTERVAL = 0.001
"""Seconds. A thread that sleeps for less is late most of the time."""


@dataclass
class Beats:
    """Beats at `started`, and each `interval_s` after it: seconds of one timer.

    A beat is a multiple of the interval, so lateness does not add up. Beats that come due while a
    step is at work are missed, and the next one that is due goes on in time: what tokio's
    `MissedTickBehavior` calls `Skip`. With an interval of 0 the next beat is always due, and none
    is missed.
    """

    interval_s: float
    started: float
    number: int = 0

    @property
    def due(self) -> float:
        """When the next beat is due."""
        return self.started + self.number * self.interval_s

    def wait(self, now: float) -> float:
        """Return for how many seconds to wait for it; 0 if it is due."""
        return min(max(0.0, self.due - now), TIMEOUT_MAX)

    def delay(self, now: float) -> float | None:
        """Return by how many seconds the beat is late; None if it was due at no time."""
        return max(0.0, now - self.due) if self.interval_s else None

    def advance(self, now: float) -> int:
        """Go on to the first beat that is not over yet; return how many were missed."""
        after = self.number + 1
        if self.interval_s:
            self.number = max(after, math.ceil((now - self.started) / self.interval_s))
        else:
            self.number = after
        return self.number - after


def checked_interval(interval_s: float) -> float:
    """Return the interval, or raise InvalidInputError: 0, or a millisecond and more."""
    interval = checked_seconds(interval_s, "interval_s")
    if 0 < interval < SHORTEST_INTERVAL:
        raise InvalidInputError(
            f"interval_s is {interval_s!r:.40}: use 0 for at once, or at least {SHORTEST_INTERVAL}"
        )
    return interval
