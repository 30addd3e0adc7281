"""Sums of floats without any rounding, so that they are the same in whatever order and batches.

A float is a whole number of 2^-1074, so a sum is kept as a Python integer in that unit: the
long accumulator of Kulisch and Miranker, "The arithmetic of the digital computer: a new
approach" (SIAM Review 28, 1986). It is rounded once, when it is read, so it equals
`math.fsum` of the same floats to the last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

_UNIT = 1 << 1074
"""Units in 1: the smallest float above 0 is one unit."""


@dataclass
class ExactSum:
    """A sum of finite floats, in units of 2^-1074."""

    units: int = 0

    def add(self, value: float) -> None:
        """Add a finite float."""
        numerator, denominator = value.as_integer_ratio()
        # both are powers of two, so nothing is lost
        self.units += numerator * (_UNIT // denominator)

    def merge(self, other: "ExactSum") -> None:
        """Add another sum."""
        self.units += other.units

    def __float__(self) -> float:
        """Return the float nearest to the sum."""
        return self.units / _UNIT

    @property
    def document(self) -> list[int]:
        """The sum as `[m, e]`, which stands for m / 2^e, with m odd or e 0: one form a sum."""
        common = gcd(self.units, _UNIT)
        return [self.units // common, (_UNIT // common).bit_length() - 1]

    @classmethod
    def read(cls, document: Sequence[int]) -> "ExactSum":
        """Return the sum from its document."""
        numerator, exponent = document
        return cls(numerator * (_UNIT >> exponent))
