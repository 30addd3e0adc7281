"""Each strategy draws by exactly the probabilities it reports, and by those of its formula."""

from collections.abc import Callable

import numpy as np
import pytest

from daybook.replay.config import ReplayStrategy
from daybook.replay.priorities import importance_weights, priorities_of
from daybook.replay.sampling import SamplingIndex
from daybook.replay.sum_tree import Floats, Slots
from tests.unit.replay.chi_square import LEVEL, p_value

DRAWS = 200_000
HALF_LIFE = 3600.0
SIZE = 2_000


class World:
    """An index with slots put in, reweighed and dropped, and the same facts in plain arrays."""

    def __init__(self, seed: int, size: int = SIZE) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.slots = np.arange(size)
        self.weights = rng.gamma(0.3, size=size)
        self.moments = 1e9 + rng.random(size) * 4 * HALF_LIFE
        self.domains = rng.choice([3, 7, 8, 20], p=[0.9, 0.05, 0.04, 0.01], size=size)
        self.index = SamplingIndex(HALF_LIFE)
        if seed % 2:  # what is made when it is first drawn by has to be kept up, too
            self.put(self.slots[:10])
            for strategy in ReplayStrategy:
                self.index.draw(strategy, 1, rng)
            self.index.drop(self.slots[:10])
        self.put(self.slots)
        again = rng.permutation(size)[: size // 3]
        self.weights[again] = rng.gamma(2.0, size=len(again))
        self.index.reweigh(again, self.weights[again])
        gone = rng.permutation(size)[: size // 4]
        self.index.drop(gone)
        self.slots = np.setdiff1d(self.slots, gone)

    def put(self, slots: Slots) -> None:
        """Put slots in as the arrays say."""
        facts = (self.weights[slots], self.moments[slots], self.domains[slots])
        self.index.put(slots, *facts)

    def formula(self, strategy: ReplayStrategy) -> Floats:
        """Return the probability of each slot by the strategy's formula."""
        own = self.slots
        weights, uniform = self.weights[own] / self.weights[own].sum(), np.full(len(own), 1.0)
        recency = np.exp2((self.moments[own] - self.moments[own].max()) / HALF_LIFE)
        domains = self.domains[own]
        of_domain = np.array([weights[domains == each].sum() for each in domains])
        formulas: dict[ReplayStrategy, Floats] = {
            ReplayStrategy.UNIFORM: uniform / len(own),
            ReplayStrategy.PRIORITIZED_LOSS: weights,
            ReplayStrategy.PRIORITIZED_RECENCY: recency / recency.sum(),
            ReplayStrategy.MIXED: (weights + uniform / len(own)) / 2,
            ReplayStrategy.DOMAIN_BALANCED: weights / of_domain / len(np.unique(domains)),
        }
        return formulas[strategy]

    def p_value(self, draw: Callable[[], Slots], strategy: ReplayStrategy) -> float:
        """Return how likely the draws are by the formula; 0 if one is of no slot in use."""
        counts = np.bincount(np.concatenate([draw() for _ in range(20)]), minlength=SIZE)
        if counts.sum() != counts[self.slots].sum():
            return 0.0
        return p_value(counts[self.slots], self.formula(strategy))


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("strategy", list(ReplayStrategy))
def test_draws_follow_the_formula(strategy: ReplayStrategy, seed: int) -> None:
    """200,000 draws agree with the formula, and so do the probabilities that are reported."""
    world = World(seed)
    formula = world.formula(strategy)

    def draw() -> Slots:
        slots, reported = world.index.draw(strategy, DRAWS // 20, world.rng)
        at = np.searchsorted(world.slots, slots)
        np.testing.assert_allclose(reported, formula[at], rtol=1e-9)
        return slots

    assert world.p_value(draw, strategy) > LEVEL


@pytest.mark.parametrize("strategy", list(ReplayStrategy))
def test_biased_samplers_fail_the_same_test(strategy: ReplayStrategy) -> None:
    """The control: a sampler that is off by 10% for half of the slots is found out."""
    world = World(5)
    formula = world.formula(strategy)
    biased = formula * np.where(np.arange(len(formula)) % 2, 1.1, 1.0)
    biased /= biased.sum()

    def draw() -> Slots:
        return world.rng.choice(world.slots, p=biased, size=DRAWS // 20)

    assert world.p_value(draw, strategy) < LEVEL


@pytest.mark.parametrize("strategy", list(ReplayStrategy))
def test_slots_dropped_or_of_no_weight_are_never_drawn(strategy: ReplayStrategy) -> None:
    """What is gone is gone, for every strategy, and what remains has all of the probability."""
    index = SamplingIndex(HALF_LIFE)
    rng = np.random.default_rng(1)
    slots = np.arange(100)
    index.put(slots, np.ones(100), np.linspace(1e9, 2e9, 100), slots % 7)
    index.draw(strategy, 1, rng)
    index.drop(slots[slots != 42])
    drawn, probabilities = index.draw(strategy, 1000, rng)
    assert set(drawn.tolist()) == {42}
    assert probabilities == pytest.approx(1.0)
    assert len(index) == 1


def test_slots_are_used_again() -> None:
    """A slot that was dropped can be filled again, also in another domain."""
    index = SamplingIndex(HALF_LIFE)
    rng = np.random.default_rng(1)
    here = np.array([5])
    for domain in (1, 2, 1, 3):
        index.put(here, np.array([2.0]), np.array([1e9]), np.array([domain]))
        for strategy in ReplayStrategy:
            assert index.draw(strategy, 3, rng).slots.tolist() == [5, 5, 5]
        index.drop(here)
    assert len(index) == 0


def test_recency_goes_on_over_thousands_of_half_lives() -> None:
    """Weights by recency are relative to a moment that moves on: no float overflows."""
    index = SamplingIndex(1.0)
    rng = np.random.default_rng(1)
    for hour in range(10):
        here = np.array([hour])
        index.put(here, np.ones(1), np.array([3600.0 * hour]), np.zeros(1, dtype=np.int64))
        drawn = index.draw(ReplayStrategy.PRIORITIZED_RECENCY, 10, rng)
        assert set(drawn.slots.tolist()) == {hour}
    index.drop(np.array([9]))
    # the rest has no weight that a float could hold beside the one that is gone
    assert set(index.draw(ReplayStrategy.PRIORITIZED_RECENCY, 9, rng).slots.tolist()) == {8}


@pytest.mark.parametrize("strategy", list(ReplayStrategy))
def test_importance_weighted_means_are_unbiased(strategy: ReplayStrategy) -> None:
    """With beta 1 the weighted mean of a batch is that of all, within its standard error."""
    world = World(6)
    values = world.rng.normal(3.0, 1.0, size=SIZE) + world.weights
    expected = values[world.slots].mean()
    slots, probabilities = world.index.draw(strategy, 400_000, world.rng)
    terms = values[slots] / (len(world.index) * probabilities)
    error = terms.std() / np.sqrt(len(terms))
    assert abs(terms.mean() - expected) < 4.5 * error
    assert error < 0.2
    scaled = importance_weights(probabilities, 1.0)
    assert scaled.max() == 1.0
    np.testing.assert_allclose(scaled / scaled[0], probabilities[0] / probabilities)


def test_beta_says_how_much_is_corrected() -> None:
    """Beta 0 leaves all weights alike."""
    probabilities = np.array([0.5, 0.25, 0.125])
    assert importance_weights(probabilities, 0.0).tolist() == [1.0, 1.0, 1.0]
    assert importance_weights(probabilities, 0.5) == pytest.approx([0.5, 0.5**0.5, 1.0])


def test_priorities_are_powers_of_losses() -> None:
    """The sign of a loss does not count, and none makes a trajectory disappear."""
    losses = np.array([0.0, 4.0, -4.0])
    assert priorities_of(losses, 0.5, 1e-6) == pytest.approx([1e-3, 2.0, 2.0], rel=1e-6)
    assert priorities_of(losses, 0.0, 1e-6).tolist() == [1.0, 1.0, 1.0]
