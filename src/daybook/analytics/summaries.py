"""Summaries: counts, rates, averages and percentiles, as `get_decision_stats` tells them. Pure."""

from collections.abc import Iterable, Sequence
from math import fsum

from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from daybook.analytics.exact_sums import ExactSum
from daybook.analytics.rollups import HourRollup, TypeRollup
from daybook.decisions.digests import DecisionDigest, OutcomeDigest


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


def summarize(
    decisions: Sequence[DecisionDigest], outcomes: Sequence[OutcomeDigest]
) -> DecisionStats:
    """Return the statistics of these decisions and outcomes, in all and by type. Exact."""
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


def summarize_rollup(rollup: HourRollup) -> DecisionStats:
    """Return the same of a rollup: equal to the last bit, and percentiles within 1%."""
    by_type = {str(kind): _rollup_stats(of) for kind, of in sorted(rollup.by_type.items())}
    return DecisionStats(**_rollup_stats(rollup.total), by_type=by_type)


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


def _rollup_stats(rollup: TypeRollup) -> TypeStats:
    return TypeStats(
        total_decisions=rollup.decisions,
        with_outcome=rollup.outcomes,
        successes=rollup.successes,
        failures=rollup.outcomes - rollup.successes,
        success_rate=rollup.successes / rollup.outcomes if rollup.outcomes else None,
        avg_confidence=_exact_mean(rollup.confidence, rollup.decisions),
        avg_quality_score=_exact_mean(rollup.quality, rollup.judged),
        latency_ms=Percentiles(
            p50=rollup.latency.percentile(0.50),
            p95=rollup.latency.percentile(0.95),
            p99=rollup.latency.percentile(0.99),
        ),
        errors=rollup.errors,
    )


def _mean(values: Iterable[float]) -> float | None:
    # summed without rounding, so that the order plays no part and rollups come to the same
    listed = list(values)
    return fsum(listed) / len(listed) if listed else None


def _exact_mean(total: ExactSum, count: int) -> float | None:
    return float(total) / count if count else None
