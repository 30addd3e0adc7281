"""The counts of one choice as evidence: decayed with age, and as many outcomes as they are worth.

A segment of age a weighs `w = 2**(-a / half_life)`. Weighted counts are then scaled by
`sum(w n) / sum(w^2 n)`, so that the number of outcomes is Kish's effective sample size
`sum(w n)^2 / sum(w^2 n)` and ordinary tests hold. Without decay both are the plain counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from daybook.memory.learning.knowledge import Knowledge
from daybook.memory.learning.segments import (
    EARLIER,
    LATER,
    PAIRS,
    Block,
    Segment,
)
from daybook.memory.learning.tuning import CHOICES, FEATURES, SLOTS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Terms:
    """One or two features, by number, and the slots [feature slot] that a condition holds in.

    No features mean the choice as a whole.
    """

    features: tuple[int, ...]
    masks: tuple[NDArray[np.bool_], ...]


@dataclass(frozen=True)
class ChoiceEvidence:
    """Effective counts of a choice.

    `total` is [n, successes], and `others` the same of all other choices together; `singles`
    [n or successes, feature, slot]; `pairs` [n or successes, pair, slot, slot]. `scale` is
    effective outcomes by weighted outcome.
    """

    total: Floats
    others: Floats
    singles: Floats
    pairs: Floats
    scale: float

    def of(self, terms: Terms) -> tuple[Floats, Floats]:
        """Return [n, successes] where the terms hold, and where they do not.

        No terms at all set the choice against the other choices.
        """
        if not terms.features:
            return self.total, self.others
        inside, everywhere = tally(self.total, self.singles, self.pairs, terms)
        return inside, everywhere - inside


def blocks_since(knowledge: Knowledge, since: datetime | None) -> list[Block]:
    """Return the blocks that begin at or after a moment, oldest first."""
    ordered = sorted(knowledge.segments, key=lambda block: block.start)
    return [block for block in ordered if since is None or block.start >= since]


def evidence_of(
    knowledge: Knowledge, choice: int, half_life: timedelta, since: datetime | None = None
) -> ChoiceEvidence:
    """Return what is known of a choice since a moment, decayed to the newest evidence."""
    total, others = np.zeros(2), np.zeros(2)
    singles = np.zeros((2, FEATURES, SLOTS))
    pairs = np.zeros((2, PAIRS, SLOTS, SLOTS))
    squared = 0.0
    newest = Block(0, knowledge.newest).middle
    for block in blocks_since(knowledge, since):
        segment = knowledge.segments[block]
        weight = 0.5 ** (max(newest - block.middle, timedelta()) / half_life)
        others += weight * (segment.totals.sum(0) - segment.totals[choice])
        n = float(segment.totals[choice].sum())
        if not n:
            continue
        total += weight * segment.totals[choice]
        singles += weight * segment.singles[choice]
        pairs += weight * segment.pairs[choice]
        squared += weight * weight * n
    scale = float(total.sum() / squared) if squared else 1.0
    for counts in (total, others, singles, pairs):
        counts[0] += counts[1]  # failures become outcomes
        np.multiply(counts, scale, out=counts)
    return ChoiceEvidence(total, others, singles, pairs, scale)


def by_segment(
    knowledge: Knowledge, choice: int, terms: Terms, since: datetime | None
) -> tuple[list[Block], Floats]:
    """Return the blocks since a moment, and [block, inside or outside, n or successes]."""
    blocks = blocks_since(knowledge, since)
    rows = [_plain(knowledge.segments[block], choice, terms) for block in blocks]
    return blocks, np.array(rows).reshape(len(rows), 2, 2)


def pair_number(one: int, other: int) -> int:
    """Return the number of the pair of two different features."""
    later, earlier = max(one, other), min(one, other)
    return later * (later - 1) // 2 + earlier


def choices_in(knowledge: Knowledge) -> range:
    """Return the numbers of the choices that are known."""
    known = len(knowledge.vocabulary.choices) if knowledge.vocabulary else 0
    return range(min(known, CHOICES))


def tally(
    total: NDArray[np.generic],
    singles: NDArray[np.generic],
    pairs: NDArray[np.generic],
    terms: Terms,
) -> tuple[Floats, Floats]:
    """Return the counts [2] where the terms hold, and wherever their features are counted."""
    if not terms.features:
        return np.asarray(total, float), np.asarray(total, float)
    if len(terms.features) == 1:
        grid = np.asarray(singles[:, terms.features[0]], float)
        return grid @ terms.masks[0], grid.sum(1)
    pair = pair_number(*terms.features)
    first, second = terms.masks
    if terms.features[0] != EARLIER[pair] or terms.features[1] != LATER[pair]:
        first, second = second, first
    grid = np.asarray(pairs[:, pair], float)
    return np.einsum("oab,a,b->o", grid, first * 1.0, second * 1.0), grid.sum((1, 2))


def _plain(segment: Segment, choice: int, terms: Terms) -> Floats:
    inside, everywhere = tally(
        segment.totals[choice], segment.singles[choice], segment.pairs[choice], terms
    )
    outside = everywhere - inside if terms.features else segment.totals.sum(0) - inside
    rows = np.array([inside, outside])
    rows[:, 0] += rows[:, 1]
    return rows
