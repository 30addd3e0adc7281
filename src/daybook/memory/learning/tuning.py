"""What a user may tune about learning; the sizes of what is kept are constants."""

import math
from dataclasses import dataclass
from datetime import timedelta

from daybook.errors import InvalidInputError

CHOICES = 8
"""Choices of a decision type that are learned about: those that came up most in the warm-up,
then whatever comes first. The outcomes of all others are counted as left out."""

FEATURES = 24
"""So many features of the context are counted, the most often present first."""

PAIRED = 12
"""So many of them are also counted two by two."""

SLOTS = 16
"""Cells of a feature: 0 is absent; then 15 ranges of a number, or 14 categories and the rest."""

MOST_FOUND = 100
_SHORTEST = timedelta(hours=1)

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
    false_discovery_rate: float = 0.025
    min_support: float = 30
    turn_risk: float = 0.001
    most_patterns: int = 8

    def __post_init__(self) -> None:
        """Check every setting. Raises InvalidInputError that says what would do."""
        if not isinstance(self.half_life, timedelta) or self.half_life < _SHORTEST:
            raise InvalidInputError(
                f"half_life is {self.half_life!r}: use a timedelta of an hour or more"
            )
        for name in ("false_discovery_rate", "turn_risk"):
            if not (_is_number(value := getattr(self, name)) and 0 < value < 1):
                raise InvalidInputError(f"{name} is {value!r}: use a number between 0 and 1")
        if not (_is_number(self.min_support) and 1 <= self.min_support < math.inf):
            raise InvalidInputError(f"min_support is {self.min_support!r}: use a number from 1")
        if not isinstance(self.most_patterns, int) or not 1 <= self.most_patterns <= MOST_FOUND:
            raise InvalidInputError(
                f"most_patterns is {self.most_patterns!r}: use a whole number, 1 to {MOST_FOUND}"
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
