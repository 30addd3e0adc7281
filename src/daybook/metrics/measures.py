"""Measures: counters, gauges and histograms with labels. They count; how it is told is elsewhere.

Each is safe to use from several threads. Names and labels follow Prometheus's data model
(https://prometheus.io/docs/concepts/data_model), which CloudWatch takes, too.
"""

import math
import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from daybook.errors import InvalidInputError

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
UNITS = ("None", "Count", "Bytes", "Milliseconds", "Seconds", "Percent")
"""Those of CloudWatch's units that Daybook's measures have; `None` is a plain number."""

MILLISECONDS = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0)
"""Usual upper bounds of a histogram's buckets, of latencies."""

MOST_SERIES = 1000
"""Sets of label values that one measure keeps: a label is for a few values, and not for ids."""

Unit = Literal["None", "Count", "Bytes", "Milliseconds", "Seconds", "Percent"]
Labels = tuple[str, ...]


@dataclass
class Measure:
    """What all measures have: a name, what it means, the names of its labels, its unit."""

    name: str
    meaning: str
    labels: Sequence[str] = ()
    unit: Unit = "None"
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    kind = "untyped"

    def __post_init__(self) -> None:
        """Check the names. Raises InvalidInputError."""
        if not NAME.fullmatch(self.name):
            raise InvalidInputError(f"{self.name!r:.60} is no name of a measure: use a-z 0-9 _")
        for label in self.labels:
            if not LABEL.fullmatch(label) or label in {"le", "quantile"}:
                raise InvalidInputError(f"{label!r:.60} is no name of a label of {self.name}")
        if self.unit not in UNITS:
            raise InvalidInputError(f"{self.unit!r:.60} is no unit: use one of {', '.join(UNITS)}")

    def series(self, given: Mapping[str, str]) -> Labels:
        """Return the values of the labels in order, or raise InvalidInputError."""
        if set(given) != set(self.labels) or len(given) != len(self.labels):
            raise InvalidInputError(
                f"{self.name} has the labels {list(self.labels)}, and {sorted(given)} were given"
            )
        return tuple(str(given[label]) for label in self.labels)


@dataclass
class _Numbers(Measure):
    """A number for each set of label values."""

    _values: dict[Labels, float] = field(default_factory=dict, repr=False)

    def values(self) -> dict[Labels, float]:
        """Return the numbers as they are now."""
        with self._lock:
            return dict(self._values)

    def value(self, **labels: str) -> float:
        """Return one number; 0 before it is first set."""
        series = self.series(labels)
        with self._lock:
            return self._values.get(series, 0.0)

    def _change(self, labels: Mapping[str, str], change: Callable[[float], float]) -> None:
        series = self.series(labels)
        with self._lock:
            _check_room(self, series, self._values)
            self._values[series] = change(self._values.get(series, 0.0))


@dataclass
class Counter(_Numbers):
    """A number that only grows."""

    kind = "counter"

    def add(self, amount: float = 1.0, **labels: str) -> None:
        """Count. Raises InvalidInputError for less than nothing."""
        if not (_is_number(amount) and amount >= 0):
            raise InvalidInputError(f"{self.name} only grows, and {amount!r:.40} was to be added")
        self._change(labels, lambda standing: standing + amount)


@dataclass
class Gauge(_Numbers):
    """A number that goes up and down."""

    kind = "gauge"

    def set(self, value: float, **labels: str) -> None:
        """Set the number. Raises InvalidInputError for what is none."""
        if not _is_number(value):
            raise InvalidInputError(f"{self.name} is a number, not {value!r:.40}")
        self._change(labels, lambda _: float(value))


@dataclass
class Distribution:
    """What a histogram knows of one set of label values; `counts` by bucket, the last unbounded.

    `recent` are values that no EMF line has told yet.
    """

    counts: list[int]
    total: float = 0.0
    recent: list[float] = field(default_factory=list)

    def copy(self) -> "Distribution":
        """Return the same, apart from this."""
        return Distribution(list(self.counts), self.total, list(self.recent))


MOST_RECENT = 10_000


@dataclass
class Histogram(Measure):
    """How many values lay under each bound. `bounds` ascend; there is one bucket beyond."""

    bounds: Sequence[float] = MILLISECONDS
    _of: dict[Labels, Distribution] = field(default_factory=dict, repr=False)

    kind = "histogram"

    def __post_init__(self) -> None:
        """Check the names and the bounds. Raises InvalidInputError."""
        super().__post_init__()
        bounds = list(self.bounds)
        if not bounds or bounds != sorted(set(bounds)) or not all(map(_is_number, bounds)):
            raise InvalidInputError(f"{self.name} needs bounds that ascend, not {bounds!r:.60}")

    def observe(self, value: float, **labels: str) -> None:
        """Count a value. Raises InvalidInputError for what is no number."""
        if not _is_number(value):
            raise InvalidInputError(f"{self.name} is of numbers, and not of {value!r:.40}")
        series = self.series(labels)
        with self._lock:
            _check_room(self, series, self._of)
            known = self._of.setdefault(series, Distribution([0] * (len(self.bounds) + 1)))
            known.counts[bisect_left(self.bounds, value)] += 1
            known.total += value
            if len(known.recent) < MOST_RECENT:
                known.recent.append(float(value))

    def distributions(self) -> dict[Labels, Distribution]:
        """Return what is known now."""
        with self._lock:
            return {series: known.copy() for series, known in self._of.items()}

    def taken(self) -> dict[Labels, list[float]]:
        """Return the values since the last call."""
        with self._lock:
            found = {series: known.recent for series, known in self._of.items() if known.recent}
            for series in found:
                self._of[series].recent = []
        return found


def _check_room(measure: Measure, series: Labels, known: Mapping[Labels, object]) -> None:
    if series not in known and len(known) >= MOST_SERIES:
        raise InvalidInputError(
            f"{measure.name} has {MOST_SERIES} sets of labels already: a label is for a few "
            "values, and not for ids"
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
