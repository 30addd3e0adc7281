"""The search for conditions under which a choice does better or worse than elsewhere.

Every region of one feature and of two is tested by the likelihood ratio (G) test against the
same choice outside it, and the most surprising one is accepted while it passes. Then what the
accepted ones explain is subtracted, and the search goes on with the rest, so one effect gives
one pattern and not its twenty neighbours.

How surprising it must be says `multiplicity`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from daybook.memory.learning.effects import Effects
from daybook.memory.learning.evidence import ChoiceEvidence, Floats, Terms, pair_number
from daybook.memory.learning.multiplicity import KEEPS_AT, Bars
from daybook.memory.learning.regions import Place, Region, Regions
from daybook.memory.learning.segments import EARLIER, LATER
from daybook.memory.learning.tuning import LearningSettings
from daybook.models.enums import ConditionOperator as Op

Signature = tuple[tuple[int, str, int], ...]
"""Feature, operator and category's slot (0 for any cut) of each condition: what a pattern is
about, wherever its cuts lie."""

_OPPOSITE = {Op.LT: Op.GE, Op.GE: Op.LT}
_BOTH_SIDES = 0.35
_EVEN = 0.5


@dataclass(frozen=True)
class Finding:
    """A region in which a choice does better or worse, with half its G statistic (nats)."""

    regions: Place
    surprise: float = 0.0

    @property
    def terms(self) -> Terms:
        """The slots inside."""
        features = tuple(feature for feature, _ in self.regions)
        return Terms(features, tuple(region.mask for _, region in self.regions))

    @property
    def signature(self) -> Signature:
        """What the finding is about, wherever its cuts lie."""
        return tuple(
            (feature, str(region.op), region.at if region.op is Op.EQ else 0)
            for feature, region in self.regions
        )


Scored = tuple[float, Finding]
"""By how much (nats) a finding passes its bar."""


def surprise(n: Floats, successes: Floats, expected: Floats) -> Floats:
    """Return half the deviance of binomial counts from what was expected, in nats."""
    failures = n - successes
    with np.errstate(divide="ignore", invalid="ignore"):
        won = np.where(successes > 0, successes * np.log(successes / expected), 0)
        lost = np.where(failures > 0, failures * np.log(failures / (n - expected)), 0)
    finite: Floats = np.nan_to_num(won + lost, nan=0, posinf=0, neginf=0)
    return finite


class Search:
    """Looks for the findings of one choice, one after the other."""

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
        self.one = [regions.sums(counts) for counts in evidence.singles]
        self.two = [regions.pair_sums(counts) for counts in evidence.pairs]

    def run(self) -> list[Finding]:
        """Return the findings, the most surprising first."""
        found: list[Finding] = []
        total = self.evidence.total[0]
        if total < 2 * self.settings.min_support:
            return []
        for accepted in range(self.settings.most_patterns):
            one, two = self.surprises([finding.terms for finding in found])
            rate = self.settings.false_discovery_rate
            bars, bars_of_known = (
                Bars.of(self.regions, self.choices, accepted, level)
                for level in (rate * self.share, rate)
            )
            taken = {finding.signature for finding in found}
            best = self._best_known(one, two, bars_of_known, taken)
            best = self._best_new(one, two, bars, taken, best)
            if best is None:
                break
            found.append(best[1])
        sides = [side for finding in found for side in self._sides(finding)]
        return list({finding.signature: finding for finding in sides}.values())

    def surprises(self, accepted: Sequence[Terms]) -> tuple[Floats, Floats]:
        """Return what is left to explain: [feature, region] and [pair, region, region]."""
        effects = Effects(self.evidence, accepted)
        one = self._test(
            self.one,
            self.evidence.singles[:, :, :].sum(2),
            self.regions.sums(effects.singles),
            effects.singles.sum(1),
        )
        totals = self.evidence.pairs.sum((2, 3))
        two = self._test(
            self.two, totals, self.regions.pair_sums(effects.pairs), effects.pairs.sum((1, 2))
        )
        return one, two

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
        least = self.settings.min_support
        return np.where((n >= least) & (rest >= least), half_g, 0)

    def _best_new(
        self, one: Floats, two: Floats, bars: Bars, taken: set[Signature], best: Scored | None
    ) -> Scored | None:
        """Return what passes its bar by most, if by more than `best`."""
        for grid, bar in ((one, bars.one[:, None]), (two, bars.two[:, None, None])):
            left = grid - bar
            for _ in range(4):  # past what has been found already
                place = np.unravel_index(int(np.argmax(left)), left.shape)
                score = float(left[place])
                if score <= (best[0] if best else 0):
                    break
                finding = self._finding(grid, tuple(int(step) for step in place))
                if finding.signature not in taken:
                    best = (score, finding)
                    break
                left[place] = -np.inf
        return best

    def _best_known(
        self, one: Floats, two: Floats, bars: Bars, taken: set[Signature]
    ) -> Scored | None:
        best: Scored | None = None
        for signature in sorted(self.known - taken):
            grid, bar = (one, bars.one) if len(signature) == 1 else (two, bars.two)
            known = self._known(grid, signature)
            if known is None or known.surprise < KEEPS_AT:
                continue
            first = _block(tuple(number for number, _, _ in signature))
            # between two that explain about the same, the one that is known stays
            score = known.surprise - float(bar[first]) + KEEPS_AT
            if best is None or score > best[0]:
                best = (score, known)
        return best

    def _finding(self, grid: Floats, place: tuple[int, ...]) -> Finding:
        first, *rest = place
        numbers = (first,) if len(rest) == 1 else (int(EARLIER[first]), int(LATER[first]))
        regions = [self.regions.of[number][at] for number, at in zip(numbers, rest, strict=True)]
        return self._centred(grid, first, numbers, regions)

    def _known(self, grid: Floats, signature: Signature) -> Finding | None:
        numbers = tuple(number for number, _, _ in signature)
        first = _block(numbers)
        listed = [self._alike(number, op, at) for number, op, at in signature]
        if not all(listed):
            return None
        part = grid[first][np.ix_(*listed)]
        best = np.unravel_index(int(np.argmax(part)), part.shape)
        regions = [
            self.regions.of[number][places[int(step)]]
            for number, places, step in zip(numbers, listed, best, strict=True)
        ]
        return self._centred(grid, first, numbers, regions)

    def _alike(self, number: int, op: str, at: int) -> list[int]:
        return [
            place
            for place, region in enumerate(self.regions.of[number])
            if region.op == op and at in {0, region.at}
        ]

    def _centred(
        self, grid: Floats, first: int, numbers: Sequence[int], regions: Sequence[Region]
    ) -> Finding:
        """Move each cut to its mean under the likelihood: steadier than the single best."""
        signature = Finding(tuple(zip(numbers, regions, strict=True)), 0).signature
        listed = [self._alike(*term) for term in signature]
        part = grid[first][np.ix_(*listed)]
        weights = np.exp(part - part.max())
        weights /= weights.sum()
        chosen: list[int] = []
        for axis, places in enumerate(listed):
            others = tuple(other for other in range(weights.ndim) if other != axis)
            mean = float(weights.sum(others) @ np.arange(len(places)))
            chosen.append(round(mean))
        place = tuple(places[at] for places, at in zip(listed, chosen, strict=True))
        if float(part.max() - grid[(first, *place)]) > 3:  # noqa: PLR2004 - two peaks: not between
            best = np.unravel_index(int(np.argmax(part)), part.shape)
            place = tuple(places[int(at)] for places, at in zip(listed, best, strict=True))
        moved = [self.regions.of[number][at] for number, at in zip(numbers, place, strict=True)]
        return Finding(tuple(zip(numbers, moved, strict=True)), float(part.max()))

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


def _block(numbers: Sequence[int]) -> int:
    return numbers[0] if len(numbers) == 1 else pair_number(numbers[0], numbers[1])
