"""`SamplingIndex`: the slots of a buffer, and how each strategy draws from them."""

from typing import NamedTuple

import numpy as np

from daybook.replay.columns import Column
from daybook.replay.config import ReplayStrategy
from daybook.replay.distributions import NOWHERE, ByDomain, Distribution, Mixed, Uniform, Weighted
from daybook.replay.sum_tree import Floats, Slots

MOST_HALF_LIVES = 900
"""Between the moment to which weights by recency refer and the newest: 2 ** 1024 is no float."""


class Draws(NamedTuple):
    """Slots that were drawn, and the probability with which each was."""

    slots: Slots
    probabilities: Floats


class SamplingIndex:
    """Slots with a priority, a moment and a domain each, to be drawn by any strategy.

    Moments are seconds since 1970. What recency and domains need is made when they are first
    drawn by, and kept up from then on. Not safe for threads.
    """

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._uniform = Uniform()
        self._by_loss = Weighted()
        self._by_recency: Weighted | None = None
        self._by_domain: ByDomain | None = None
        self._moments = Column(np.float64, 0.0)
        self._domains = Column(np.int64, NOWHERE)
        self._reference = 0.0

    def __len__(self) -> int:
        return self._uniform.count

    @property
    def slots(self) -> Slots:
        """The slots in use, in no order."""
        return self._uniform.members

    def priorities(self, slots: Slots) -> Floats:
        """Return the priorities of slots."""
        return self._by_loss.tree.leaves[slots]

    def domains(self, slots: Slots) -> Slots:
        """Return the domains of slots."""
        return self._domains[slots]

    def put(self, slots: Slots, priorities: Floats, moments: Floats, domains: Slots) -> None:
        """Fill slots that are empty."""
        self._uniform.add(slots)
        self._by_loss.tree.set(slots, priorities)
        self._moments.set(slots, moments)
        self._domains.set(slots, domains)
        if self._by_recency is not None:
            self._weigh_by_recency(self._by_recency, slots)
        if self._by_domain is not None:
            self._by_domain.set(slots, domains, priorities)

    def reweigh(self, slots: Slots, priorities: Floats) -> None:
        """Set the priorities of slots in use; of one that is named twice the last counts."""
        self._by_loss.tree.set(slots, priorities)
        if self._by_domain is not None:
            self._by_domain.reweigh(slots, priorities)

    def drop(self, slots: Slots) -> None:
        """Empty slots in use."""
        nothing = np.zeros(len(slots))
        self._uniform.remove(slots)
        self._by_loss.tree.set(slots, nothing)
        if self._by_recency is not None:
            self._by_recency.tree.set(slots, nothing)
        if self._by_domain is not None:
            self._by_domain.remove(slots)

    def draw(self, strategy: ReplayStrategy, count: int, rng: np.random.Generator) -> Draws:
        """Draw slots, each by itself and with replacement. Some must be in use."""
        distribution = self.distribution(strategy)
        slots = distribution.draw(count, rng)
        return Draws(slots, distribution.probabilities(slots))

    def distribution(self, strategy: ReplayStrategy) -> Distribution:
        """Return what a strategy draws from."""
        match strategy:
            case ReplayStrategy.UNIFORM:
                return self._uniform
            case ReplayStrategy.PRIORITIZED_LOSS:
                return self._by_loss
            case ReplayStrategy.MIXED:
                return Mixed(self._by_loss, self._uniform)
            case ReplayStrategy.PRIORITIZED_RECENCY:
                return self._recency()
            case ReplayStrategy.DOMAIN_BALANCED:
                return self._domain()

    def _recency(self) -> Weighted:
        if self._by_recency is None:
            self._by_recency = Weighted()
            self._refer_to_newest(self._by_recency)
        elif not self._by_recency.tree.total and len(self):
            # all that is left is so old beside what was dropped that its weights are no floats
            self._refer_to_newest(self._by_recency)
        return self._by_recency

    def _weigh_by_recency(self, by_recency: Weighted, slots: Slots) -> None:
        newest = float(self._moments[slots].max())
        if newest - self._reference > MOST_HALF_LIVES * self._half_life_s:
            self._refer_to_newest(by_recency)
        else:
            by_recency.tree.set(slots, self._recencies(slots))

    def _refer_to_newest(self, by_recency: Weighted) -> None:
        slots = self.slots
        if len(slots):
            self._reference = float(self._moments[slots].max())
            by_recency.tree.set(slots, self._recencies(slots))

    def _recencies(self, slots: Slots) -> Floats:
        return np.exp2((self._moments[slots] - self._reference) / self._half_life_s)

    def _domain(self) -> ByDomain:
        if self._by_domain is None:
            self._by_domain = ByDomain()
            slots = self.slots
            self._by_domain.set(slots, self._domains[slots], self.priorities(slots))
        return self._by_domain
