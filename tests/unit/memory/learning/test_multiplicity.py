"""Chance passes a bar as often as the bar says, and all looks together spend the rate once."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from daybook.memory.learning.evidence import Floats
from daybook.memory.learning.findings import surprise
from daybook.memory.learning.multiplicity import (
    SHARE_OF_ONE,
    SHARE_OF_TWO,
    Bars,
    independent,
    needed,
    share_of_look,
    split_bars,
)
from daybook.memory.learning.regions import Regions
from daybook.memory.learning.segments import EARLIER, LATER
from daybook.memory.learning.tuning import SLOTS
from daybook.memory.learning.vocabulary import Feature

CUTS = SLOTS - 2
NUMBER = Feature("market.price", [float(cut) for cut in range(CUTS)], [])
COLOURS = Feature("market.colour", None, ["red", "green", "blue", "grey"])
REGIONS = Regions([NUMBER, COLOURS, NUMBER])
OUTCOMES = 3000


def test_needed_is_the_quantile_of_chi_squared() -> None:
    """Half the G statistic is half a chi-squared of one degree."""
    assert 2 * needed(0.05) == pytest.approx(3.841, abs=1e-3)
    assert 2 * needed(0.001) == pytest.approx(10.828, abs=1e-3)


@pytest.mark.parametrize("features", [(0,), (0, 1), (0, 2)])
def test_the_best_of_a_block_passes_as_often_as_counted(features: tuple[int, ...]) -> None:
    """In noise, one trial in `1 / level` has a region over the bar, or somewhat fewer."""
    rng = np.random.default_rng(7)
    level, trials = 0.03, 1500
    tests = math.prod(independent(REGIONS, feature) for feature in features)
    if len(features) == 1:
        tests /= 2  # the sides of a cut are one test
    bar = needed(level / tests)
    passed = sum(_best_of_noise(rng, features) >= bar for _ in range(trials))
    assert 0.3 * level <= passed / trials <= 1.5 * level


def _best_of_noise(rng: np.random.Generator, features: tuple[int, ...]) -> float:
    sizes = [CUTS + 1 if REGIONS.numeric[feature] else 4 for feature in features]
    cells = rng.multinomial(OUTCOMES, np.full(math.prod(sizes), 1 / math.prod(sizes)))
    won = rng.binomial(cells, 0.5)
    n, successes = (_over_regions(grid.reshape(sizes), features) for grid in (cells, won))
    rate = won.sum() / OUTCOMES
    half_g = surprise(n, successes, n * rate)
    half_g += surprise(OUTCOMES - n, won.sum() - successes, (OUTCOMES - n) * rate)
    enough = (n >= 30) & (OUTCOMES - n >= 30)
    return float(np.where(enough, half_g, 0).max())


def _over_regions(grid: NDArray[np.int64], features: tuple[int, ...]) -> Floats:
    """Sum the cells of one or two features, absent values left out, over each region."""
    summed = np.asarray(grid, float)
    for axis, feature in enumerate(features):
        masks = REGIONS.masks[feature, : len(REGIONS.of[feature]), 1 : grid.shape[axis] + 1]
        summed = np.moveaxis(np.tensordot(masks, summed, (1, axis)), 0, axis)
    return summed


def test_blocks_share_the_level_between_them() -> None:
    """What all blocks may spend adds up to the level."""
    level, choices = 0.03, 4
    bars = Bars.of(REGIONS, choices, 0, level)
    alone = [independent(REGIONS, 0) / 2, independent(REGIONS, 1), independent(REGIONS, 2) / 2]
    spent = sum(tests * _chance(bar) for tests, bar in zip(alone, bars.one, strict=False))
    assert spent == pytest.approx(SHARE_OF_ONE * level / choices, rel=1e-6)
    pairs = [
        independent(REGIONS, int(one)) * independent(REGIONS, int(two))
        for one, two in zip(EARLIER[:3], LATER[:3], strict=True)
    ]
    spent = sum(tests * _chance(bar) for tests, bar in zip(pairs, bars.two, strict=False))
    assert spent == pytest.approx(SHARE_OF_TWO * level / choices, rel=1e-6)
    assert np.isinf(bars.one[3:]).all(), "features that do not exist cannot pass"


def _chance(half_g: float) -> float:
    return math.erfc(math.sqrt(half_g))


def test_each_pattern_found_lowers_the_bar_of_the_next() -> None:
    """The j-th pattern may use j times the level."""
    first, second = (Bars.of(REGIONS, 4, found, 0.03) for found in (0, 1))
    assert (second.one[:3] < first.one[:3]).all()
    assert first.at(((1, "eq", 2),)) == first.one[1]
    assert first.at(((0, "lt", 0), (2, "ge", 0))) == first.two[1]


def test_nothing_passes_between_two_milestones() -> None:
    """A look without much new evidence spends nothing."""
    assert share_of_look(1000, 1001, new_month=False) == 0
    assert np.isinf(Bars.of(REGIONS, 4, 0, 0.0).one).all()
    assert share_of_look(1000, 1001, new_month=True) == 0.05


def test_all_looks_together_spend_the_rate_once() -> None:
    """However often one looks, chance gets the rate once."""
    sizes = [0, *range(30, 30_000, 37)]
    looks = itertools.pairwise(sizes)
    spent = sum(share_of_look(before, now, new_month=False) for before, now in looks)
    assert 0.9 < spent < 1


def test_a_second_condition_is_likely_before_it_is_sure() -> None:
    """And more features to choose it from ask for more."""
    likely, sure = split_bars(REGIONS, 0)
    assert 0 < likely < sure
    assert split_bars(Regions([NUMBER, COLOURS]), 1)[1] < split_bars(REGIONS, 1)[1]
