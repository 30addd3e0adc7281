"""`RowTree`: numbers in rows of 32, the sum (or the least) of each row in a row above."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Slots = NDArray[np.int64]

ROW = 32
TOP = 1024
"""Numbers in the topmost level, which is searched as a whole."""


class RowTree:
    """Numbers by slot, in levels: each holds one number for each row of the level below.

    What stands above is always reduced anew from its row and never adjusted by a difference:
    differences of floats add up to drift. Grows as slots are used.
    """

    def __init__(self, reduce: np.ufunc, empty: float) -> None:
        self._reduce = reduce
        self._empty = empty
        self._levels: list[Floats] = []
        self._build(np.full(TOP, empty))

    @property
    def leaves(self) -> Floats:
        """The numbers, by slot; those beyond the last one used are empty."""
        return self._levels[0]

    def set(self, slots: Slots, numbers: Any) -> None:
        """Set the numbers of slots; of one that is named twice the last counts."""
        if not len(slots):
            return
        if (last := int(slots.max())) >= len(self.leaves):
            self._grow(last + 1)
        self.leaves[slots] = numbers
        rows = slots
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            rows = rows >> 5
            above[rows] = self._reduce.reduce(below.reshape(-1, ROW)[rows], axis=1)

    def _grow(self, size: int) -> None:
        leaves = np.full(max(size, 2 * len(self.leaves)), self._empty)
        leaves[: len(self.leaves)] = self.leaves
        self._build(leaves)

    def _build(self, leaves: Floats) -> None:
        self._levels = [_filled_up(leaves, self._empty)]
        while len(level := self._levels[-1]) > TOP:
            above = self._reduce.reduce(level.reshape(-1, ROW), axis=1)
            self._levels.append(_filled_up(above, self._empty))


class SumTree(RowTree):
    """Weights by slot, float64, of which slots can be drawn in proportion.

    In float32 the sums of 200 million draws went out of range twice; in float64 never.
    """

    def __init__(self) -> None:
        super().__init__(np.add, 0.0)
        self._cumulated: Floats | None = None

    def set(self, slots: Slots, numbers: Any) -> None:
        """Set the weights of slots; of one that is named twice the last counts."""
        super().set(slots, numbers)
        self._cumulated = None

    @property
    def total(self) -> float:
        """The sum of all weights."""
        return float(self._top[-1])

    @property
    def _top(self) -> Floats:
        """The cumulated sums of the topmost level, after a 0."""
        if self._cumulated is None:
            self._cumulated = np.concatenate([[0.0], self._levels[-1].cumsum()])
        return self._cumulated

    def find(self, shares: Floats) -> Slots:
        """Return the slots at these shares of the total, from 0 to below 1.

        The inverse of the cumulative distribution: uniform shares give slots with probability
        weight / total, each by itself. A slot of no weight is never returned. The total must
        not be 0.
        """
        top, count = self._top, len(shares)
        # rounding may put a place at the very end, or just over; a slot of no weight lies there
        places = np.minimum(shares * top[-1], math.nextafter(top[-1], 0.0))
        slots: Slots = top.searchsorted(places, "right") - 1
        rest = places - top[slots]
        cumulated = np.zeros((count, ROW + 1))
        ends, starts = cumulated[:, 1:], np.arange(count) * (ROW + 1)
        for level in self._levels[-2::-1]:
            np.add.accumulate(level.reshape(-1, ROW).take(slots, axis=0), axis=1, out=ends)
            rest = np.minimum(rest, np.nextafter(ends[:, -1], 0.0))
            children = (ends > rest[:, None]).argmax(axis=1)
            rest = rest - cumulated.reshape(-1).take(starts + children)
            slots = slots * ROW + children
        return slots


class MinTree(RowTree):
    """Numbers by slot, of which the least is known."""

    def __init__(self) -> None:
        super().__init__(np.minimum, np.inf)

    def least(self) -> int:
        """Return the slot of the least number, the first of those that are equal."""
        slot = int(self._levels[-1].argmin())
        for level in self._levels[-2::-1]:
            slot = slot * ROW + int(level.reshape(-1, ROW)[slot].argmin())
        return slot


def _filled_up(level: Floats, empty: float) -> Floats:
    """Return a level whose last row is whole."""
    missing = -len(level) % ROW
    return np.concatenate([level, np.full(missing, empty)]) if missing else level
