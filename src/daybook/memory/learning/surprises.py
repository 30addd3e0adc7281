"""How surprising every region of one choice is, given the patterns accepted so far."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from daybook.memory.learning.effects import Effects
from daybook.memory.learning.evidence import ChoiceEvidence, Floats, Terms, tally
from daybook.memory.learning.findings import Finding, Signature, block_of, surprise, term_of
from daybook.memory.learning.regions import Region, Regions
from daybook.memory.learning.segments import EARLIER, LATER

_BETWEEN_PEAKS = 3.0
"""A cut that explains so much less (nats) than the best lies between two peaks."""


class Grids:
    """The counts of every region: evidence that can be asked how surprising it is."""

    def __init__(self, evidence: ChoiceEvidence, regions: Regions, least: float) -> None:
        self.evidence = evidence
        self.regions = regions
        self.least = least
        self.one = [regions.sums(counts) for counts in evidence.singles]
        self.two = [regions.pair_sums(counts) for counts in evidence.pairs]

    def given(self, accepted: Sequence[Terms]) -> "Surprises":
        """Return what is left to explain once these patterns are accepted."""
        effects = Effects(self.evidence, accepted)
        one = self._test(
            self.one,
            self.evidence.singles.sum(2),
            self.regions.sums(effects.singles),
            effects.singles.sum(1),
        )
        two = self._test(
            self.two,
            self.evidence.pairs.sum((2, 3)),
            self.regions.pair_sums(effects.pairs),
            effects.pairs.sum((1, 2)),
        )
        return Surprises(self, effects, one, two)

    def _test(
        self, inside: Sequence[Floats], totals: Floats, expected: Floats, everywhere: Floats
    ) -> Floats:
        shape = (-1,) + (1,) * (inside[0].ndim - 1)
        n, successes = inside
        rest, rest_successes = (t.reshape(shape) - i for t, i in zip(totals, inside, strict=True))
        # the model is fitted to the whole, not to each grid: make the grid's total come out right
        ratio = totals[1] / np.maximum(everywhere, 1e-9)
        expected = np.minimum(expected * ratio.reshape(shape), n)
        elsewhere = np.minimum(totals[1].reshape(shape) - expected, rest)
        half_g = surprise(n, successes, expected) + surprise(rest, rest_successes, elsewhere)
        return np.where((n >= self.least) & (rest >= self.least), half_g, 0)


class Surprises:
    """Half the G statistic (nats): `one` is [feature, region], `two` [pair, region, region]."""

    def __init__(self, grids: Grids, effects: Effects, one: Floats, two: Floats) -> None:
        self.regions = grids.regions
        self.evidence = grids.evidence
        self.effects = effects
        self.one = one
        self.two = two

    def at(self, place: tuple[int, ...]) -> Finding:
        """Return the finding at a place of a grid: [feature, region] or [pair, region, region]."""
        block, *steps = place
        numbers = (block,) if len(steps) == 1 else (int(EARLIER[block]), int(LATER[block]))
        terms = [
            term_of(number, self.regions.of[number][step])
            for number, step in zip(numbers, steps, strict=True)
        ]
        finding = self.about(tuple(terms))
        if finding is None:
            raise AssertionError(f"no region at {place}")
        return finding

    def about(self, signature: Signature) -> Finding | None:
        """Return the most surprising finding with this signature, None where there is no region.

        Its cuts are the means under the likelihood, which are steadier than the single best.
        """
        listed = [self.alike(*term) for term in signature]
        if not all(listed):
            return None
        grid = (self.one if len(signature) == 1 else self.two)[block_of(signature)]
        part = grid[np.ix_(*listed)]
        best = np.unravel_index(int(np.argmax(part)), part.shape)
        middle = tuple(_middles(part))
        chosen: tuple[Any, ...] = (
            best if float(part.max() - part[middle]) > _BETWEEN_PEAKS else middle
        )
        moved = tuple(
            (number, self.regions.of[number][places[int(step)]])
            for (number, _, _), places, step in zip(signature, listed, chosen, strict=True)
        )
        return Finding(moved, float(part.max()))

    def alike(self, number: int, op: str, at: int) -> list[int]:
        """Return the places of a feature's regions with this operator and category."""
        if number >= len(self.regions.of):
            return []
        return [
            place
            for place, region in enumerate(self.regions.of[number])
            if region.op == op and at in {0, region.at}
        ]

    def of_split(self, pair: Finding, number: int, region: Region) -> float:
        """Return how surprising a pair's other condition is where this one of it holds."""
        singles = np.array([*self.evidence.singles, self.effects.singles])
        pairs = np.array([*self.evidence.pairs, self.effects.pairs])
        both, _ = tally(np.zeros(3), singles, pairs, pair.terms)
        whole, _ = tally(np.zeros(3), singles, pairs, Terms((number,), (region.mask,)))
        n, successes, expected = np.array([both, whole - both]).T
        ratio = successes.sum() / max(float(expected.sum()), 1e-9)
        return float(surprise(n, successes, np.minimum(expected * ratio, n)).sum())


def _middles(part: Floats) -> list[int]:
    weights = np.exp(part - part.max())
    weights /= weights.sum()
    middles: list[int] = []
    for axis, places in enumerate(part.shape):
        others = tuple(other for other in range(part.ndim) if other != axis)
        middles.append(round(float(weights.sum(others) @ np.arange(places))))
    return middles
