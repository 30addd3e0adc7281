"""Calibration: how often decisions succeed, beside the confidence they were made with."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from daybook.analytics.exact_sums import ExactSum

BINS = 10
"""Bin i holds confidences from i/10 to below (i + 1)/10; the last one includes 1."""

MILLION = 1_000_000


@dataclass
class Bin:
    """Outcomes whose decisions had about the same confidence.

    `confidence` is the sum of their confidences, each rounded to a whole millionth. Whole
    numbers add up in any order as well, and ten exact sums a type would be most of a rollup.
    """

    outcomes: int = 0
    successes: int = 0
    confidence: int = 0

    def add(self, outcomes: int, successes: int, confidence: int) -> None:
        """Count more of them."""
        self.outcomes += outcomes
        self.successes += successes
        self.confidence += confidence


@dataclass
class Calibration:
    """The reliability bins of outcomes, and the sum for their Brier score.

    The Brier score is the mean of (confidence - success)² (Brier, "Verification of forecasts
    expressed in terms of probability", 1950): `squares` over the number of outcomes.
    """

    squares: ExactSum = field(default_factory=ExactSum)
    bins: dict[int, Bin] = field(default_factory=dict)

    def add(self, confidence: float, *, success: bool) -> None:
        """Count an outcome, given the confidence of its decision (0 to 1)."""
        self.squares.add((confidence - success) ** 2)
        index = min(int(confidence * BINS), BINS - 1)
        self.bins.setdefault(index, Bin()).add(1, int(success), round(confidence * MILLION))

    def merge(self, other: "Calibration") -> None:
        """Count what another has counted."""
        self.squares.merge(other.squares)
        for index, theirs in other.bins.items():
            ours = self.bins.setdefault(index, Bin())
            ours.add(theirs.outcomes, theirs.successes, theirs.confidence)

    @property
    def document(self) -> list[int]:
        """The sum of squares, then index, outcomes, successes and confidence of each bin."""
        written = self.squares.document
        for index, each in sorted(self.bins.items()):
            written += [index, each.outcomes, each.successes, each.confidence]
        return written

    @classmethod
    def read(cls, document: Sequence[int]) -> "Calibration":
        """Return the calibration from its document."""
        squares, exponent, *bins = document
        fours = zip(*[iter(bins)] * 4, strict=True)
        return cls(
            ExactSum.read([squares, exponent]),
            {index: Bin(*counted) for index, *counted in fours},
        )
