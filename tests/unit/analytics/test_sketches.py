"""The sketch of latencies, against the exact percentile."""

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daybook.analytics.sketches import RELATIVE_ACCURACY, LatencySketch
from daybook.analytics.summaries import percentile

latencies = st.floats(min_value=0, max_value=sys.float_info.max) | st.floats(0, 1e4)
quantiles = st.floats(min_value=0, max_value=1) | st.sampled_from([0.5, 0.95, 0.99])


def sketch(values: list[float]) -> LatencySketch:
    """Count values."""
    found = LatencySketch()
    for value in values:
        found.add(value)
    return found


@given(st.lists(latencies, min_size=1), quantiles)
@example([sys.float_info.max], 1.0)
@example([sys.float_info.min, sys.float_info.max / 2], 0.5)
@example([0.0, 0.0, 5e-324], 0.5)
def test_percentiles_are_within_one_percent(values: list[float], quantile: float) -> None:
    """For any finite latency, 0 included, at the very rank of the exact percentile.

    Below 2.2e-308 floats are coarser than 1%: there, two of their steps.
    """
    exact = percentile(sorted(values), quantile)
    found = sketch(values).percentile(quantile)
    assert exact is not None
    assert found is not None
    allowed = RELATIVE_ACCURACY * (1 + 1e-9) * exact
    assert abs(found - exact) <= max(allowed, 2 * 5e-324 if exact else 0)


@given(st.lists(latencies), st.lists(latencies))
def test_merging_is_counting_together(ours: list[float], theirs: list[float]) -> None:
    """Two merged sketches are the sketch of all values, and it reads back."""
    merged = sketch(ours)
    merged.merge(sketch(theirs))
    assert merged == sketch(theirs + ours)
    assert merged.document == sketch(theirs + ours).document
    assert LatencySketch.read(merged.document) == merged


def test_of_nothing_there_is_no_percentile() -> None:
    """An hour without outcomes has none."""
    assert LatencySketch().percentile(0.5) is None
    assert LatencySketch().document == [0]


def test_an_ordinary_hour_is_small() -> None:
    """A thousand latencies between 10 ms and 10 s take few bins."""
    hour = sketch([10.0 * 1000 ** (n / 1000) for n in range(1000)])
    assert len(hour.bins) < 360


@pytest.mark.parametrize("coarse", [0.02, 0.05])
def test_a_coarser_sketch_would_be_caught(coarse: float) -> None:
    """The control: values that far off break the bound."""
    found = sketch([100.0 * (1 + coarse)]).percentile(0.5)
    assert found is not None
    assert abs(found - 100.0) > RELATIVE_ACCURACY * 100.0
