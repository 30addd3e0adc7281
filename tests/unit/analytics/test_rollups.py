"""Rollups, against the exact summary of what they count."""

import random
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from daybook.analytics.rollups import HourRollup
from daybook.analytics.summaries import DecisionStats, summarize, summarize_rollup
from daybook.decisions.digests import DecisionDigest, OutcomeDigest
from daybook.models import DecisionType

shares = st.floats(min_value=0, max_value=1)
kinds = st.sampled_from(list(DecisionType)[:3])
decisions = st.builds(DecisionDigest, st.just("u"), kinds, shares, st.just(0))
outcomes = st.builds(
    OutcomeDigest,
    st.just("u"),
    kinds,
    st.booleans(),
    st.none() | shares,
    st.none() | st.floats(min_value=1e-9, max_value=1e9),
    st.booleans(),
    shares,
)
entries = st.lists(decisions | outcomes)


def rolled(digests: list[DecisionDigest | OutcomeDigest]) -> HourRollup:
    """Count decisions and outcomes."""
    rollup = HourRollup()
    for digest in digests:
        if isinstance(digest, DecisionDigest):
            rollup.add_decision(digest)
        else:
            rollup.add_outcome(digest)
    return rollup


def without_percentiles(stats: DecisionStats) -> object:
    """Leave out what a sketch only estimates."""
    parts = [stats, *stats["by_type"].values()]
    told = [{k: v for k, v in p.items() if k not in {"latency_ms", "by_type"}} for p in parts]
    return told, list(stats["by_type"])


@given(entries)
def test_it_summarizes_to_the_last_bit(digests: list[DecisionDigest | OutcomeDigest]) -> None:
    """Counts, rates and averages are the exact ones, in all and by type."""
    exact = summarize(
        [digest for digest in digests if isinstance(digest, DecisionDigest)],
        [digest for digest in digests if isinstance(digest, OutcomeDigest)],
    )
    found = summarize_rollup(rolled(digests))
    assert without_percentiles(found) == without_percentiles(exact)
    for ours, theirs in zip(
        found["latency_ms"].values(), exact["latency_ms"].values(), strict=True
    ):
        if theirs is None:
            assert ours is None
        else:
            assert isinstance(ours, float)
            assert isinstance(theirs, float)
            assert abs(ours - theirs) <= 0.01 * (1 + 1e-9) * theirs


@given(entries, st.randoms(use_true_random=False))
def test_batches_do_not_matter(
    digests: list[DecisionDigest | OutcomeDigest], draw: random.Random
) -> None:
    """In any order and any batches it becomes the same rollup, written the same."""
    whole = rolled(digests)
    shuffled = draw.sample(digests, len(digests))
    merged = HourRollup()
    while shuffled:
        size = draw.randint(1, len(shuffled))
        merged.merge(HourRollup.read(rolled(shuffled[:size]).document))
        shuffled = shuffled[size:]
    assert merged == whole
    assert merged.document == whole.document


def test_calibration_by_hand() -> None:
    """Bins by tenths of confidence, the last with 1; the Brier sum is of squared misses."""
    rollup = HourRollup()
    for confidence, success in [(0.0, False), (0.75, True), (0.75, False), (1.0, True)]:
        rollup.add_outcome(
            OutcomeDigest("u", DecisionType.OTHER, success, None, None, False, confidence)
        )
    calibration = rollup.total.calibration
    assert {at: (b.outcomes, b.successes) for at, b in calibration.bins.items()} == {
        0: (1, 0),
        7: (2, 1),
        9: (1, 1),
    }
    assert calibration.bins[7].confidence == 1_500_000
    assert float(calibration.squares) == 0.0625 + 0.5625


def test_a_total_leaves_its_parts_alone() -> None:
    """Adding types up does not change them."""
    digest = DecisionDigest(str(uuid4()), DecisionType.OTHER, 0.5, 0)
    rollup = rolled([digest])
    assert rollup.total.decisions == 1
    assert rollup.total.decisions == 1
    assert rollup.of_type(DecisionType.OTHER) == rollup
    assert rollup.of_type(DecisionType.RISK_ASSESSMENT) == HourRollup()
