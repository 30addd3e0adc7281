"""Transitions and the steps that carry them: both ways, and what is neither."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from daybook import ActionStep, InvalidInputError, OutcomeTag, Trajectory, Transition
from daybook.training import episode, step_of, transition_of, transitions
from tests.unit.training.test_values import json_values

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(
    json_values,
    json_values,
    some.floats(allow_nan=False, allow_infinity=False),
    some.booleans(),
    some.booleans(),
)
def test_a_step_carries_all_of_it(
    state: Any, action: Any, reward: float, terminated: bool, truncated: bool
) -> None:
    """A transition comes back from its step, and from the step's JSON."""
    given_one = Transition(state, action, reward, [state], terminated, truncated)
    step = step_of(given_one, NOON)
    assert transition_of(step) == given_one
    read = ActionStep.model_validate_json(step.model_dump_json(), strict=False)
    assert transition_of(read) == given_one


def test_numpys_values_become_json() -> None:
    """What an environment of gymnasium gives is taken as it comes."""
    step = Transition(
        (np.int64(3), np.int64(4)),
        np.int64(1),
        np.float32(-1.0),  # type: ignore[arg-type]
        np.array([3.5, 4.0]),
        np.bool_(True),  # type: ignore[arg-type]
    )
    assert step == Transition([3, 4], 1, -1.0, [3.5, 4.0], terminated=True)
    assert [type(part) for part in (step.action, step.reward, step.terminated)] == [
        int,
        float,
        bool,
    ]
    assert step.done
    assert Transition(0, 0, 0.0, 0, truncated=True).done
    assert not Transition(0, 0, 0.0, 0).done


@pytest.mark.parametrize(
    ("action", "name"),
    [("left", "left"), (3, "3"), ("", '""'), ([1, 2], "[1,2]"), ("x" * 999, "x" * 256)],
    ids=["text", "number", "empty", "list", "long"],
)
def test_a_steps_tool_is_its_action(action: Any, name: str) -> None:
    """The log can be read by people: the action is the tool that was used."""
    assert step_of(Transition(0, action, 0.0), NOON).tool_name == name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reward": float("nan")}, "the reward is nan"),
        ({"reward": "1"}, "the reward is '1'"),
        ({"reward": True}, "the reward is True"),
        ({"reward": None}, "the reward is None"),
        ({"state": {1, 2}}, "the state .* is no JSON"),
        ({"action": object}, "the action .* is no JSON"),
        ({"next_state": float("inf")}, "the next_state inf is no JSON"),
        ({"terminated": 1}, "terminated is 1: use True or False"),
        ({"truncated": None}, "truncated is None"),
    ],
    ids=[
        *("nan", "text", "bool", "none", "state", "action", "next state", "terminated"),
        "truncated",
    ],
)
def test_bad_transitions_are_refused(change: dict[str, Any], words: str) -> None:
    """Each part says what is wrong with it."""
    with pytest.raises(InvalidInputError, match=words):
        Transition(**{"state": 0, "action": 1, "reward": 0.0} | change)


def test_steps_that_are_none_say_what_they_lack() -> None:
    """An ordinary step of a log is refused, by its trajectory, its place and what is missing."""
    fine = step_of(Transition(0, 1, 0.0, 2), NOON)
    other = ActionStep(tool_name="quote", tool_args={"state": 1}, tool_result={"reward": 1.0})
    trajectory = Trajectory(
        trajectory_id="t1",
        agent_id="scout",
        task_description="find",
        steps=[fine, other],
        final_outcome=OutcomeTag.SUCCESS,
        reward=0.0,
    )
    found = transitions([trajectory])
    assert next(found) == transition_of(fine)
    lacks = (
        r"'t1', step 1: .*'quote' is no transition: it lacks tool_args.action, tool_result.next"
    )
    with pytest.raises(InvalidInputError, match=lacks):
        next(found)
    with pytest.raises(InvalidInputError, match=r"lacks tool_result\.reward"):
        transition_of(fine.model_copy(update={"tool_result": "text"}))
    result = {"reward": "much", "next_state": 1, "terminated": False, "truncated": False}
    with pytest.raises(InvalidInputError, match="the reward is 'much'"):
        transition_of(fine.model_copy(update={"tool_result": result}))


def test_steps_may_be_read_in_other_ways() -> None:
    """A log that was not written to train on is trained on by saying what its steps are."""
    step = ActionStep(tool_name="buy", tool_args={"trend": "up"}, tool_result={"gain": 2})
    trajectory = Trajectory(
        agent_id="a",
        task_description="t",
        steps=[step],
        final_outcome=OutcomeTag.SUCCESS,
        reward=1.0,
    )

    def read(each: ActionStep) -> Transition:
        return Transition(each.tool_args["trend"], each.tool_name, each.tool_result["gain"])

    assert list(transitions(trajectory, read)) == [Transition("up", "buy", 2.0)]


def test_an_episode_is_a_trajectory() -> None:
    """Its reward is the sum, its outcome is its end's unless it is told, its times are kept."""
    steps = [Transition(0, "a", 1.5, 1), Transition(1, "b", -0.25, 2, terminated=True)]
    made = episode(
        steps,
        agent_id="scout",
        task="walk",
        trajectory_id="e1",
        metadata={"domain": "cliff"},
        began_at=NOON,
        ended_at=NOON + timedelta(seconds=3),
    )
    assert (made.trajectory_id, made.reward, made.duration_seconds) == ("e1", 1.25, 3.0)
    assert (made.final_outcome, made.domain) == (OutcomeTag.SUCCESS, "cliff")
    assert list(transitions(made)) == steps
    open_end = episode(steps[:1], agent_id="a", task="t")
    assert open_end.final_outcome == OutcomeTag.PARTIAL
    assert episode(steps, agent_id="a", task="t", outcome="failure").final_outcome == "failure"


def test_episodes_that_are_none() -> None:
    """Nothing, two in one, and fields that a trajectory would refuse."""
    with pytest.raises(InvalidInputError, match="no steps"):
        episode([], agent_id="a", task="t")
    ended = Transition(0, 0, 0.0, 0, truncated=True)
    with pytest.raises(InvalidInputError, match="ends at step 0 of 2"):
        episode([ended, ended], agent_id="a", task="t")
    with pytest.raises(InvalidInputError, match="task_description"):
        episode([ended], agent_id="a", task="")
