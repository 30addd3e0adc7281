"""Calibration: how often decisions succeed, beside the confidence they were made with."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from daybook.analytics.exact_sums import ExactSum

BINS = 10
"""Bin i holds confidences from i/10 to below (i + 1)/10; the last one includes 1."""


@dataclass
class Bin:
    """Outcomes whose decisions had about the same confidence."""

    outcomes: int = 0
    successes: int = 0
    confidence: ExactSum = field(default_factory=ExactSum)


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
        bin_ = self.bins.setdefault(min(int(confidence * BINS), BINS - 1), Bin())
        bin_.outcomes += 1
        bin_.successes += success
        bin_.confidence.add(confidence)

    def merge(self, other: "Calibration") -> None:
        """Count what another has counted."""
        self.squares.merge(other.squares)
        for index, theirs in other.bins.items():
            ours = self.bins.setdefault(index, Bin())
            ours.outcomes += theirs.outcomes
            ours.successes += theirs.successes
            ours.confidence.merge(theirs.confidence)

    @property
    def document(self) -> list[int]:
        """The sum of squares, then index, outcomes, successes and sum of each bin, as one list."""
        written = self.squares.document
        for index, each in sorted(self.bins.items()):
            written += [index, each.outcomes, each.successes, *each.confidence.document]
        return written

    @classmethod
    def read(cls, document: Sequence[int]) -> "Calibration":
        """Return the calibration from its document."""
        bins = {}
        for at in range(2, len(document), 5):
            index, outcomes, successes, *confidence = document[at : at + 5]
            bins[index] = Bin(outcomes, successes, ExactSum.read(confidence))
        return cls(ExactSum.read(document[:2]), bins)
