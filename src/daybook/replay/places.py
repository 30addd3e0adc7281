"""Where a trajectory is: the lap of its chunk, the chunk, the slot; and the index that says so."""

from typing import NamedTuple

import numpy as np

from daybook.errors import InvalidInputError
from daybook.replay.sum_tree import Slots

SLOT_BITS = 7
CHUNK_BITS = 28
WIDEST = 1 << SLOT_BITS
"""Slots of a chunk, at most."""


class Place(NamedTuple):
    """A slot of a chunk. The lap tells the trajectory from those that were there before."""

    lap: int
    chunk: int
    slot: int

    @property
    def number(self) -> int:
        """The place as one whole number, of 63 bits."""
        return (self.lap << CHUNK_BITS | self.chunk) << SLOT_BITS | self.slot

    @property
    def text(self) -> str:
        """The place as text."""
        return f"{self.lap}.{self.chunk}.{self.slot}"

    @classmethod
    def of_number(cls, number: int) -> "Place":
        """Read a number; any is a place, if perhaps one where nothing is."""
        rest, slot = number >> SLOT_BITS, number & WIDEST - 1
        return cls(rest >> CHUNK_BITS, rest & (1 << CHUNK_BITS) - 1, slot)

    @classmethod
    def of_text(cls, text: object) -> "Place":
        """Read a place. Raises InvalidInputError."""
        try:
            lap, chunk, slot = map(int, str(text).split("."))
        except ValueError:
            raise InvalidInputError(f"{text!r:.60} is no place in a replay buffer") from None
        return cls(lap, chunk, slot)


def indexes_of(places: list[Place]) -> Slots:
    """Return the indexes of places."""
    return np.array([place.number for place in places], dtype=np.int64)
