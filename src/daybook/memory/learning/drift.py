"""Has a pattern's evidence turned? A test of each old | recent split of its segments.

As in ADWIN (Bifet & Gavaldà 2007), every boundary between segments is tried, and the two halves
differ if they are further apart than chance allows at a small risk, shared among the splits.
Compared is the lift, the rate inside less the rate outside, so that a day on which everything
fails turns no pattern.
"""

from datetime import datetime
from typing import NamedTuple

import numpy as np

from daybook.memory.learning.evidence import Floats
from daybook.memory.learning.multiplicity import needed
from daybook.memory.learning.segments import Block

_LEAST = 10
"""Outcomes inside the conditions that either half must hold."""

_MATERIAL = 0.5
"""A lift that keeps more than this share of itself has not turned; its rate is refreshed."""


class Turn(NamedTuple):
    """From `since` on the lift is another."""

    since: datetime
    before: float
    after: float


def find_turn(blocks: list[Block], counts: Floats, risk: float) -> Turn | None:
    """Return the most surprising turn, or None.

    `counts` is [block, inside or outside, n or successes], oldest first; `risk` the chance of
    seeing a turn where there is none.
    """
    if len(blocks) < 2:  # noqa: PLR2004
        return None
    old = np.cumsum(counts, 0)[:-1]
    recent = counts.sum(0) - old
    enough = (old[:, :, 0] >= _LEAST).all(1) & (recent[:, :, 0] >= _LEAST).all(1)
    if not enough.any():
        return None
    before, before_spread = _lift(old)
    after, after_spread = _lift(recent)
    half_g = np.where(enough, (before - after) ** 2 / (before_spread + after_spread) / 2, 0)
    at = int(np.argmax(half_g))
    material = after[at] * np.sign(before[at]) < _MATERIAL * abs(before[at])
    if half_g[at] < needed(risk / int(enough.sum())) or not material:
        return None
    return Turn(blocks[at + 1].start, float(before[at]), float(after[at]))


def _lift(counts: Floats) -> tuple[Floats, Floats]:
    """Return the lift of each half, and its variance (one success and one failure added)."""
    n, successes = counts[..., 0], counts[..., 1]
    smooth = (successes + 1) / (n + 2)
    rate = successes / np.maximum(n, 1)
    spread = smooth * (1 - smooth) / np.maximum(n, 1)
    return rate[:, 0] - rate[:, 1], spread.sum(1)
