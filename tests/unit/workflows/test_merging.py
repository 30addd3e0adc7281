"""Runs and patterns put together: every run once, best first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daybook import MemoryPattern, PatternCondition, TaskType, new_decision_id
from daybook.memory.intervals import lower_bound
from daybook.models.workflows import WorkflowRun
from daybook.workflows.merging import merge, rank

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KIND = TaskType.TESTING


def runs(workflow: str, outcomes: str, *, start: datetime = NOW) -> list[WorkflowRun]:
    """Make runs, one a minute backwards: `+` succeeded, `-` did not."""
    return [
        WorkflowRun.checked(
            decision_id=new_decision_id("me", start - timedelta(minutes=place)),
            task_type=KIND,
            workflow=workflow,
            success=outcome == "+",
            duration=float(place + 1),
            cost=0.5 if place % 2 else None,
        )
        for place, outcome in enumerate(outcomes)
    ]


def learned(
    workflow: str,
    n: int,
    rate: float,
    *,
    agent: str = "me",
    feature: str | None = "task_type",
    value: str = "testing",
    at: datetime = NOW,
) -> MemoryPattern:
    """Make a pattern of long-term memory."""
    named = [feature] if feature else []
    conditions = [PatternCondition.checked(feature=n, op="eq", value=value) for n in named]
    return MemoryPattern.checked(
        pattern_id=f"{agent}-{workflow}-{feature}-{value}",
        agent_id=agent,
        pattern_type="success",
        decision_type="workflow_selection",
        choice=workflow,
        conditions=conditions,
        success_rate=rate,
        baseline_rate=0.5,
        sample_size=n,
        confidence=0.5,
        created_at=at,
        updated_at=at,
    )


def put_together(
    found: list[WorkflowRun], patterns: list[MemoryPattern], *, is_whole: bool = True
) -> dict[str, Any]:
    """Return sample size and success rate of each workflow."""
    merged = merge(KIND, found, patterns, "me", is_whole=is_whole)
    ranked = rank(KIND, merged, {}, 0.0)
    return {each.workflow: (each.sample_size, each.success_rate) for each in ranked}


def test_own_patterns_add_nothing_to_a_whole_log() -> None:
    """They were learned from the very same runs."""
    assert put_together(runs("a", "++-+"), [learned("a", 40, 0.9)]) == {"a": (4, 0.75)}


def test_own_patterns_add_what_lies_before() -> None:
    """Of 40 outcomes at 0.9 four are at hand, three of them good: 36 more, 33 of them good."""
    found = put_together(runs("a", "++-+"), [learned("a", 40, 0.9)], is_whole=False)
    assert found == {"a": (40, pytest.approx(0.9))}


def test_runs_after_learning_come_on_top() -> None:
    """A pattern cannot know of runs that are later than its last update."""
    early = learned("a", 40, 0.9, at=NOW - timedelta(days=1))
    found = put_together(runs("a", "----"), [early], is_whole=False)
    assert found == {"a": (44, pytest.approx(36 / 44))}


def test_patterns_of_others_count_whole() -> None:
    """Their logs are others: what they know is added, also of workflows never run here."""
    shared = [learned("a", 30, 0.8, agent="friend"), learned("b", 10, 1.0, agent="friend")]
    assert put_together(runs("a", "++--"), shared) == {
        "a": (34, pytest.approx(26 / 34)),
        "b": (10, 1.0),
    }


def test_an_agents_pattern_counts_once() -> None:
    """That for this type rather than that for any context; both have the same evidence."""
    both = [
        learned("a", 100, 0.5, agent="friend", feature=None),
        learned("a", 30, 0.9, agent="friend"),
    ]
    assert put_together([], both) == {"a": (30, pytest.approx(0.9))}
    assert put_together([], both[::-1]) == {"a": (30, pytest.approx(0.9))}


def test_other_conditions_are_not_of_this_type() -> None:
    """Another type of task, or another feature, says nothing here."""
    others = [
        learned("a", 30, 0.9, agent="friend", value="debugging"),
        learned("a", 30, 0.9, agent="friend", feature="language", value="testing"),
    ]
    assert put_together([], others) == {}


def test_order() -> None:
    """By success rate; one lucky run does not lead; ties go to the larger sample."""
    found = [
        *runs("lucky", "+"),
        *runs("good", "+++++++++-"),
        *runs("as good", "+++++++++-" * 2),
        *runs("fair", "+++++++---"),
    ]
    ranked = rank(KIND, merge(KIND, found, [], "me", is_whole=True), {}, 0.7)
    assert [each.workflow for each in ranked] == ["as good", "good", "fair", "lucky"]
    assert ranked[0].lower_bound == lower_bound(20, 18)
    better = rank(KIND, merge(KIND, found, [], "me", is_whole=True), {}, 0.75)
    least = [each.workflow for each in better]
    assert least == ["as good", "good", "lucky"]


def test_the_bound_is_wilsons() -> None:
    """Of 10 with 9 good, and of all or none, as the formula of 1927 gives them."""
    assert lower_bound(10, 9) == pytest.approx(0.5958499732047615)
    assert lower_bound(5, 5) == pytest.approx(0.5655175352168252)
    assert lower_bound(5, 0) == pytest.approx(0.0, abs=1e-12)
    assert lower_bound(0, 0) == 0.0


def test_averages_are_over_what_was_said() -> None:
    """Four runs of 1 to 4 seconds, of which two say a cost."""
    merged = merge(KIND, runs("a", "++++"), [], "me", is_whole=True)
    (pattern,) = rank(KIND, merged, {}, 0.0)
    assert (pattern.average_duration, pattern.average_cost) == (2.5, 0.5)
    others = merge(KIND, [], [learned("b", 9, 1.0, agent="x")], "me", is_whole=True)
    (shared,) = rank(KIND, others, {}, 0.0)
    assert (shared.average_duration, shared.average_cost, shared.shared_by) == (None, None, ["x"])


def test_steps_that_nobody_can_say_are_left_out() -> None:
    """A long workflow of another agent is known by its checksum only."""
    cut = "a > b… #0123456789abcdef"
    merged = merge(KIND, [], [learned(cut, 9, 1.0, agent="x")], "me", is_whole=True)
    assert rank(KIND, merged, {}, 0.0) == []
    assert rank(KIND, merged, {cut: ["a", "b"]}, 0.0)[0].workflow_steps == ["a", "b"]
