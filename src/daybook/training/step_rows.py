"""The rows of an export: one a step, with what its trajectory is beside it.

What is nested is JSON text, which carries floats, large integers and nesting exactly. Moments are
microseconds since 1970 in a row, and timestamps in the file. What is large and the same for all
steps of a trajectory, its `initial_state` and `metadata`, is in its first row only. One without
steps has one row, whose `step` is null.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from daybook.archive.columns import Kind
from daybook.errors import InvalidInputError
from daybook.models.identity import microseconds, moment_of
from daybook.models.trajectories import ActionStep, Trajectory
from daybook.training.transitions import is_transition, transition_of

Row = dict[str, Any]

NUMBER = "trajectory"
"""Counts the trajectories of a file: two may have one id."""

TRAJECTORY = {
    NUMBER: Kind.WHOLE,
    "trajectory_id": Kind.TEXT,
    "agent_id": Kind.TEXT,
    "task_description": Kind.TEXT,
    "domain": Kind.TEXT,
    "final_outcome": Kind.TEXT,
    "total_reward": Kind.NUMBER,
    "created_at": Kind.MOMENT,
    "duration_seconds": Kind.NUMBER,
    "steps": Kind.WHOLE,
}
"""The same in all rows of a trajectory. `steps` is how many it has."""

FIRST_ROW = {"initial_state": Kind.TEXT, "metadata": Kind.TEXT}

STEP = {
    "step": Kind.WHOLE,
    "timestamp": Kind.MOMENT,
    "tool_name": Kind.TEXT,
    "tool_args": Kind.TEXT,
    "tool_result": Kind.TEXT,
    "agent_reasoning": Kind.TEXT,
}
"""`step` counts from 0."""

TRANSITION = {
    "state": Kind.TEXT,
    "action": Kind.TEXT,
    "reward": Kind.NUMBER,
    "next_state": Kind.TEXT,
    "terminated": Kind.FLAG,
    "truncated": Kind.FLAG,
}
"""What `tool_args` and `tool_result` say by the convention; all null for a step without."""

COLUMNS = TRAJECTORY | FIRST_ROW | STEP | TRANSITION
UNLIKE = ("timestamp", "tool_args", "tool_result", "state", "next_state")
"""Hardly any two rows are alike in these: no dictionary helps."""

_EMPTY: Row = dict.fromkeys(COLUMNS)


def rows_of(trajectories: Iterable[Trajectory]) -> Iterator[Row]:
    """Iterate the rows of trajectories."""
    for number, trajectory in enumerate(trajectories):
        shared = _EMPTY | _shared(number, trajectory)
        first: Row = {
            "initial_state": _json(trajectory.initial_state),
            "metadata": _json(trajectory.metadata),
        }
        for position, step in enumerate(trajectory.steps):
            yield shared | (first if position == 0 else {}) | _of_step(position, step)
        if not trajectory.steps:
            yield shared | first


def read(rows: Iterable[Row]) -> Iterator[Trajectory]:
    """Iterate the trajectories of rows, one in memory at a time.

    Raises InvalidInputError for rows that make no trajectory, or not all of one.
    """
    for number, together in groupby(rows, key=lambda row: row[NUMBER]):
        own = list(together)
        first = own[0]
        positions = [row["step"] for row in own]
        expected: list[int | None] = [*range(first["steps"] or 0)] or [None]
        if positions != expected or first["initial_state"] is None:
            raise InvalidInputError(
                f"the trajectory number {number} is not whole: of {first['steps']} steps there "
                f"are {len(own)} rows, or in another order; read the file as it was written"
            )
        yield _read(first, own if first["steps"] else [])


def _read(first: Row, steps: list[Row]) -> Trajectory:
    return Trajectory.model_validate(
        {
            "trajectory_id": first["trajectory_id"],
            "agent_id": first["agent_id"],
            "task_description": first["task_description"],
            "initial_state": json.loads(first["initial_state"]),
            "steps": [_read_step(row) for row in steps],
            "final_outcome": first["final_outcome"],
            "reward": first["total_reward"],
            "metadata": json.loads(first["metadata"]),
            "created_at": moment_of(first["created_at"]),
            "duration_seconds": first["duration_seconds"],
        }
    )


def _read_step(row: Row) -> ActionStep:
    return ActionStep.model_validate(
        {
            "timestamp": moment_of(row["timestamp"]),
            "tool_name": row["tool_name"],
            "tool_args": json.loads(row["tool_args"]),
            "tool_result": json.loads(row["tool_result"]),
            "agent_reasoning": row["agent_reasoning"],
        }
    )


def _shared(number: int, trajectory: Trajectory) -> Row:
    return {
        NUMBER: number,
        "trajectory_id": trajectory.trajectory_id,
        "agent_id": trajectory.agent_id,
        "task_description": trajectory.task_description,
        "domain": trajectory.domain,
        "final_outcome": trajectory.final_outcome.value,
        "total_reward": trajectory.reward,
        "created_at": microseconds(trajectory.created_at),
        "duration_seconds": trajectory.duration_seconds,
        "steps": len(trajectory.steps),
    }


def _of_step(position: int, step: ActionStep) -> Row:
    return {
        "step": position,
        "timestamp": microseconds(step.timestamp),
        "tool_name": step.tool_name,
        "tool_args": _json(step.tool_args),
        "tool_result": _json(step.tool_result),
        "agent_reasoning": step.agent_reasoning,
    } | _of_transition(step)


def _of_transition(step: ActionStep) -> Row:
    if not is_transition(step):
        return {}
    try:
        found = transition_of(step)
    except InvalidInputError:
        # it only looks like one: what it says is in its arguments and its result
        return {}
    return {
        "state": _json(found.state),
        "action": _json(found.action),
        "reward": found.reward,
        "next_state": _json(found.next_state),
        "terminated": found.terminated,
        "truncated": found.truncated,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
