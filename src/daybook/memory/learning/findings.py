"""What a search finds: regions in which a choice does better or worse than elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daybook.memory.learning.evidence import Floats, Terms, pair_number
from daybook.memory.learning.regions import Place, Region
from daybook.models.enums import ConditionOperator as Op

Term = tuple[int, str, int]
"""Feature, operator and category's slot (0 for any cut)."""

Signature = tuple[Term, ...]
"""What a pattern is about, wherever its cuts lie: the term of each condition."""


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
        return tuple(term_of(feature, region) for feature, region in self.regions)


def term_of(feature: int, region: Region) -> Term:
    """Return what a condition is about, wherever its cut lies."""
    return feature, str(region.op), region.at if region.op is Op.EQ else 0


def block_of(signature: Signature) -> int:
    """Return the number of the feature, or of the pair of features."""
    features = [feature for feature, _, _ in signature]
    return features[0] if len(features) == 1 else pair_number(features[0], features[1])


def surprise(n: Floats, successes: Floats, expected: Floats) -> Floats:
    """Return half the deviance of binomial counts from what was expected, in nats."""
    failures = n - successes
    with np.errstate(divide="ignore", invalid="ignore"):
        won = np.where(successes > 0, successes * np.log(successes / expected), 0)
        lost = np.where(failures > 0, failures * np.log(failures / (n - expected)), 0)
    finite: Floats = np.nan_to_num(won + lost, nan=0, posinf=0, neginf=0)
    return finite


def parents(finding: Finding) -> Sequence[Finding]:
    """Return each condition of a pair alone."""
    return [Finding((term,)) for term in finding.regions]
