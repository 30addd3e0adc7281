"""What slots are drawn from: each strategy's distribution, and the probability of each slot.

All are exact: `draw` gives a slot with the probability that `probabilities` says.
"""

from typing import Protocol

import numpy as np

from daybook.replay.columns import Column
from daybook.replay.sum_tree import Floats, Slots, SumTree

NOWHERE = -1


class Distribution(Protocol):
    """Something to draw slots from."""

    def draw(self, count: int, rng: np.random.Generator) -> Slots:
        """Draw slots, each by itself and with replacement."""
        ...

    def probabilities(self, slots: Slots) -> Floats:
        """Return the probability with which each of these is drawn."""
        ...


class Uniform:
    """Every slot in it alike."""

    def __init__(self) -> None:
        self._members = Column(np.int64, NOWHERE)
        self._places = Column(np.int64, NOWHERE)
        self.count = 0

    def add(self, slots: Slots) -> None:
        """Put slots in; those that are in stay."""
        self._places.reach(slots)
        new = slots[self._places[slots] == NOWHERE]
        places = np.arange(self.count, self.count + len(new))
        self._members.set(places, new)
        self._places.set(new, places)
        self.count += len(new)

    def remove(self, slots: Slots) -> None:
        """Take slots out; the last ones take their places."""
        for slot in slots.tolist():
            place = self._places.values[slot]
            self.count -= 1
            last = self._members.values[self.count]
            self._members.values[place] = last
            self._places.values[last] = place
            self._places.values[slot] = NOWHERE

    @property
    def members(self) -> Slots:
        """The slots in it, in no order."""
        return self._members.values[: self.count]

    def draw(self, count: int, rng: np.random.Generator) -> Slots:
        """Draw slots, each by itself and with replacement."""
        return self._members[rng.integers(self.count, size=count)]

    def probabilities(self, slots: Slots) -> Floats:
        """Return 1 / N for each."""
        return np.full(len(slots), 1.0 / self.count)


class Weighted:
    """Each slot by its weight: `w / S`."""

    def __init__(self) -> None:
        self.tree = SumTree()

    def draw(self, count: int, rng: np.random.Generator) -> Slots:
        """Draw slots, each by itself and with replacement."""
        return self.tree.find(rng.random(count))

    def probabilities(self, slots: Slots) -> Floats:
        """Return `w / S` for each."""
        return self.tree.leaves[slots] / self.tree.total


class Mixed:
    """Half by weight, half alike: `w / 2S + 1 / 2N`."""

    def __init__(self, weighted: Weighted, uniform: Uniform) -> None:
        self._weighted = weighted
        self._uniform = uniform

    def draw(self, count: int, rng: np.random.Generator) -> Slots:
        """Draw slots, each by itself and with replacement: a coin decides from which half."""
        by_weight = int(rng.binomial(count, 0.5))
        slots = np.concatenate(
            [self._weighted.draw(by_weight, rng), self._uniform.draw(count - by_weight, rng)]
        )
        return rng.permutation(slots)

    def probabilities(self, slots: Slots) -> Floats:
        """Return `w / 2S + 1 / 2N` for each."""
        return 0.5 * (self._weighted.probabilities(slots) + self._uniform.probabilities(slots))


class ByDomain:
    """Every domain alike, and within one each slot by its weight: `w / (D * S_d)`."""

    def __init__(self) -> None:
        self._trees: dict[int, SumTree] = {}
        self._members: dict[int, Column] = {}
        self._free: dict[int, list[int]] = {}
        self._counts: dict[int, int] = {}
        self._domains = Column(np.int64, NOWHERE)
        self._places = Column(np.int64, NOWHERE)

    def set(self, slots: Slots, domains: Slots, weights: Floats) -> None:
        """Put slots in, each with its domain and weight. None may be in."""
        for domain in np.unique(domains).tolist():
            chosen = domains == domain
            own = slots[chosen]
            places = self._new_places(domain, len(own))
            self._members[domain].set(places, own)
            self._places.set(own, places)
            self._domains.set(own, domain)
            self._trees[domain].set(places, weights[chosen])

    def reweigh(self, slots: Slots, weights: Floats) -> None:
        """Set the weights of slots that are in."""
        domains = self._domains[slots]
        for domain in np.unique(domains).tolist():
            chosen = domains == domain
            self._trees[domain].set(self._places[slots[chosen]], weights[chosen])

    def remove(self, slots: Slots) -> None:
        """Take slots out; a domain without slots is none."""
        self.reweigh(slots, np.zeros(len(slots)))
        for slot, domain in zip(slots.tolist(), self._domains[slots].tolist(), strict=True):
            self._free[domain].append(int(self._places.values[slot]))
            self._counts[domain] -= 1
            if not self._counts[domain]:
                for kept in (self._trees, self._members, self._free, self._counts):
                    del kept[domain]

    def draw(self, count: int, rng: np.random.Generator) -> Slots:
        """Draw slots, each by itself and with replacement: first the domain."""
        domains = list(self._trees)
        chosen = rng.integers(len(domains), size=count)
        slots = np.empty(count, dtype=np.int64)
        for number in np.unique(chosen).tolist():
            domain = domains[number]
            own = chosen == number
            shares = rng.random(int(own.sum()))
            slots[own] = self._members[domain][self._trees[domain].find(shares)]
        return slots

    def probabilities(self, slots: Slots) -> Floats:
        """Return `w / (D * S_d)` for each."""
        domains = self._domains[slots]
        found = np.empty(len(slots))
        for domain in np.unique(domains).tolist():
            own = domains == domain
            tree = self._trees[domain]
            share = tree.leaves[self._places[slots[own]]] / tree.total
            found[own] = share / len(self._trees)
        return found

    def _new_places(self, domain: int, count: int) -> Slots:
        if domain not in self._trees:
            self._trees[domain] = SumTree()
            self._members[domain] = Column(np.int64, NOWHERE)
            self._free[domain] = []
            self._counts[domain] = 0
        free = self._free[domain]
        again = [free.pop() for _ in range(min(count, len(free)))]
        used = self._counts[domain] + len(free) + len(again)
        self._counts[domain] += count
        return np.array([*again, *range(used, used + count - len(again))], dtype=np.int64)
