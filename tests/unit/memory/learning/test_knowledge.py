"""Knowledge is a left fold over lessons, bounded whatever they hold."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.errors import InvalidInputError
from daybook.memory.learning import Knowledge, Lesson
from daybook.memory.learning.segments import Block, block_of
from daybook.memory.learning.tuning import CHOICES
from daybook.models.identity import uuid_at

START = datetime(2026, 1, 1, tzinfo=UTC)
PATHS = ("trend", "volume", "hour", "late")

plain = (
    st.none() | st.booleans() | st.sampled_from(["up", "down"]) | st.integers() | st.floats(-9, 9)
)
contexts = st.dictionaries(st.sampled_from(PATHS), plain) | st.builds(
    lambda inner: {"market": inner}, st.dictionaries(st.sampled_from(PATHS), plain)
)


def lesson(number: int, context: dict[str, Any], hours: float = 0, choice: str = "buy") -> Lesson:
    """Return a lesson so many hours after the start."""
    moment = START + timedelta(hours=hours)
    return Lesson(uuid_at(moment, number), moment, (choice,), context, number % 3 == 0)


@st.composite
def histories(draw: st.DrawFn) -> list[Lesson]:
    """Draw some lessons, repeated past the warm-up, out of order in time."""
    drawn = draw(st.lists(st.tuples(contexts, st.integers(0, 3000)), min_size=5, max_size=12))
    size = draw(st.integers(1, 1100))
    return [
        lesson(n, drawn[n % len(drawn)][0], drawn[n % len(drawn)][1], choice=f"choice {n % 11}")
        for n in range(size)
    ]


@settings(max_examples=40, deadline=None)
@given(histories(), st.lists(st.integers(0, 1100), max_size=3))
def test_learning_in_parts_is_learning_at_once(history: list[Lesson], cuts: list[int]) -> None:
    """Any cut, with a dump and a load between the parts, leaves the same bytes."""
    whole = Knowledge()
    whole.learn(history)
    parts: dict[str, bytes] = {}
    bounds = [0, *sorted(cuts), len(history)]
    for start, end in pairwise(bounds):
        knowledge = Knowledge.load(parts)
        knowledge.learn(history[start:end])
        parts = knowledge.dump()
    assert parts == whole.dump()


@given(st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**5))
def test_blocks_only_ever_merge(unit: int, age: int, later: int) -> None:
    """A block holds its unit, and time passing makes it part of one block."""
    newest = unit + age
    now, then = block_of(unit, newest), block_of(unit, newest + later)
    assert unit >> now.level == now.number
    first, last = now.number << now.level, ((now.number + 1) << now.level) - 1
    assert {block_of(first, newest + later), block_of(last, newest + later)} == {then}


def test_segments_grow_with_the_logarithm_of_time() -> None:
    """Ten years of every unit are a few dozen segments."""
    newest = 4 * 3650
    assert len({block_of(unit, newest) for unit in range(newest + 1)}) < 60
    assert block_of(newest, newest) == Block(0, newest)


def test_counts_are_exact_whatever_the_order_of_time() -> None:
    """Lessons that arrive late are counted, in the segments of their own time."""
    lessons = [lesson(n, {"x": n % 7 + 0.5}, hours=(n * 7919) % 5000) for n in range(2000)]
    one, other = Knowledge(), Knowledge()
    one.learn(lessons)
    other.learn([*lessons[:600], *reversed(lessons[600:])])
    assert {b: s.dump() for b, s in one.segments.items()} == {
        b: s.dump() for b, s in other.segments.items()
    }
    assert sum(int(segment.totals.sum()) for segment in one.segments.values()) == 2000


HOSTILE: Sequence[dict[str, Any]] = [
    {f"key{n}": n for n in range(10_000)},
    {"n": 10**1000, "m": -(10**1000), "t": "x" * 100_000, "": "empty"},
    {"mixed": "text"},
    {"mixed": 4},
    {"mixed": True},
    {"mixed": None, "list": [1, {"a": 2}]},
    {"a.b": 1, "a": {"b": 2}},
]


def _nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"leaf": 1}
    for _ in range(depth):
        inner = {"deeper": inner}
    return inner


def test_hostile_contexts_are_survived_and_bounded() -> None:
    """Thousands of keys, deep nests, huge numbers and mixed types crash nothing."""
    contexts = [*HOSTILE, _nested(64), *({"id": f"id-{n}"} for n in range(5))]
    knowledge = Knowledge()
    knowledge.learn(
        lesson(n, contexts[n % len(contexts)] | {"order": f"order-{n}"}) for n in range(1500)
    )
    assert Knowledge.load(knowledge.dump()).dump() == knowledge.dump()
    assert all(len(part) < 2_000_000 for part in knowledge.dump().values())
    assert knowledge.vocabulary is not None
    assert "order" not in [feature.path for feature in knowledge.vocabulary.features]


def test_features_categories_and_choices_may_come_late() -> None:
    """What appears after the warm-up is learned as well; choices beyond the cap are counted."""
    knowledge = Knowledge()
    knowledge.learn(lesson(n, {"trend": "up"}) for n in range(600))
    knowledge.learn(
        lesson(n, {"trend": "sideways", "new": n * 1.0}, choice=f"c{n % 9}") for n in range(900)
    )
    assert knowledge.vocabulary is not None
    assert [f.path for f in knowledge.vocabulary.features] == ["trend", "new"]
    assert knowledge.vocabulary.features[0].categories == ["up", "sideways"]
    assert knowledge.left_out == 200


def test_an_unknown_format_is_refused() -> None:
    """Knowledge that a newer Daybook wrote says so."""
    parts = Knowledge().dump()
    parts["vocabulary"] = parts["vocabulary"].replace(b'"format":1', b'"format":9')
    with pytest.raises(InvalidInputError, match="format 9"):
        Knowledge.load(parts)


def test_the_choices_of_the_warm_up_are_the_most_frequent() -> None:
    """Some that were tried once and given up do not take the place of those in use."""
    knowledge = Knowledge()
    listed = [
        Lesson(uuid_at(START, number), START, (choice,), {"x": 1.0}, True)
        for number, choice in enumerate(
            [f"dud-{number % 9}" for number in range(60)] + ["gold", "lead"] * 300
        )
    ]
    knowledge.learn(listed)
    outcomes = knowledge.outcomes()
    assert outcomes["gold"] == outcomes["lead"] == 300
    assert len(outcomes) == CHOICES
    assert knowledge.left_out + outcomes.total() == len(listed)
