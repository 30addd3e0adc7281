"""Sums without rounding, against `math.fsum`."""

import random
import sys
from math import fsum

from hypothesis import given
from hypothesis import strategies as st

from daybook.analytics.exact_sums import ExactSum

floats = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


def total(values: list[float]) -> ExactSum:
    """Add values up."""
    found = ExactSum()
    for value in values:
        found.add(value)
    return found


@given(st.lists(floats), st.randoms(use_true_random=False))
def test_it_is_fsum_in_any_order(values: list[float], draw: random.Random) -> None:
    """Rounded once, it is what fsum says; neither order nor batches change a bit of it."""
    found = total(values)
    assert float(found) == fsum(values)
    shuffled = draw.sample(values, len(values))
    cut = draw.randint(0, len(values))
    batches = total(shuffled[:cut])
    batches.merge(total(shuffled[cut:]))
    assert batches == found
    assert batches.document == found.document


@given(st.lists(floats))
def test_it_reads_back(values: list[float]) -> None:
    """Its document says all of it."""
    found = total(values)
    assert ExactSum.read(found.document) == found


def test_documents_by_hand() -> None:
    """A document is the shortest fraction: 0.75 is 3 / 2^2."""
    assert ExactSum().document == [0, 0]
    assert total([0.5, 0.25]).document == [3, 2]
    assert total([64.0]).document == [64, 0]
    assert total([0.1] * 10).document == [36028797018963970 // 2, 54]


def test_the_ends_of_the_floats() -> None:
    """The smallest and the largest float are kept beside each other."""
    ends = total([5e-324, sys.float_info.max, -sys.float_info.max])
    assert float(ends) == 5e-324


def test_plain_addition_would_be_caught() -> None:
    """The control: what `sum` answers depends on the order."""
    values = [0.1, 0.2, 0.3, 1e16, -1e16]
    assert sum(values) != sum(reversed(values))
    assert float(total(values)) == float(total(values[::-1]))
