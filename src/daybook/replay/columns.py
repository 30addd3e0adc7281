"""`Column`: numbers by slot, which grows as slots are used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST_SIZE = 1024


class Column:
    """Numbers of one type by slot; where none was set there is `empty`."""

    def __init__(self, kind: Any, empty: float) -> None:
        self._empty = empty
        self.values: NDArray[Any] = np.full(FIRST_SIZE, empty, dtype=kind)

    def reach(self, slots: NDArray[np.int64]) -> None:
        """Grow so that these slots can be read."""
        if len(slots) and (last := int(slots.max())) >= len(self.values):
            more = max(last + 1, 2 * len(self.values)) - len(self.values)
            grown = np.full(more, self._empty, dtype=self.values.dtype)
            self.values = np.concatenate([self.values, grown])

    def set(self, slots: NDArray[np.int64], numbers: Any) -> None:
        """Set the numbers of slots."""
        self.reach(slots)
        self.values[slots] = numbers

    def __getitem__(self, slots: NDArray[np.int64]) -> NDArray[Any]:
        return self.values[slots]
