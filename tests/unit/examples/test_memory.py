"""What recalled patterns advise."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import DecisionType, MemoryPattern
from daybook.memory import Recollection
from daybook.models import PatternCondition
from daybook.models.enums import ConditionOperator, PatternType
from examples.trading_desk.memory import advice_from

NOW = datetime(2024, 1, 1, tzinfo=UTC)
SCORES = {"A": 3.0, "B": 2.0, "C": 1.0}


def recalled(choice: str, rate: float, baseline: float = 0.5, conditions: int = 0) -> Recollection:
    """Make a recollection about a choice, with so many conditions."""
    condition = PatternCondition(feature="market.trend", op=ConditionOperator.EQ, value="up")
    pattern = MemoryPattern(
        pattern_id=f"{choice}-{rate}-{conditions}",
        agent_id="scout",
        pattern_type=PatternType.SUCCESS if rate > baseline else PatternType.FAILURE,
        decision_type=DecisionType.SOURCE_SELECTION,
        choice=choice,
        conditions=[condition] * conditions,
        success_rate=rate,
        baseline_rate=baseline,
        sample_size=100,
        confidence=0.5,
        created_at=NOW,
        updated_at=NOW,
    )
    return Recollection(pattern, pattern.confidence, f"Because of {choice}.")


def test_nothing_recalled_is_no_advice() -> None:
    """Nor is a pattern about something that is no option today."""
    assert advice_from([], SCORES) is None
    assert advice_from([recalled("GOOG", 0.9)], SCORES) is None


@pytest.mark.parametrize(
    ("known", "preferred"),
    [
        ([recalled("C", 0.7)], "C"),
        ([recalled("A", 0.3)], "B"),
        ([recalled("A", 0.3), recalled("B", 0.2)], "C"),
        ([recalled("B", 0.6), recalled("C", 0.8)], "C"),
        ([recalled("A", 0.5)], "A"),
    ],
)
def test_the_highest_rate_is_preferred(known: list[Recollection], preferred: str) -> None:
    """An option without a pattern is worth the baseline; equals go by the agent's own score."""
    advice = advice_from(known, SCORES)
    assert advice is not None
    assert advice.preferred == preferred
    assert set(advice.patterns) == {each.pattern.pattern_id for each in known}


def test_the_pattern_with_the_most_conditions_speaks() -> None:
    """Of two about a choice, the more particular one; of equals, the first recalled."""
    known = [
        recalled("A", 0.9),
        recalled("A", 0.1, conditions=1),
        recalled("A", 0.8, conditions=1),
    ]
    advice = advice_from(known, SCORES)
    assert advice is not None
    assert (advice.preferred, advice.patterns) == ("B", ("A-0.1-1",))


def test_the_advice_says_why() -> None:
    """In a sentence, also when the preferred option has no pattern of its own."""
    spoken, unspoken = (advice_from([recalled("A", rate)], SCORES) for rate in (0.9, 0.1))
    assert spoken is not None
    assert spoken.because == "Memory prefers A. Because of A."
    assert unspoken is not None
    assert unspoken.because.startswith("Memory prefers B. Nothing speaks for or against it.")


@given(st.lists(st.builds(recalled, st.sampled_from("ABCX"), st.floats(0, 1), st.floats(0, 1))))
def test_the_preferred_is_an_option(known: list[Recollection]) -> None:
    """Whatever is recalled."""
    advice = advice_from(known, SCORES)
    assert advice is None or advice.preferred in SCORES
