"""How closely anybody could place the cuts of an effect."""

import numpy as np
from numpy.typing import NDArray

from bench.learning_worlds import Bools, Contexts, Effect, Floats

STEPS = 200


def likeliest_cuts(
    effect: Effect, contexts: Contexts, base: float, choices: NDArray[np.int64], success: Bools
) -> list[float]:
    """Return the cuts' posterior medians, everything else about the effect being known.

    The features, the directions, the categories, and the rates inside and outside are given;
    from the outcomes themselves only the cuts are estimated, from `STEPS` quantiles each.
    """
    own = choices == effect.choice
    for term in effect.terms:
        if term.op == "eq":
            own = own & term.holds(contexts)
    rate = base + effect.lift
    gain = np.where(success[own], np.log(rate / base), np.log((1 - rate) / (1 - base)))
    grids, cells = [], []
    for term in effect.numeric:
        column = contexts.numbers[:, term.feature]
        grid = np.quantile(column, np.arange(1, STEPS) / STEPS)
        cell = np.searchsorted(grid, column[own], side="right")
        grids.append(grid)
        cells.append(cell if term.op == "lt" else STEPS - 1 - cell)
    if not grids:
        return []
    total = np.zeros((STEPS,) * len(grids))
    np.add.at(total, tuple(cells), gain)
    for axis in range(len(grids)):
        total = total.cumsum(axis)
    likelihood = total[(slice(0, STEPS - 1),) * len(grids)]
    posterior: Floats = np.exp(likelihood - likelihood.max())
    found = []
    for axis, (term, grid) in enumerate(zip(effect.numeric, grids, strict=True)):
        others = tuple(other for other in range(len(grids)) if other != axis)
        below = posterior.sum(others).cumsum()
        at = int(np.searchsorted(below, below[-1] / 2))
        found.append(float(grid[at if term.op == "lt" else STEPS - 2 - at]))
    return found
