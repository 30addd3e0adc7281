"""Trajectories of every kind, drawn by hypothesis."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as some

from daybook import ActionStep, OutcomeTag, Trajectory, Transition
from daybook.training import step_of
from tests.unit.training.test_values import json_values

texts = some.text(some.characters(codec="utf-8"), max_size=12)
words = texts.filter(bool)
floats = some.floats(allow_nan=False, allow_infinity=False)
objects = some.dictionaries(texts, json_values, max_size=3)
moments = some.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(9999, 1, 1),  # noqa: DTZ001
    timezones=some.just(UTC),
)


@some.composite
def steps(draw: Any) -> ActionStep:
    """Draw a step: a transition, something like one, or any other."""
    if draw(some.booleans()):
        made = Transition(draw(json_values), draw(json_values), draw(floats), draw(json_values))
        return step_of(made, draw(moments))
    args = draw(objects) | draw(some.sampled_from([{}, {"state": 1, "action": {}}]))
    ends: dict[str, Any] = {"reward": "x", "next_state": 0, "terminated": 1, "truncated": None}
    return ActionStep(
        timestamp=draw(moments),
        tool_name=draw(words),
        tool_args=args,
        tool_result=draw(json_values | some.just(ends)),
        agent_reasoning=draw(some.none() | texts),
    )


@some.composite
def trajectories(draw: Any) -> Trajectory:
    """Draw a trajectory with all that one may have; ids and domains repeat."""
    domain = draw(some.none() | some.integers(0, 2) | texts)
    return Trajectory(
        trajectory_id=draw(some.sampled_from(["a", "b"]) | words),
        agent_id=draw(some.sampled_from(["scout", "a@b:c"])),
        task_description=draw(words),
        initial_state=draw(objects),
        steps=draw(some.lists(steps(), max_size=4)),
        final_outcome=draw(some.sampled_from(list(OutcomeTag))),
        reward=draw(floats),
        metadata=draw(objects) | ({} if domain is None else {"domain": domain}),
        created_at=draw(moments),
        duration_seconds=draw(some.floats(0, 1e9)),
    )


def walk(number: int, length: int = 3, noise: str = "") -> Trajectory:
    """Return the trajectory of a walk along whole numbers."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    made = [
        Transition(n, n % 2, 0.5 * n, n + 1, terminated=n == length - 1) for n in range(length)
    ]
    return Trajectory(
        trajectory_id=f"w{number}",
        agent_id="walker",
        task_description="walk",
        initial_state={"noise": noise},
        steps=[step_of(each, at) for each in made],
        final_outcome=OutcomeTag.SUCCESS,
        reward=float(number),
        created_at=at,
        metadata={"domain": "hills"},
    )
