"""The tree: its sums, where it looks, and what it never returns."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.replay.sum_tree import Floats, MinTree, Slots, SumTree
from tests.unit.replay.chi_square import LEVEL, p_value

DRAWS = 200_000
LEAVES = 50_000


def tree_of(weights: list[float]) -> SumTree:
    """Make a tree of these weights."""
    tree = SumTree()
    tree.set(np.arange(len(weights)), np.array(weights))
    return tree


def updates() -> Iterator[tuple[Slots, Floats]]:
    """Give a million updates over many orders of magnitude; the last leave little of them."""
    rng = np.random.default_rng(1)
    for _ in range(1000):
        slots = rng.permutation(LEAVES)[:1000]
        yield slots, rng.random(1000) * 10.0 ** rng.integers(-12, 12, size=1000)
    yield np.arange(LEAVES), rng.random(LEAVES) * 1e-9


def test_root_is_the_sum_of_leaves_after_a_million_updates() -> None:
    """Sums are made anew and never adjusted: a million updates leave no drift."""
    tree = tree_of([1.0] * LEAVES)
    for slots, weights in updates():
        tree.set(slots, weights)
    assert tree.total == pytest.approx(math.fsum(tree.leaves), rel=1e-12)


def test_sums_adjusted_by_differences_drift() -> None:
    """The control: a sum that is adjusted by the same updates is far from that of the leaves."""
    leaves = np.ones(LEAVES)
    total = float(LEAVES)
    for slots, weights in updates():
        total += float((weights - leaves[slots]).sum())
        leaves[slots] = weights
    assert total != pytest.approx(math.fsum(leaves), rel=1e-3)


@pytest.mark.parametrize("size", [1, 2, 31, 32, 33, 1024, 1025, 40_000])
def test_draws_follow_the_weights(size: int) -> None:
    """Each slot is drawn in proportion, in trees of one, two and three levels."""
    rng = np.random.default_rng(size)
    weights = rng.random(size) ** 3
    tree = tree_of(list(weights))
    counts = np.bincount(tree.find(rng.random(DRAWS)), minlength=len(tree.leaves))
    assert counts[size:].sum() == 0
    if size > 1:
        assert p_value(counts[:size], weights / weights.sum()) > LEVEL


def test_next_key_after_a_random_number_is_not_proportional() -> None:
    """The control: the usual shortcut over random keys fails the same test."""
    rng = np.random.default_rng(3)
    keys = np.sort(rng.random(1000))
    found = np.searchsorted(keys, rng.random(DRAWS)) % 1000
    assert p_value(np.bincount(found, minlength=1000), np.full(1000, 0.001)) < LEVEL


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.just(0.0), st.floats(5e-324, 1e300)), min_size=1, max_size=80).filter(
        any
    ),
    st.lists(
        st.one_of(st.sampled_from([0.0, math.nextafter(1, 0)]), st.floats(0, 1, exclude_max=True)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([1, 37, 1024]),
)
def test_no_slot_without_weight_is_returned(
    weights: list[float], shares: list[float], apart: int
) -> None:
    """Whatever the weights, from the smallest float to nearly the largest, and the shares."""
    tree = SumTree()
    tree.set(np.arange(len(weights)) * apart, np.array(weights))
    found = tree.find(np.array(shares))
    assert (tree.leaves[found] > 0).all()


def test_last_of_what_is_set_twice_counts() -> None:
    """A slot may be named twice in one update."""
    tree = tree_of([1.0, 1.0])
    tree.set(np.array([0, 0]), np.array([5.0, 2.0]))
    assert tree.leaves[0] == 2.0
    assert tree.total == 3.0


def test_tree_grows_with_its_slots() -> None:
    """A slot far out keeps what was there before."""
    tree = tree_of([1.0, 2.0])
    tree.set(np.array([100_000]), np.array([4.0]))
    assert tree.total == 7.0
    assert tree.find(np.array([0.0, 0.2, 0.9])).tolist() == [0, 1, 100_000]
    tree.set(np.array([], dtype=np.int64), np.array([]))
    assert tree.total == 7.0


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=3000))
def test_least_is_the_first_of_the_smallest(numbers: list[float]) -> None:
    """The other tree knows the least number, as a search through all would find it."""
    tree = MinTree()
    tree.set(np.arange(len(numbers)), np.array(numbers))
    assert tree.least() == numbers.index(min(numbers))
