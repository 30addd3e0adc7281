"""What the patterns found so far make one expect elsewhere.

One planted effect shows in every region that overlaps it. So each accepted pattern is given an
effect, and what it explains is subtracted before the next is sought: the expected successes of
a cell are `n (base + sum of effect_j * share_j)`, share_j being the part of the cell that lies
inside pattern j. The share is exact where the cell names the pattern's features; elsewhere the
features are taken as independent of each other, given each of the cell's own.
"""

from collections.abc import Sequence

import numpy as np

from daybook.memory.learning.evidence import ChoiceEvidence, Floats, Terms, pair_number, tally
from daybook.memory.learning.segments import EARLIER, LATER
from daybook.memory.learning.tuning import FEATURES, PAIRED, SLOTS

_LEAST = 1e-9


class Effects:
    """Expected successes of one choice: [feature, slot] and [pair, slot, slot]."""

    def __init__(self, evidence: ChoiceEvidence, accepted: Sequence[Terms]) -> None:
        shares = [_shares(evidence, terms) for terms in accepted]
        self.base, effects = _fit(evidence, accepted, shares)
        one = np.full((FEATURES, SLOTS), self.base)
        two = np.full(evidence.pairs[0].shape, self.base)
        for effect, (single, pair) in zip(effects, shares, strict=True):
            one += effect * single
            two += effect * pair
        self.singles = evidence.singles[0] * np.clip(one, _LEAST, 1 - _LEAST)
        self.pairs = evidence.pairs[0] * np.clip(two, _LEAST, 1 - _LEAST)


def _fit(
    evidence: ChoiceEvidence, accepted: Sequence[Terms], shares: Sequence[tuple[Floats, Floats]]
) -> tuple[float, list[float]]:
    """Return the base rate and each pattern's effect: successes inside each come out right."""
    size = len(accepted) + 1
    equations, successes = np.zeros((size, size)), np.zeros(size)
    equations[0, 0], successes[0] = evidence.total
    for row, terms in enumerate(accepted, 1):
        inside, _ = evidence.of(terms)
        equations[row, 0] = equations[0, row] = inside[0]
        successes[row] = inside[1]
        for column, (single, pair) in enumerate(shares, 1):
            grids = (evidence.singles[:1] * single, evidence.pairs[:1] * pair)
            equations[row, column] = tally(evidence.total[:1], *grids, terms)[0][0]
    base, *effects = np.linalg.lstsq(equations, successes, rcond=1e-6)[0].tolist()
    return base, effects


def _shares(evidence: ChoiceEvidence, terms: Terms) -> tuple[Floats, Floats]:
    """Return which part of each cell lies inside, for the singles and for the pairs."""
    one = np.ones((FEATURES, SLOTS))
    two = np.ones(evidence.pairs[0].shape)
    product = 1.0
    for feature, mask in zip(terms.features, terms.masks, strict=True):
        given, overall = _inside_given(evidence, feature, mask)
        product *= overall
        one *= given
        both = np.clip(given[EARLIER][:, :, None] * given[LATER][:, None, :] / overall, 0, 1)
        both[feature == EARLIER] = mask[:, None]
        both[feature == LATER] = mask[None, :]
        two *= both
    if len(terms.features) > 1:
        inside, outside = evidence.of(terms)
        together = inside[0] / max(inside[0] + outside[0], _LEAST) / max(product, _LEAST)
        elsewhere = ~np.isin(np.arange(FEATURES), terms.features)
        one[elsewhere] *= together
        two[~(np.isin(EARLIER, terms.features) | np.isin(LATER, terms.features))] *= together
    return np.clip(one, 0, 1), np.clip(two, 0, 1)


def _inside_given(
    evidence: ChoiceEvidence, feature: int, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> tuple[Floats, float]:
    """Return P(inside | slot of each feature), and P(inside)."""
    own = evidence.singles[0, feature]
    overall = float(max(own @ mask / max(own.sum(), _LEAST), _LEAST))
    given = np.full((FEATURES, SLOTS), overall)
    for other in range(PAIRED if feature < PAIRED else 0):
        if other == feature:
            continue
        grid = evidence.pairs[0, pair_number(feature, other)]
        grid = grid if feature < other else grid.T
        n = grid.sum(0)
        # a slot with hardly an outcome says little: lean on the overall share
        given[other] = (mask @ grid + overall) / (n + 1)
    given[feature] = mask
    return given, overall
