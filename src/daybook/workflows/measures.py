"""The four measures of memory, by namespace."""

from dataclasses import dataclass

from daybook.metrics import Counter, Gauge, Histogram, Registry
from daybook.models.sessions import SessionMetrics

_NAMESPACE = ("namespace",)
_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)


@dataclass(frozen=True)
class MemoryMeasures:
    """What memory saves, what reading it takes, and whether what it said came true.

    The accuracy of retrieval is the share of recalled patterns whose predicted success came true:
    a pattern whose success rate is one half or more predicts success, another one failure; it
    counts once the run that used it has ended. `predictions` and `came_true` are what it is of.
    """

    ratio: Gauge
    saved: Counter
    decompression: Histogram
    accuracy: Gauge
    predictions: Counter
    came_true: Counter
    failures: Counter

    @classmethod
    def of(cls, registry: Registry) -> "MemoryMeasures":
        """Return the measures in a registry; InvalidInputError for names taken otherwise."""
        return cls(
            registry.gauge(
                "memory_compression_ratio",
                "1 - compressed / original bytes of the last session compacted",
                _NAMESPACE,
            ),
            registry.counter(
                "memory_storage_bytes_saved_total",
                "Bytes that compaction of sessions has saved",
                _NAMESPACE,
                "Bytes",
            ),
            registry.histogram(
                "memory_decompression_latency_ms",
                "Milliseconds to decompress and read what was compacted of a session",
                _NAMESPACE,
                bounds=_BOUNDS,
            ),
            registry.gauge(
                "memory_retrieval_accuracy",
                "Share of recalled patterns whose predicted success came true",
                _NAMESPACE,
            ),
            registry.counter(
                "memory_predictions_total", "Recalled patterns that were used", _NAMESPACE
            ),
            registry.counter(
                "memory_predictions_true_total",
                "Recalled patterns whose predicted success came true",
                _NAMESPACE,
            ),
            registry.counter(
                "memory_failures_total",
                "Calls of memory that failed, or took too long, beside a request that went on",
                ("namespace", "call"),
            ),
        )

    def compacted(self, done: SessionMetrics) -> None:
        """Count a compaction."""
        self.ratio.set(done.compression_ratio, namespace=done.namespace)
        # where a few small memories take more than before, nothing was saved
        self.saved.add(max(done.bytes_saved, 0), namespace=done.namespace)

    def used(self, namespace: str, success_rate: float, *, success: bool) -> None:
        """Count what became of a run that used a recalled pattern of this success rate."""
        predicted = success_rate >= 0.5  # noqa: PLR2004 - more likely than not
        self.predictions.add(namespace=namespace)
        self.came_true.add(float(predicted == success), namespace=namespace)
        accuracy = self.accuracy_of(namespace)
        if accuracy is not None:
            self.accuracy.set(accuracy, namespace=namespace)

    def accuracy_of(self, namespace: str) -> float | None:
        """Return the accuracy of retrieval, None before the first prediction."""
        predictions = self.predictions.value(namespace=namespace)
        return self.came_true.value(namespace=namespace) / predictions if predictions else None
