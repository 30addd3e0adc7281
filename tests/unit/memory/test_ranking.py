"""Which patterns apply to a context, in which order, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daybook.memory.learning.lessons import features_of
from daybook.memory.paths import ABSENT, look_up
from daybook.memory.ranking import matches, rank
from daybook.models import DecisionType, MemoryPattern, PatternType
from daybook.models.enums import ConditionOperator
from daybook.models.patterns import PatternCondition

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pattern(*conditions: tuple[str, str, Any], **fields: Any) -> MemoryPattern:
    """Return a pattern under these conditions."""
    named = [
        PatternCondition(feature=feature, op=ConditionOperator(op), value=value)
        for feature, op, value in conditions
    ]
    ordinary: dict[str, Any] = {
        "pattern_id": "p",
        "agent_id": "a-1",
        "pattern_type": PatternType.SUCCESS,
        "decision_type": DecisionType.SOURCE_SELECTION,
        "choice": "news",
        "conditions": named,
        "success_rate": 0.7,
        "baseline_rate": 0.5,
        "sample_size": 300,
        "confidence": 0.6,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return MemoryPattern(**(ordinary | fields))


@pytest.mark.parametrize(
    ("condition", "context", "applies"),
    [
        (("a.b", "eq", "x"), {"a": {"b": "x"}}, True),
        (("a.b", "eq", "x"), {"a.b": "x"}, True),
        (("a.b.c", "eq", "x"), {"a": {"b.c": "x"}}, True),
        (("a.b.c", "eq", "x"), {"a": 1, "a.b": {"c": "x"}}, True),
        (("a.b", "eq", "x"), {"a": "x"}, False),
        (("a", "eq", 1), {"a": True}, False),
        (("a", "eq", True), {"a": 1}, False),
        (("a", "eq", 1), {"a": 1.0}, True),
        (("a", "eq", None), {"a": None}, True),
        (("a", "eq", None), {}, False),
        (("a", "lt", 1.5), {"a": 1}, True),
        (("a", "lt", 1.5), {"a": 1.5}, False),
        (("a", "ge", 1.5), {"a": 1.5}, True),
        (("a", "ge", 0.5), {"a": True}, False),
        (("a", "ge", 0.5), {"a": "1"}, False),
        (("a", "ge", 0.5), {"a": 10**1000}, True),
    ],
)
def test_conditions(
    condition: tuple[str, str, Any], context: dict[str, Any], applies: bool
) -> None:
    """Types are strict, paths reach into dicts and through keys with dots."""
    assert matches(pattern(condition), context) is applies


def test_the_most_confident_comes_first_and_age_counts() -> None:
    """A pattern that was not refreshed for a half-life counts half."""
    old = pattern(pattern_id="old", confidence=0.9, updated_at=NOW - timedelta(days=90))
    ranked = rank([old, pattern()], {}, now=NOW)
    assert [(r.pattern.pattern_id, round(r.score, 3)) for r in ranked] == [
        ("p", 0.6),
        ("old", 0.45),
    ]


def test_ties_go_to_the_more_specific_and_the_order_is_fixed() -> None:
    """Order does not depend on the order in which the patterns come."""
    specific = pattern(("a", "eq", "x"), pattern_id="z")
    others = [pattern(pattern_id="b"), specific, pattern(pattern_id="a")]
    for given in (others, others[::-1]):
        ids = [r.pattern.pattern_id for r in rank(given, {"a": "x"}, now=NOW)]
        assert ids == ["z", "a", "b"]


def test_retired_patterns_are_not_recalled_and_the_limit_holds() -> None:
    """Only live ones, and so many of them."""
    patterns = [pattern(pattern_id=str(n)) for n in range(5)]
    gone = pattern(retired_at=NOW, confidence=1.0)
    assert [r.pattern.pattern_id for r in rank([gone, *patterns], {}, now=NOW, limit=2)] == [
        "0",
        "1",
    ]


def test_because_is_one_sentence_with_the_facts() -> None:
    """The matched facts and the numbers."""
    both = pattern(("market.trend", "eq", "up"), ("market.volume", "ge", 0.6123))
    (found,) = rank([both], {"market": {"trend": "up", "volume": 0.75}}, now=NOW)
    assert found.because == (
        "Because market.trend is up and market.volume is 0.75, at or above 0.6123, news succeeds "
        "70% of the time rather than 50% elsewhere (300 outcomes)."
    )
    (anywhere,) = rank([pattern()], {}, now=NOW)
    assert anywhere.because.startswith("In any context, news succeeds 70%")
    (huge,) = rank([pattern(("a", "ge", 1.0))], {"a": 10**4000}, now=NOW)
    assert "a very large number" in huge.because


def test_paths_are_found_as_they_were_learned() -> None:
    """Where two paths read the same, learning and recall mean the same value."""
    for context in (
        {"a": {"b": 1}, "a.b": 2},
        {"a.b": 2, "a": {"b": 1}},
        {"a": {"b.c": 1, "b": {"c": 2}}},
        {"a.b": {"c": 1}, "a": {"b.c": 2}},
    ):
        for path, value in features_of(context).items():
            assert look_up(context, path) == value


def test_because_names_the_owner_of_a_shared_pattern_and_hides_controls() -> None:
    """What another agent claims does not read like one's own."""
    shared = pattern(choice="a\n\x1b[31mb")
    assert "says" not in rank([shared], {}, now=NOW, agent_id="a-1")[0].because
    because = rank([shared], {}, now=NOW, agent_id="another")[0].because
    assert "(300 outcomes, says a-1)" in because
    assert because.isprintable()


def test_hostile_paths_end() -> None:
    """Neither depth nor keys with dots make the search long."""
    nested: dict[str, Any] = {}
    for _ in range(60):
        nested = {"a": nested, "a.a": nested}
    assert look_up(nested, ".".join("a" * 59) + ".b") is ABSENT
    deep: dict[str, Any] = {"a": 1}
    for _ in range(3000):
        deep = {"a": deep}
    assert look_up(deep, ".".join("a" * 3001)) == 1
