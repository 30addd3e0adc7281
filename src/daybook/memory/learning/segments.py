"""Counts in segments of time that grow coarser with age (an exponential histogram).

Time is cut into units of six hours. A block of level L is `2**L` units, on absolute
boundaries, and is merged once it ended `KEPT * 2**L` units ago. So which segments exist depends
on the units that hold lessons and on the newest unit only, not on the order of arrival, and
there are about `KEPT + 0.5` for each doubling of the time (Datar et al. 2002, as used by ADWIN:
Bifet & Gavaldà 2007).
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daybook.errors import InvalidInputError
from daybook.memory.learning.tuning import CHOICES, FEATURES, PAIRED, SLOTS
from daybook.models.identity import EPOCH

UNIT = timedelta(hours=6)
KEPT = 3
PAIRS = PAIRED * (PAIRED - 1) // 2
LATER, EARLIER = np.tril_indices(PAIRED, -1)
"""Pair p is of features EARLIER[p] < LATER[p]; adding a feature adds pairs at the end."""

_TYPES: tuple[Any, ...] = (np.uint8, np.uint16, np.uint32, np.int64)
_MOST_LEVELS = 40

Counts = NDArray[np.int64]


class Block(NamedTuple):
    """The units `[number << level, (number + 1) << level)`."""

    level: int
    number: int

    @property
    def start(self) -> datetime:
        """The moment at which the block begins."""
        return EPOCH + (self.number << self.level) * UNIT

    @property
    def middle(self) -> datetime:
        """The moment halfway through."""
        return self.start + (1 << self.level) * UNIT / 2


def unit_of(moment: datetime) -> int:
    """Return the unit of time that holds the moment."""
    return (moment - EPOCH) // UNIT


def block_of(unit: int, newest: int) -> Block:
    """Return the block that holds the unit, once the newest unit is known."""
    level = 0
    while level < _MOST_LEVELS:
        wider = level + 1
        end = (unit >> wider) + 1 << wider
        if end + (KEPT << wider) > newest + 1:
            break
        level = wider
    return Block(level, unit >> level)


class Segment:
    """Outcomes of one block, counted by choice, outcome and feature slots.

    `singles` is [choice, failed or succeeded, feature, slot]; `pairs` is [choice, failed or
    succeeded, pair, slot of the earlier feature, slot of the later]; `totals` is [choice,
    failed or succeeded].
    """

    def __init__(self) -> None:
        self.totals: Counts = np.zeros((CHOICES, 2), np.int64)
        self.singles: NDArray[np.int32] = np.zeros((CHOICES, 2, FEATURES, SLOTS), np.int32)
        self.pairs: NDArray[np.int32] = np.zeros((CHOICES, 2, PAIRS, SLOTS, SLOTS), np.int32)

    def count(self, row: Counts, codes: Counts) -> None:
        """Count outcomes: `row` is [outcome] of choice * 2 + success, `codes` [outcome, feature].

        A feature that is not counted yet has the code -1.
        """
        self.totals += np.bincount(row, minlength=CHOICES * 2).reshape(CHOICES, 2)
        place = (row[:, None] * FEATURES + np.arange(FEATURES)) * SLOTS + codes
        _add(self.singles, place[codes >= 0])
        first, second = codes[:, EARLIER], codes[:, LATER]
        place = ((row[:, None] * PAIRS + np.arange(PAIRS)) * SLOTS + first) * SLOTS + second
        _add(self.pairs, place[(first >= 0) & (second >= 0)])

    def merge(self, other: "Segment") -> None:
        """Add another segment's counts."""
        for mine, theirs in zip(self.arrays(), other.arrays(), strict=True):
            np.add(mine, theirs, out=mine)

    def dump(self) -> bytes:
        """Write the counts down in as few bytes each as hold the largest."""
        choices = int(np.flatnonzero(self.totals.sum(1)).max(initial=-1)) + 1
        parts = []
        for array in self.arrays():
            used = array[:choices]
            size = next(n for n, kind in enumerate(_TYPES) if _fits(used, kind))
            parts += [
                bytes([size]),
                used.astype(np.dtype(_TYPES[size]).newbyteorder("<")).tobytes(),
            ]
        return bytes([choices]) + b"".join(parts)

    @classmethod
    def load(cls, data: bytes) -> "Segment":
        """Read what `dump` wrote, or raise InvalidInputError."""
        segment, at = cls(), 1
        for array in segment.arrays():
            used = array[: data[0]]
            kind = np.dtype(_TYPES[data[at]]).newbyteorder("<")
            used[...] = np.frombuffer(data, kind, used.size, at + 1).reshape(used.shape)
            at += 1 + used.size * kind.itemsize
        if at != len(data):
            raise InvalidInputError(f"a segment has {len(data)} bytes where {at} were expected")
        return segment

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """Return the three arrays of counts."""
        return self.totals, self.singles, self.pairs


def _add(counts: NDArray[np.int32], places: Counts) -> None:
    flat = counts.reshape(-1)
    if len(places) * 8 < flat.size:
        np.add.at(flat, places, 1)  # few: leave the rest of the array untouched
    else:
        flat += np.bincount(places, minlength=flat.size).astype(np.int32)


def _fits(array: NDArray[Any], kind: Any) -> bool:
    return int(array.max(initial=0)) <= int(np.iinfo(kind).max)
