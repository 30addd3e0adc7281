"""A registry: the measures of a program, by name."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from daybook.errors import InvalidInputError
from daybook.metrics.measures import MILLISECONDS, Counter, Gauge, Histogram, Measure, Unit

Kind = TypeVar("Kind", bound=Measure)


@dataclass
class Registry:
    """Measures by name; asking for one that is there gives the same one. Safe between threads."""

    _measures: dict[str, Measure] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __iter__(self) -> Iterator[Measure]:
        with self._lock:
            measures = list(self._measures.values())
        return iter(sorted(measures, key=lambda measure: measure.name))

    def counter(
        self, name: str, meaning: str, labels: Sequence[str] = (), unit: Unit = "Count"
    ) -> Counter:
        """Return the counter of this name. Raises InvalidInputError if it is something else."""
        return self._of(Counter(name, meaning, tuple(labels), unit))

    def gauge(
        self, name: str, meaning: str, labels: Sequence[str] = (), unit: Unit = "None"
    ) -> Gauge:
        """Return the gauge of this name. Raises InvalidInputError if it is something else."""
        return self._of(Gauge(name, meaning, tuple(labels), unit))

    def histogram(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str] = (),
        unit: Unit = "Milliseconds",
        bounds: Sequence[float] = MILLISECONDS,
    ) -> Histogram:
        """Return the histogram of this name. Raises InvalidInputError if it is something else."""
        return self._of(Histogram(name, meaning, tuple(labels), unit, bounds=tuple(bounds)))

    def _of(self, made: Kind) -> Kind:
        with self._lock:
            standing = self._measures.setdefault(made.name, made)
        same = (
            isinstance(standing, type(made))
            and (standing.labels, standing.unit) == (made.labels, made.unit)
            and getattr(standing, "bounds", None) == getattr(made, "bounds", None)
        )
        if not same or not isinstance(standing, type(made)):
            raise InvalidInputError(
                f"{made.name} is a {standing.kind} with the labels {list(standing.labels)} "
                "already: give the other one another name"
            )
        return standing
