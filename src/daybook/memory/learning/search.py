"""The search for conditions under which a choice does better or worse than elsewhere.

Every region of one feature and of two is tested by the likelihood ratio (G) test against the
same choice outside it, and the most surprising one is accepted while it passes. Then what the
accepted ones explain is subtracted, and the search goes on with the rest, so one effect gives
one pattern and not its twenty neighbours.

How surprising it must be says `multiplicity`.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from daybook.memory.learning.evidence import ChoiceEvidence
from daybook.memory.learning.findings import Finding, Signature, parents
from daybook.memory.learning.multiplicity import KEEPS_AT, Bars, split_bars
from daybook.memory.learning.regions import Region, Regions
from daybook.memory.learning.segments import EARLIER, LATER
from daybook.memory.learning.surprises import Grids, Surprises
from daybook.memory.learning.tuning import LearningSettings
from daybook.models.enums import ConditionOperator as Op

_OPPOSITE = {Op.LT: Op.GE, Op.GE: Op.LT}
_BOTH_SIDES = 0.35
_EVEN = 0.5
_TRIES = 8

Scored = tuple[float, Finding]
"""By how much (nats) a finding passes its bar."""


class Search:
    """Looks for the findings of one choice, one after the other.

    `choices` is how many there are, `known` what the agent's learned patterns are about, and
    `share` the part of the false discovery rate that this look may spend.
    """

    def __init__(
        self,
        evidence: ChoiceEvidence,
        regions: Regions,
        choices: int,
        settings: LearningSettings,
        known: Collection[Signature] = (),
        share: float = 1.0,
    ) -> None:
        self.evidence = evidence
        self.regions = regions
        self.choices = choices
        self.settings = settings
        self.known = set(known)
        self.share = share

    def run(self) -> list[Finding]:
        """Return the findings, the most surprising first."""
        if self.evidence.total[0] < 2 * self.settings.min_support:
            return []
        grids = Grids(self.evidence, self.regions, self.settings.min_support)
        found: list[Finding] = []
        while len(found) < self.settings.most_patterns:
            left = grids.given([finding.terms for finding in found])
            accepted = self._best(left, found)
            if not accepted:
                break
            found += accepted
        sides = [side for finding in found for side in self._sides(finding)]
        return list({finding.signature: finding for finding in sides}.values())

    def _best(self, left: Surprises, found: list[Finding]) -> list[Finding]:
        """Return what passes its bar by most; two where one or two conditions may explain it."""
        rate = self.settings.false_discovery_rate
        bars, bars_of_known = (
            Bars.of(self.regions, self.choices, len(found), level)
            for level in (rate * self.share, rate)
        )
        taken = {finding.signature for finding in found}
        passing = [*self._known(left, bars_of_known, taken), *self._new(left, bars, taken)]
        if not passing:
            return []
        _, best = max(passing, key=lambda scored: scored[0])
        if len(best.regions) == 1:
            pair = self._narrower(left, bars, best, taken)
            return [best] if pair is None else self._resolved(left, best, pair)
        alone = [
            single
            for parent in parents(best)
            if parent.signature not in taken
            and (single := left.about(parent.signature))
            and single.surprise >= bars.at(single.signature)
        ]
        if not alone:
            return [best]
        return self._resolved(left, max(alone, key=lambda each: each.surprise), best)

    def _known(
        self, left: Surprises, bars: Bars, taken: Collection[Signature]
    ) -> Iterator[Scored]:
        """Yield what is known and still surprises, with a start over what is new."""
        for signature in sorted(self.known.difference(taken)):
            finding = left.about(signature)
            if finding is not None and finding.surprise >= KEEPS_AT:
                # between two that explain about the same, the one that is known stays
                yield finding.surprise - bars.at(signature) + KEEPS_AT, finding

    def _new(self, left: Surprises, bars: Bars, taken: Collection[Signature]) -> Iterator[Scored]:
        """Yield the single condition and the pair that pass their bars by most."""
        for grid, bar in ((left.one, bars.one[:, None]), (left.two, bars.two[:, None, None])):
            over = grid - bar
            for _ in range(_TRIES):  # past what has been found already
                place = tuple(int(at) for at in np.unravel_index(int(np.argmax(over)), over.shape))
                score = float(over[place])
                if score <= 0:
                    break
                finding = left.at(place)
                if finding.signature not in taken:
                    yield score, finding
                    break
                over[place] = -np.inf

    def _narrower(
        self, left: Surprises, bars: Bars, single: Finding, taken: Collection[Signature]
    ) -> Finding | None:
        """Return the pair with this condition that passes its bar by most."""
        (term,) = single.signature
        number, places = term[0], left.alike(*term)
        with_it = np.zeros(left.two.shape, np.bool_)
        for pair in np.flatnonzero(number == EARLIER):
            with_it[pair, places, :] = True
        for pair in np.flatnonzero(number == LATER):
            with_it[pair, :, places] = True
        over = np.where(with_it, left.two - bars.two[:, None, None], -np.inf)
        place = tuple(int(at) for at in np.unravel_index(int(np.argmax(over)), over.shape))
        if over[place] <= 0:
            return None
        finding = left.at(place)
        return None if finding.signature in taken else finding

    def _resolved(self, left: Surprises, single: Finding, pair: Finding) -> list[Finding]:
        """Return which of the two the evidence speaks for, or both while it cannot tell.

        It speaks for the single condition when the other one changes nothing where it holds.
        """
        (term,) = single.signature
        number = term[0]
        region = dict(pair.regions)[number]
        split = left.of_split(pair, number, region)
        likely, sure = split_bars(self.regions, number)
        if split < (KEEPS_AT if pair.signature in self.known else likely):
            return [single]
        if split >= sure + (KEEPS_AT if single.signature in self.known else 0):
            return [pair]
        return [single, pair]

    def _sides(self, finding: Finding) -> list[Finding]:
        """Name the smaller side of a cut as the exception, and both where neither is small."""
        if len(finding.regions) > 1:
            return [finding]
        ((number, region),) = finding.regions
        other = self._opposite(number, region)
        inside, outside = self.evidence.of(finding.terms)
        share = inside[0] / (inside[0] + outside[0])
        if other is None:
            return [finding]
        opposite = replace(finding, regions=((number, other),))
        if _BOTH_SIDES <= share <= 1 - _BOTH_SIDES:
            return [finding, opposite]
        return [finding if share <= _EVEN else opposite]

    def _opposite(self, number: int, region: Region) -> Region | None:
        if region.op is not Op.EQ:
            return Region(_OPPOSITE[region.op], region.at)
        used = np.flatnonzero(self.evidence.singles[0, number])
        others: NDArray[np.intp] = used[used != region.at]
        if len(others) != 1 or not 1 <= others[0] <= len(self.regions.of[number]):
            return None
        return Region(Op.EQ, int(others[0]))
