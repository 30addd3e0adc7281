"""Statistics of an agent's decisions: pure arithmetic over digests."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from daybook.decisions import digests
from daybook.decisions.digests import DecisionDigest, OutcomeDigest
from daybook.errors import InvalidInputError
from daybook.models import DecisionType
from daybook.store import Store, keys


class Percentiles(TypedDict):
    """Latencies in milliseconds; None where no outcome told its latency."""

    p50: float | None
    p95: float | None
    p99: float | None


class TypeStats(TypedDict):
    """What came of decisions. Averages and the rate are None where there is nothing to average.

    `success_rate` is successes over decisions with an outcome; `errors` counts outcomes that
    name an error.
    """

    total_decisions: int
    with_outcome: int
    successes: int
    failures: int
    success_rate: float | None
    avg_confidence: float | None
    avg_quality_score: float | None
    latency_ms: Percentiles
    errors: int


class DecisionStats(TypeStats):
    """The same for all types together, and for each type that occurs."""

    by_type: dict[str, TypeStats]


def decision_stats(
    store: Store,
    agent_id: str,
    time_window_hours: float = 24,
    decision_type: DecisionType | None = None,
) -> DecisionStats:
    """Return the statistics of the decisions made in the last hours.

    Reads the digests in the indexes and no bodies: one query a type and two for the
    outcomes. Raises InvalidInputError when the window is not a positive number of hours.
    """
    window = keys.log_range(_since(store.clock(), time_window_hours), None)
    decisions = [
        digest
        for kind in ([decision_type] if decision_type else DecisionType)
        for digest in digests.read_decisions(store, agent_id, kind, window)
    ]
    outcomes = [
        digest
        for success in (True, False)
        for digest in digests.read_outcomes(store, agent_id, window, success=success)
        if decision_type in {None, digest.decision_type}
    ]
    return summarize(decisions, outcomes)


def summarize(
    decisions: Sequence[DecisionDigest], outcomes: Sequence[OutcomeDigest]
) -> DecisionStats:
    """Return the statistics of these decisions and outcomes, in all and by type."""
    by_type = {
        str(kind): _type_stats(
            [digest for digest in decisions if digest.decision_type is kind],
            [digest for digest in outcomes if digest.decision_type is kind],
        )
        for kind in sorted(
            {decision.decision_type for decision in decisions}
            | {outcome.decision_type for outcome in outcomes}
        )
    }
    return DecisionStats(**_type_stats(decisions, outcomes), by_type=by_type)


def percentile(ordered: Sequence[float], quantile: float) -> float | None:
    """Return the value at rank floor(q (n - 1)) of sorted values, or None of none.

    This is the rank that DDSketch estimates, so a sketch answers within its relative error.
    """
    return ordered[int(quantile * (len(ordered) - 1))] if ordered else None


def _type_stats(
    decisions: Sequence[DecisionDigest], outcomes: Sequence[OutcomeDigest]
) -> TypeStats:
    successes = sum(outcome.success for outcome in outcomes)
    latencies = sorted(o.latency_ms for o in outcomes if o.latency_ms is not None)
    return TypeStats(
        total_decisions=len(decisions),
        with_outcome=len(outcomes),
        successes=successes,
        failures=len(outcomes) - successes,
        success_rate=successes / len(outcomes) if outcomes else None,
        avg_confidence=_mean(decision.confidence for decision in decisions),
        avg_quality_score=_mean(o.quality_score for o in outcomes if o.quality_score is not None),
        latency_ms=Percentiles(
            p50=percentile(latencies, 0.50),
            p95=percentile(latencies, 0.95),
            p99=percentile(latencies, 0.99),
        ),
        errors=sum(outcome.has_error for outcome in outcomes),
    )


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return sum(listed) / len(listed) if listed else None


def _since(now: datetime, hours: float) -> datetime | None:
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not hours > 0:
        raise InvalidInputError(f"time_window_hours is {hours!r}: use a number above 0")
    try:
        return now - timedelta(hours=hours)
    except OverflowError:
        return None  # further back than a calendar goes: everything
