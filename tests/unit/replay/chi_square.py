"""Pearson's test of draws against the probabilities they should have."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_EXPECTED = 10.0
"""Of a cell: the distribution of the statistic is that of chi-square from about there."""
LEVEL = 1e-4
"""A right sampler fails one test in ten thousand; seeds are fixed, so none does."""


def p_value(counts: NDArray[np.int64], probabilities: Floats) -> float:
    """Return how likely counts as far off as these are, of draws by these probabilities.

    Slots that are rarely drawn share a cell. The tail is that of Wilson and Hilferty (1931): the
    cube root of chi-square over its degrees of freedom is nearly normal.
    """
    expected = probabilities * counts.sum()
    order = np.argsort(expected)
    sums = np.cumsum(expected[order])
    _, cells = np.unique(sums // LEAST_EXPECTED, return_inverse=True)
    of_cell = np.bincount(cells, expected[order])
    seen = np.bincount(cells, counts[order])
    freedom = len(of_cell) - 1
    statistic = float(((seen - of_cell) ** 2 / of_cell).sum())
    spread = 2 / (9 * freedom)
    score = ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return math.erfc(score / math.sqrt(2)) / 2
