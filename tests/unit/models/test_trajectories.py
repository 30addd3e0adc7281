"""Trajectories: what they refuse, and what becomes of a chain of decisions."""

from typing import Any

import pytest
from pydantic import ValidationError

from daybook import (
    ActionStep,
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    InvalidInputError,
    MemoryManager,
    OutcomeTag,
    Trajectory,
)
from daybook.testing import local_aws

FACTS: dict[str, Any] = {
    "agent_id": "scout",
    "task_description": "find a price",
    "final_outcome": OutcomeTag.SUCCESS,
    "reward": 1.0,
}


def test_trajectory_cannot_be_changed() -> None:
    """It is a record of what was; also its steps are."""
    made = Trajectory(**FACTS, steps=[ActionStep(tool_name="quote")])
    with pytest.raises(ValidationError, match="frozen"):
        made.reward = 2.0  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        made.steps[0].tool_name = "trade"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("reward", float("nan"), "finite"),
        ("reward", "much", "valid number"),
        ("final_outcome", "so so", "success, failure, partial"),
        ("task_description", "", "at least 1"),
        ("agent_id", "a#b", "is not an agent id"),
        ("duration_seconds", -1.0, "greater than or equal to 0"),
        ("steps", [{"tool_name": ""}], "at least 1"),
        ("initial_state", {"at": object()}, "is not JSON"),
        ("metadata", {1: 2}, "keys must be text"),
        ("trajectory_id", "x" * 300, "at most 256"),
        ("outcome", "success", "not permitted"),
    ],
    ids=[
        *("nan", "text", "outcome", "no task", "agent", "negative", "step", "object", "key"),
        *("long id", "unknown"),
    ],
)
def test_bad_input_is_refused(field: str, value: object, words: str) -> None:
    """Each mistake is told by the field that has it."""
    with pytest.raises(InvalidInputError, match=words) as told:
        Trajectory.checked(**FACTS | {field: value})
    assert field in str(told.value)


def test_outcome_may_be_given_by_its_name() -> None:
    """Text is taken where it names an outcome; ids differ where none is given."""
    first = Trajectory(**FACTS | {"final_outcome": "partial"})
    assert first.final_outcome is OutcomeTag.PARTIAL
    assert first.trajectory_id != Trajectory(**FACTS).trajectory_id


def test_domain_comes_from_the_metadata() -> None:
    """A trajectory that names none is of the domain `default`."""
    assert Trajectory(**FACTS).domain == "default"
    assert Trajectory(**FACTS, metadata={"domain": "equities"}).domain == "equities"
    assert Trajectory(**FACTS, metadata={"domain": 7}).domain == "7"


def chained(manager: AWSClientManager, *outcomes: tuple[bool, float | None] | None) -> Trajectory:
    """Log a chain with these outcomes, and turn it into a trajectory."""
    log = DecisionLogger(MemoryManager("scout", manager))
    parent = None
    for number, outcome in enumerate(outcomes):
        parent = log.log_decision(
            DecisionType.RISK_ASSESSMENT,
            options=["half", "full"],
            selected="half",
            context={"step": number},
            confidence=0.7,
            rationale=f"because of {number}",
            parent_decision_id=parent,
            session_id="morning",
        )
        if outcome is not None:
            log.log_outcome(parent, DecisionType.RISK_ASSESSMENT, *outcome)
    assert parent is not None
    chain = log.get_decision_chain(parent)
    made = Trajectory.from_decisions(chain)
    assert made.trajectory_id == parent
    assert made.created_at == chain[0].decided_at
    return made


def test_chain_of_decisions_becomes_a_trajectory() -> None:
    """Each decision is a step; the leaf says how it ended, and quality what it was worth."""
    with local_aws() as manager:
        made = chained(manager, (True, 0.5), (True, None), (True, 0.9))
        assert made.final_outcome is OutcomeTag.SUCCESS
        assert made.reward == pytest.approx((0.5 + 1.0 + 0.9) / 3)
        assert (made.agent_id, made.task_description) == ("scout", "because of 0")
        assert made.initial_state == {"step": 0}
        assert made.metadata == {"session_id": "morning"}
        assert made.duration_seconds >= 0
        step = made.steps[1]
        assert step.tool_name == "risk_assessment"
        assert step.tool_args["selected"] == ["half"]
        assert step.tool_args["context"] == {"step": 1}
        assert step.tool_result["success"] is True
        assert step.agent_reasoning == "because of 1"
        assert chained(manager, (False, 0.0), (True, 0.8)).final_outcome is OutcomeTag.PARTIAL
        assert chained(manager, (True, 0.8), (False, None)).final_outcome is OutcomeTag.FAILURE
        unfinished = chained(manager, (True, 0.8), None)
        assert (unfinished.final_outcome, unfinished.reward) == (OutcomeTag.PARTIAL, 0.8)
        assert unfinished.steps[1].tool_result is None


def test_only_a_chain_becomes_a_trajectory() -> None:
    """Nothing, or decisions that do not follow each other, are refused."""
    with pytest.raises(InvalidInputError, match="get_decision_chain"):
        Trajectory.from_decisions([])
    with local_aws() as manager:
        log = DecisionLogger(MemoryManager("scout", manager))
        pair = [log.get_decision(log.log_decision("other", confidence=0.5)) for _ in range(2)]
    with pytest.raises(InvalidInputError, match="is no child of"):
        Trajectory.from_decisions(pair)
