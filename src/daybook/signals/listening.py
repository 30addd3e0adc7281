"""Listening: claims as they come, asked for often while there are some and seldom while not."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from daybook.errors import ClaimExpiredError, InvalidInputError, StorageError
from daybook.signals.claims import Claim

SHARE_IN_HAND = 0.25
"""What is claimed ahead should be dealt with within this share of the visibility."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How a listener waits: seconds, growing from `idle_min` to `idle_max` while nothing comes.

    `sleep`, `draw`, `timer` (seconds) are there to be replaced in tests.
    """

    idle_min: float = 0.2
    idle_max: float = 20.0
    sleep: Callable[[float], object] = time.sleep
    draw: Callable[[], float] = random.random
    timer: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        for name in ("idle_min", "idle_max"):
            seconds = getattr(self, name)
            if isinstance(seconds, bool) or not isinstance(seconds, int | float):
                raise InvalidInputError(f"{name} is {seconds!r:.60}: use seconds")
        if not 0 < self.idle_min <= self.idle_max <= 3_600:  # noqa: PLR2004 - an hour
            raise InvalidInputError(
                f"idle_min is {self.idle_min!r} and idle_max {self.idle_max!r}: use seconds, the "
                "first more than 0 and no more than the second, and that at most 3600"
            )


def listen(
    take: Callable[[int], list[Claim]],
    *,
    visibility_seconds: int,
    batch: int,
    patience: Patience,
    is_over: Callable[[], bool],
    remaining: Callable[[], float],
) -> Iterator[Claim]:
    """Yield claims one by one until it is over; `take` claims up to so many signals.

    No more are claimed ahead than can be dealt with in a quarter of their visibility, going by
    how long the last ones took; the first is claimed alone. What was claimed and not yielded
    when the caller stops is given back, and does not count as an attempt.
    """
    pause, ahead = patience.idle_min, 1
    in_hand: deque[Claim] = deque()
    try:
        while not is_over():
            # the claims' own times are by the clock of whoever answers, perhaps another machine;
            # taken before asking, so that they are held for longer than is believed
            asked = patience.timer()
            in_hand.extend(take(min(ahead, batch)))
            if not in_hand:
                # jitter, so that many listeners do not all come at once
                nap = pause * (0.5 + patience.draw() / 2)
                patience.sleep(min(nap, remaining()))
                pause = min(pause * 2, patience.idle_max)
                continue
            pause = patience.idle_min
            began, count = patience.timer(), 0
            while in_hand and not is_over():
                # in hand until it is known to be fresh: if that fails, it is given back, too
                is_fresh = _is_fresh(in_hand[0], visibility_seconds, patience.timer() - asked)
                claim = in_hand.popleft()
                if is_fresh:
                    count += 1
                    yield claim
            took = (patience.timer() - began) / max(count, 1)
            room = visibility_seconds * SHARE_IN_HAND
            ahead = batch if took * batch <= room else max(1, int(room / took))
    finally:
        for claim in in_hand:
            _give_back(claim)


def _is_fresh(claim: Claim, visibility_seconds: int, held: float) -> bool:
    """Whether at least half of the visibility is left, if need be after extending the claim.

    `held` is for how many seconds it has been claimed.
    """
    if held <= visibility_seconds / 2:
        return True
    if held >= visibility_seconds:
        return False
    try:
        claim.extend(visibility_seconds)
    except ClaimExpiredError:
        return False
    return True


def _give_back(claim: Claim) -> None:
    # it comes back by itself, and the others are to be given back too
    with suppress(ClaimExpiredError, StorageError):
        claim.release(untried=True)
