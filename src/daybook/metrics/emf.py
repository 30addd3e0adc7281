"""CloudWatch's embedded metric format: a JSON line for each set of labels.

By "Specification: Embedded metric format" of the CloudWatch user guide. A function that prints the
lines has its metrics in CloudWatch, without a request.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from daybook.errors import InvalidInputError
from daybook.metrics.measures import Counter, Gauge, Histogram, Labels, Measure
from daybook.metrics.registry import Registry
from daybook.models.identity import aware, microseconds

MOST_METRICS = 100
"""Metrics of one line; values of one metric in a line, too."""

MOST_LABELS = 30
LONGEST_NAMESPACE = 1024
_LONGEST_VALUE = 1024

Value = float | list[float]


class EmfWriter:
    """Renders a registry; a counter is told by what it grew since this writer's last call."""

    def __init__(self, namespace: str = "Daybook") -> None:
        if not namespace.strip() or len(namespace) > LONGEST_NAMESPACE:
            raise InvalidInputError(f"{namespace!r:.60} is no namespace of CloudWatch's")
        self.namespace = namespace
        self._told: dict[tuple[str, Labels], float] = {}

    def lines(self, registry: Registry, now: datetime) -> list[str]:
        """Return a line for each set of labels and each hundred metrics, without line ends.

        Counters that did not grow are left out, and so are histograms without new values: their
        values are told once. `now` is timezone-aware.
        """
        stamp = microseconds(aware(now, "now")) // 1000
        by_labels: dict[tuple[tuple[str, str], ...], list[tuple[Measure, Value]]] = {}
        for measure in registry:
            if len(measure.labels) > MOST_LABELS:
                raise InvalidInputError(
                    f"{measure.name} has {len(measure.labels)} labels; CloudWatch takes "
                    f"{MOST_LABELS}"
                )
            for labels, value in self._values(measure):
                # a dimension that is empty is refused
                named = [
                    (name, text[:_LONGEST_VALUE] or "-")
                    for name, text in zip(measure.labels, labels, strict=True)
                ]
                by_labels.setdefault(tuple(named), []).append((measure, value))
        return [
            line
            for labels, found in by_labels.items()
            for line in self._rendered(dict(labels), found, stamp)
        ]

    def _values(self, measure: Measure) -> Iterator[tuple[Labels, Value]]:
        if isinstance(measure, Counter):
            for labels, value in measure.values().items():
                grown = value - self._told.get((measure.name, labels), 0.0)
                self._told[measure.name, labels] = value
                if grown:
                    yield labels, grown
        elif isinstance(measure, Gauge):
            yield from measure.values().items()
        elif isinstance(measure, Histogram):
            for labels, values in measure.taken().items():
                for start in range(0, len(values), MOST_METRICS):
                    yield labels, values[start : start + MOST_METRICS]

    def _rendered(
        self, labels: dict[str, str], found: Sequence[tuple[Measure, Value]], stamp: int
    ) -> Iterator[str]:
        line: dict[str, tuple[Measure, Value]] = {}
        for measure, value in found:
            # a metric stands in a line once
            if measure.name in line or len(line) == MOST_METRICS:
                yield self._line(labels, list(line.values()), stamp)
                line = {}
            line[measure.name] = (measure, value)
        if line:
            yield self._line(labels, list(line.values()), stamp)

    def _line(
        self, labels: dict[str, str], found: Sequence[tuple[Measure, Value]], stamp: int
    ) -> str:
        directive = {
            "Namespace": self.namespace,
            "Dimensions": [list(labels)],
            "Metrics": [{"Name": each.name, "Unit": each.unit} for each, _ in found],
        }
        document = {
            "_aws": {"Timestamp": stamp, "CloudWatchMetrics": [directive]},
            **labels,
            **{measure.name: value for measure, value in found},
        }
        return json.dumps(document, separators=(",", ":"), allow_nan=False)


def emf_lines(registry: Registry, now: datetime, namespace: str = "Daybook") -> list[str]:
    """Return what a registry holds as EMF lines, its counters from their beginning.

    A program that does so more than once keeps an `EmfWriter`, which tells growth.
    """
    return EmfWriter(namespace).lines(registry, now)
