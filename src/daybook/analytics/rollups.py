"""What an hour of decisions and outcomes comes to: counts, exact sums, a sketch and bins.

Merging rollups in any order and any batches gives the same rollup, to the last bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from daybook.analytics.calibration import Calibration
from daybook.analytics.exact_sums import ExactSum
from daybook.analytics.sketches import LatencySketch
from daybook.decisions.digests import DecisionDigest, OutcomeDigest
from daybook.models import DecisionType
from daybook.models.json_values import JsonObject


@dataclass
class TypeRollup:
    """Decisions of one type, and what came of them.

    `confidence` is summed over decisions, `quality` over the `judged` outcomes that have a
    quality score, `latency` in milliseconds.
    """

    decisions: int = 0
    confidence: ExactSum = field(default_factory=ExactSum)
    outcomes: int = 0
    successes: int = 0
    errors: int = 0
    judged: int = 0
    quality: ExactSum = field(default_factory=ExactSum)
    latency: LatencySketch = field(default_factory=LatencySketch)
    calibration: Calibration = field(default_factory=Calibration)

    def add_decision(self, digest: DecisionDigest) -> None:
        """Count a decision."""
        self.decisions += 1
        self.confidence.add(digest.confidence)

    def add_outcome(self, digest: OutcomeDigest) -> None:
        """Count an outcome."""
        self.outcomes += 1
        self.successes += digest.success
        self.errors += digest.has_error
        if digest.quality_score is not None:
            self.judged += 1
            self.quality.add(digest.quality_score)
        if digest.latency_ms is not None:
            self.latency.add(digest.latency_ms)
        self.calibration.add(digest.confidence, success=digest.success)

    def merge(self, other: "TypeRollup") -> "TypeRollup":
        """Count what another rollup has counted, and return this one."""
        self.decisions += other.decisions
        self.confidence.merge(other.confidence)
        self.outcomes += other.outcomes
        self.successes += other.successes
        self.errors += other.errors
        self.judged += other.judged
        self.quality.merge(other.quality)
        self.latency.merge(other.latency)
        self.calibration.merge(other.calibration)
        return self

    @property
    def document(self) -> list[Any]:
        """The rollup as a list, in the order of its fields: names would be most of its size."""
        return [
            self.decisions,
            self.confidence.document,
            self.outcomes,
            self.successes,
            self.errors,
            self.judged,
            self.quality.document,
            self.latency.document,
            self.calibration.document,
        ]

    @classmethod
    def read(cls, document: Sequence[Any]) -> "TypeRollup":
        """Return the rollup from its document."""
        # what later versions add comes after these
        decisions, confidence, outcomes, successes, errors, judged, quality, *rest = document
        latency, calibration, *_ = rest
        return cls(
            decisions,
            ExactSum.read(confidence),
            outcomes,
            successes,
            errors,
            judged,
            ExactSum.read(quality),
            LatencySketch.read(latency),
            Calibration.read(calibration),
        )


@dataclass
class HourRollup:
    """An agent's hour (or several, merged), by decision type.

    A decision and its outcome belong to the hour in which the decision was made.
    """

    by_type: dict[DecisionType, TypeRollup] = field(default_factory=dict)

    def add_decision(self, digest: DecisionDigest) -> None:
        """Count a decision."""
        self._of(digest.decision_type).add_decision(digest)

    def add_outcome(self, digest: OutcomeDigest) -> None:
        """Count an outcome."""
        self._of(digest.decision_type).add_outcome(digest)

    def merge(self, other: "HourRollup") -> "HourRollup":
        """Count what another rollup has counted, and return this one."""
        for kind, rollup in other.by_type.items():
            self._of(kind).merge(rollup)
        return self

    def of_type(self, kind: DecisionType) -> "HourRollup":
        """Return the rollup of one type alone."""
        return HourRollup({kind: self.by_type[kind]} if kind in self.by_type else {})

    @property
    def total(self) -> TypeRollup:
        """All types together."""
        return reduce(TypeRollup.merge, self.by_type.values(), TypeRollup())

    @property
    def document(self) -> JsonObject:
        """The rollup as JSON."""
        return {str(kind): rollup.document for kind, rollup in sorted(self.by_type.items())}

    @classmethod
    def read(cls, document: JsonObject) -> "HourRollup":
        """Return the rollup from its JSON."""
        return cls({DecisionType(kind): TypeRollup.read(of) for kind, of in document.items()})

    def _of(self, kind: DecisionType) -> TypeRollup:
        return self.by_type.setdefault(kind, TypeRollup())
