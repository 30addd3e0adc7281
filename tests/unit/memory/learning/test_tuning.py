"""Settings that cannot work are refused with a sentence, before anything is learned."""

from datetime import timedelta
from typing import Any

import pytest

from daybook import InvalidInputError
from daybook.memory.learning import LearningSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"half_life": timedelta()},
        {"half_life": -timedelta(days=1)},
        {"half_life": 5},
        {"false_discovery_rate": 0},
        {"false_discovery_rate": "much"},
        {"turn_risk": 1},
        {"min_support": "x"},
        {"min_support": 0},
        {"min_support": float("nan")},
        {"most_patterns": 0},
        {"most_patterns": 2.5},
    ],
)
def test_settings_are_checked(wrong: dict[str, Any]) -> None:
    """The error names the setting."""
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        LearningSettings(**wrong)
