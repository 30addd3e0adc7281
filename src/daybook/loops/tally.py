"""What a loop has done, counted: for its metrics."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from daybook.analytics.sketches import LatencySketch
from daybook.models.loops import Percentiles

_MS = 1_000


@dataclass(frozen=True)
class Counts:
    """A loop's counts at one moment. `busy_since` is when the step under way began."""

    ticks: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    restarts: int = 0
    missed_beats: int = 0
    last_error: str | None = None
    busy_since: float | None = None


@dataclass
class Tally:
    """Counts and sketches of one loop. Its thread writes them, and any may read them.

    Seconds are of the loop's timer. It takes as much memory after a year as after an hour: see
    `LatencySketch`.
    """

    counts: Counts = field(default_factory=Counts)
    _step_ms: LatencySketch = field(default_factory=LatencySketch)
    _delay_ms: LatencySketch = field(default_factory=LatencySketch)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin_run(self) -> None:
        """Note that the loop was started: the row of failures begins anew."""
        self._change(failures_in_a_row=0)

    def begin(self, now: float, delay: float | None) -> int:
        """Note that a step begins, so late; return its number, from 1."""
        with self._lock:
            if delay is not None:
                self._delay_ms.add(delay * _MS)
            number = self.counts.ticks + 1
            self._set(ticks=number, busy_since=now)
            return number

    def end(self, now: float, error: str | None) -> None:
        """Note that the step has ended, and what it raised."""
        with self._lock:
            began = now if self.counts.busy_since is None else self.counts.busy_since
            self._step_ms.add(max(0.0, now - began) * _MS)
            if error is None:
                self._set(busy_since=None, failures_in_a_row=0)
            else:
                self._set(
                    busy_since=None,
                    failures=self.counts.failures + 1,
                    failures_in_a_row=self.counts.failures_in_a_row + 1,
                    last_error=error,
                )

    def note_restart(self) -> None:
        """Note that the loop goes on after a failure."""
        self._change(restarts=self.counts.restarts + 1)

    def note_missed(self, beats: int) -> None:
        """Note that beats were missed."""
        if beats:
            self._change(missed_beats=self.counts.missed_beats + beats)

    def snapshot(self) -> tuple[Counts, LatencySketch, LatencySketch]:
        """Return the counts, and copies of the sketches of steps and of delays, at one moment."""
        with self._lock:
            return self.counts, _copied(self._step_ms), _copied(self._delay_ms)

    def _change(self, **values: int) -> None:
        with self._lock:
            self._set(**values)

    def _set(self, **values: Any) -> None:
        self.counts = replace(self.counts, **values)


def _copied(sketch: LatencySketch) -> LatencySketch:
    return merged([sketch])


def merged(sketches: Iterable[LatencySketch]) -> LatencySketch:
    """Return a new sketch of what these have counted."""
    total = LatencySketch()
    for sketch in sketches:
        total.merge(sketch)
    return total


def percentiles(sketch: LatencySketch) -> Percentiles:
    """Return the percentiles of a sketch."""
    return Percentiles(
        p50=sketch.percentile(0.5), p95=sketch.percentile(0.95), p99=sketch.percentile(0.99)
    )
