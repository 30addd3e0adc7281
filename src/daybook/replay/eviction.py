"""Who makes room in a buffer that is full: what its strategy would miss least."""

from collections import OrderedDict
from typing import Protocol

import numpy as np

from daybook.replay.config import ReplayStrategy
from daybook.replay.sum_tree import Floats, MinTree, Slots

REACH = 1024
"""Slots among which the hand looks for one as low as the least."""


class Eviction(Protocol):
    """Knows the slots in use, and which of them makes room."""

    def add(self, slot: int, priority: float, domain: int) -> None:
        """Take in a slot."""
        ...

    def reweigh(self, slots: Slots, priorities: Floats) -> None:
        """Hear of new priorities."""
        ...

    def remove(self, slot: int) -> None:
        """Let go of a slot."""
        ...

    def victim(self) -> int:
        """Return the slot that makes room."""
        ...


class Oldest:
    """First in, first out."""

    def __init__(self) -> None:
        self._order: OrderedDict[int, None] = OrderedDict()

    def add(self, slot: int, priority: float, domain: int) -> None:  # noqa: ARG002
        """Take in a slot."""
        self._order[slot] = None

    def reweigh(self, slots: Slots, priorities: Floats) -> None:
        """Hear of new priorities, which change nothing."""

    def remove(self, slot: int) -> None:
        """Let go of a slot."""
        del self._order[slot]

    def victim(self) -> int:
        """Return the slot that was taken in first."""
        return next(iter(self._order))


class LeastPriority:
    """The one that is drawn least. A hand goes round the slots, and of equal ones takes the next.

    Where all are equal, as before any was replayed, that is the oldest.
    """

    def __init__(self) -> None:
        self._tree = MinTree()
        self._hand = 0

    def add(self, slot: int, priority: float, domain: int) -> None:  # noqa: ARG002
        """Take in a slot."""
        self._tree.set(np.array([slot]), priority)

    def reweigh(self, slots: Slots, priorities: Floats) -> None:
        """Hear of new priorities."""
        self._tree.set(slots, priorities)

    def remove(self, slot: int) -> None:
        """Let go of a slot."""
        self._tree.set(np.array([slot]), np.inf)

    def victim(self) -> int:
        """Return the slot of the least priority."""
        slot = self._tree.least()
        ahead = self._tree.leaves[self._hand : self._hand + REACH]
        equal = np.flatnonzero(ahead == self._tree.leaves[slot])
        if len(equal):
            slot = self._hand + int(equal[0])
        self._hand = slot + 1
        return slot


class LargestDomain:
    """The oldest of the domain that has most, so that none crowds out the others."""

    def __init__(self) -> None:
        self._domains: dict[int, Oldest] = {}
        self._sizes: dict[int, int] = {}
        self._domain_of: dict[int, int] = {}

    def add(self, slot: int, priority: float, domain: int) -> None:
        """Take in a slot."""
        self._domains.setdefault(domain, Oldest()).add(slot, priority, domain)
        self._sizes[domain] = self._sizes.get(domain, 0) + 1
        self._domain_of[slot] = domain

    def reweigh(self, slots: Slots, priorities: Floats) -> None:
        """Hear of new priorities, which change nothing."""

    def remove(self, slot: int) -> None:
        """Let go of a slot."""
        domain = self._domain_of.pop(slot)
        self._domains[domain].remove(slot)
        self._sizes[domain] -= 1
        if not self._sizes[domain]:
            del self._sizes[domain], self._domains[domain]

    def victim(self) -> int:
        """Return the oldest slot of the largest domain."""
        largest = max(self._sizes, key=lambda domain: self._sizes[domain])
        return self._domains[largest].victim()


def eviction_for(strategy: ReplayStrategy) -> Eviction:
    """Return the eviction that matches a strategy."""
    match strategy:
        case ReplayStrategy.PRIORITIZED_LOSS | ReplayStrategy.MIXED:
            return LeastPriority()
        case ReplayStrategy.DOMAIN_BALANCED:
            return LargestDomain()
        case _:
            return Oldest()
