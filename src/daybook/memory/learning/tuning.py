"""What a user may tune about learning; the sizes of what is kept are constants."""

from dataclasses import dataclass
from datetime import timedelta

CHOICES = 8
"""The first choices seen are learned about; later ones are counted as left out."""

FEATURES = 24
"""So many features of the context are counted, the most often present first."""

PAIRED = 12
"""So many of them are also counted two by two."""

SLOTS = 16
"""Cells of a feature: 0 is absent; then 15 ranges of a number, or 14 categories and the rest."""

WARM_UP = 512
"""Lessons that are kept whole until features, categories and cut points are settled."""


@dataclass(frozen=True, kw_only=True)
class LearningSettings:
    """How evidence becomes a pattern.

    `half_life`: evidence so much older than the newest counts half. `false_discovery_rate`:
    the share of new patterns that may be chance. `min_support`: outcomes (effective, after
    decay) that a pattern needs inside and outside its conditions. `turn_risk`: the chance of
    seeing a turn where there is none, a look. `most_patterns`: for each choice.
    """

    half_life: timedelta = timedelta(days=90)
    false_discovery_rate: float = 0.03
    min_support: float = 30
    turn_risk: float = 0.001
    most_patterns: int = 8
