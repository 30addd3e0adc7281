"""Latencies as a DDSketch: percentiles within 1% from a few numbers, which merge exactly.

Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees" (VLDB 2019). The mapping of values to bins is the `ddsketch`
library's. Its store of bins is left aside: it counts in floats, needs protobuf to be
written down, and takes what is below 2.2e-308 for 0.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from ddsketch import LogarithmicMapping

RELATIVE_ACCURACY = 0.01
_MAPPING = LogarithmicMapping(RELATIVE_ACCURACY)
_BEFORE_ALL = -40_000  # the bin of the smallest float above 0 is -37,220


@dataclass
class LatencySketch:
    """How many latencies fell into each bin, and how many were 0. Milliseconds."""

    zeros: int = 0
    bins: Counter[int] = field(default_factory=Counter)

    def add(self, latency_ms: float) -> None:
        """Count a latency: finite, 0 or more."""
        if latency_ms == 0:
            self.zeros += 1
        else:
            self.bins[_MAPPING.key(latency_ms)] += 1

    def merge(self, other: "LatencySketch") -> None:
        """Count what another sketch has counted."""
        self.zeros += other.zeros
        self.bins.update(other.bins)

    def percentile(self, quantile: float) -> float | None:
        """Return the value at rank floor(q (n - 1)) within 1% of it, or None of none."""
        count = self.zeros + self.bins.total()
        if not count:
            return None
        rank = int(quantile * (count - 1))
        if rank < self.zeros:
            return 0.0
        ordered = sorted(self.bins)
        passed = accumulate((self.bins[index] for index in ordered), initial=self.zeros)
        next(passed)
        return next(
            _value(index) for index, upto in zip(ordered, passed, strict=True) if upto > rank
        )

    @property
    def document(self) -> list[int]:
        """The sketch as `[zeros, step, step, …]`: from each bin to the next one that is not empty.

        A bin that holds more than one latency has their number behind it, as a negative.
        """
        written, last = [self.zeros], _BEFORE_ALL
        for index, count in sorted(self.bins.items()):
            written.append(index - last)
            if count > 1:
                written.append(-count)
            last = index
        return written

    @classmethod
    def read(cls, document: Sequence[int]) -> "LatencySketch":
        """Return the sketch from its document."""
        zeros, *steps = document
        sketch, index = cls(zeros), _BEFORE_ALL
        for step in steps:
            index += max(step, 0)
            sketch.bins[index] = max(-step, 1)
        return sketch


def _value(index: int) -> float:
    """Return the value that stands for a bin.

    The bin k holds (g^(k-1), g^k]; its value is 2 g^k / (g + 1). Of the last bin g^k is no
    float any more, so the power is taken from the bin below.
    """
    below: float = _MAPPING.value(index - 1)
    return min(below * _MAPPING.gamma, sys.float_info.max)
