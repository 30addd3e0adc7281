"""The arithmetic of statistics, against definitions written another way."""

from hypothesis import given
from hypothesis import strategies as st

from daybook.analytics.summaries import percentile, summarize
from daybook.decisions.digests import DecisionDigest, OutcomeDigest
from daybook.models import DecisionType

shares = st.none() | st.floats(min_value=0, max_value=1)
latencies = st.none() | st.floats(min_value=0, max_value=1e9)
kinds = st.sampled_from([DecisionType.OTHER, DecisionType.RISK_ASSESSMENT])
entries = st.lists(
    st.tuples(
        st.builds(
            DecisionDigest, st.just("u"), kinds, st.floats(min_value=0, max_value=1), st.just(0)
        ),
        st.none()
        | st.builds(
            OutcomeDigest,
            st.just("u"),
            st.just(DecisionType.OTHER),
            st.booleans(),
            shares,
            latencies,
            st.booleans(),
            st.floats(min_value=0, max_value=1),
        ),
    )
)


@given(entries)
def test_types_add_up_to_the_whole(
    pairs: list[tuple[DecisionDigest, OutcomeDigest | None]],
) -> None:
    """Every count is the sum of the types' counts; every decision is in one type."""
    decisions = [decision for decision, _ in pairs]
    outcomes = [
        outcome._replace(decision_type=decision.decision_type)
        for decision, outcome in pairs
        if outcome is not None
    ]
    stats = summarize(decisions, outcomes)
    assert stats["total_decisions"] == len(pairs)
    for name in ("total_decisions", "with_outcome", "successes", "failures", "errors"):
        assert stats[name] == sum(kind[name] for kind in stats["by_type"].values())
    assert stats["successes"] + stats["failures"] == stats["with_outcome"] == len(outcomes)
    if outcomes:
        assert stats["success_rate"] == sum(o.success for o in outcomes) / len(outcomes)
    else:
        assert stats["success_rate"] is None


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(min_value=0, max_value=1))
def test_a_percentile_is_one_of_the_values(values: list[float], quantile: float) -> None:
    """At least the share below it is not above it, and the ends are the extremes."""
    ordered = sorted(values)
    found = percentile(ordered, quantile)
    assert found in ordered
    assert percentile(ordered, 0) == ordered[0]
    assert percentile(ordered, 1) == ordered[-1]


def test_percentiles_by_hand() -> None:
    """Of 0 to 100 the 95th is 95; of nothing there is none."""
    hundred = [float(n) for n in range(101)]
    assert [percentile(hundred, q) for q in (0.5, 0.95, 0.99)] == [50.0, 95.0, 99.0]
    assert percentile([], 0.5) is None


def test_of_nothing_there_are_no_averages() -> None:
    """An idle agent has zeros and Nones, not a division by zero."""
    stats = summarize([], [])
    assert stats["by_type"] == {}
    assert (stats["total_decisions"], stats["avg_confidence"]) == (0, None)
    assert stats["latency_ms"] == {"p50": None, "p95": None, "p99": None}
