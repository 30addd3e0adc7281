"""How surprising a region must be, given how many are looked at, and how often.

A block is a choice's regions of one feature, or of one pair of features. A block pays for its
own regions, counted as the independent tests that they are worth, and the blocks share the
false discovery rate (weighted hypotheses: Genovese, Roeder & Wasserman 2006; families first:
Benjamini & Bogomolov 2014). The j-th pattern of a choice may use j times the level (Benjamini &
Hochberg 1995). A block's weight is its size to the power of 0.6: between every block alike, which
pairs of numbers could hardly pass, and every region alike, which leaves too little to categories.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from daybook.memory.learning.evidence import Floats
from daybook.memory.learning.findings import Signature, block_of
from daybook.memory.learning.regions import Regions
from daybook.memory.learning.segments import EARLIER, LATER
from daybook.memory.learning.tuning import FEATURES

KEEPS_AT = 4.0
"""Half the G statistic (nats) that keeps a known pattern: p = 0.005, so it does not flap."""

SHARE_OF_ONE, SHARE_OF_TWO, SHARE_OVERALL = 0.15, 0.8, 0.05
"""Of the false discovery rate: for one condition, two, and a choice against the others."""

LIKELY, SURE = 0.5, 0.005
"""The chance that the best of all second conditions looks so good where none is: above the
first nothing speaks for a second condition, below the second nothing against it."""

_WEIGHT = 0.6
_EACH_FURTHER_CUT = 0.75
_STEP = 4 / 3
_HALFWAY = 300
_A_MONTH = 0.05


@dataclass(frozen=True)
class Bars:
    """How much surprise (nats) the next pattern of a choice needs: [feature] and [pair]."""

    one: Floats
    two: Floats

    def at(self, signature: Signature) -> float:
        """Return the bar of the block that a signature belongs to."""
        return float((self.one if len(signature) == 1 else self.two)[block_of(signature)])

    @classmethod
    def of(cls, regions: Regions, choices: int, found: int, level: float) -> "Bars":
        """Return the bars once so many patterns are found; at level 0 nothing passes."""
        share = level * (found + 1) / max(choices, 1)
        tests = np.array([independent(regions, number) for number in range(FEATURES)])
        # the two sides of a cut are one test, unless something else holds as well
        alone = np.where(regions.numeric, tests / 2, tests)
        pairs = tests[EARLIER] * tests[LATER]
        return cls(_bars(alone, SHARE_OF_ONE * share), _bars(pairs, SHARE_OF_TWO * share))


def independent(regions: Regions, number: int) -> float:
    """Return how many independent tests the regions of a feature are worth, 0 without any.

    Each category is one. Of m cuts, each with two sides, `2 (1 + 0.75 (m - 1))`: so the highest
    of the block's statistics exceeds 3.5 to 4.5 standard deviations as often as in simulations
    of noise, alone, within categories and for pairs (`tests/.../test_multiplicity.py`).
    """
    found = len(regions.of[number]) if number < len(regions.of) else 0
    if not found or not regions.numeric[number]:
        return float(found)
    return 2 * (1 + _EACH_FURTHER_CUT * (found / 2 - 1))


def split_bars(regions: Regions, number: int) -> tuple[float, float]:
    """Return the surprise (nats) from which a second condition is likely, and is sure.

    `number` is the feature of the first one: any other feature may have the second.
    """
    tests = sum(
        independent(regions, other) / (2 if regions.numeric[other] else 1)
        for other in range(FEATURES)
        if other != number
    )
    return needed(LIKELY / max(tests, 1)), needed(SURE / max(tests, 1))


def _bars(tests: Floats, level: float) -> Floats:
    if level <= 0 or not tests.any():
        return np.full(len(tests), np.inf)
    weights = tests**_WEIGHT / (tests**_WEIGHT).sum()
    levels = np.where(tests > 0, level * weights / np.maximum(tests, 1), 0)
    return np.array([needed(float(p)) if p > 0 else np.inf for p in levels])


@lru_cache(maxsize=1024)
def needed(p: float) -> float:
    """Return g for which a chi-squared of one degree exceeds 2 g with probability p."""
    low, high = 0.0, 700.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(math.sqrt(middle)) > p else (low, middle)
    return high


def share_of_look(before: float, now: float, *, new_month: bool) -> float:
    """Return which share of the rate a look may use: none between two milestones.

    `before` and `now` are the choice's outcomes at the last look and at this one. Milestones are
    a third apart, and by n outcomes `n / (n + 300)` of the rate is spent, so all looks together
    spend it once (Lan & DeMets 1983). A month adds a little, for a long life has few milestones.
    """
    return max(_spent(now) - _spent(before), 0.0) + _A_MONTH * new_month


def _spent(n: float) -> float:
    if n < 1:
        return 0.0
    milestone = _STEP ** math.floor(math.log(n) / math.log(_STEP))
    return float(milestone / (milestone + _HALFWAY))
