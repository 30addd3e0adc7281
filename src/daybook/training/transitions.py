"""Transitions, and how a trajectory's steps carry them.

The convention, in both directions and nowhere else. A step of a trajectory is a transition if

- `tool_args` holds `state` and `action`, any JSON,
- `tool_result` holds `reward`, a finite number, `next_state`, any JSON, and `terminated` and
  `truncated`, booleans; what else is in either is left alone.

`tool_name` is the action in words, for those who read the log: the action itself if it is text of
1 to 256 characters, else the beginning of its JSON.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from daybook.errors import InvalidInputError
from daybook.models.json_values import JsonValue
from daybook.models.trajectories import ActionStep, OutcomeTag, Trajectory
from daybook.training.values import key_of, plain

LONGEST_NAME = 256
_SECOND = timedelta(seconds=1)
_ARGS = ("state", "action")
_RESULT = ("reward", "next_state", "terminated", "truncated")


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of an environment: what was seen and done, what it gave, and what came next.

    The words are gymnasium's. `terminated`: the task itself ended here, and nothing can follow
    that would be worth anything. `truncated`: something else broke it off, such as a limit of
    time, so `next_state` is worth what it is worth. The difference is which of them a learner may
    look beyond (Pardo et al., Time Limits in Reinforcement Learning, 2018). States and actions
    are JSON; numpy's numbers and arrays, and tuples, are taken as such. Raises InvalidInputError.
    """

    state: JsonValue
    action: JsonValue
    reward: float
    next_state: JsonValue = None
    terminated: bool = False
    truncated: bool = False

    def __post_init__(self) -> None:
        for name in ("state", "action", "next_state"):
            object.__setattr__(self, name, plain(getattr(self, name), f"the {name}"))
        object.__setattr__(self, "reward", _checked_reward(self.reward))
        for name in ("terminated", "truncated"):
            object.__setattr__(self, name, _checked_flag(getattr(self, name), name))

    @property
    def done(self) -> bool:
        """Whether the episode ends here, for whatever reason."""
        return self.terminated or self.truncated


def step_of(transition: Transition, at: datetime) -> ActionStep:
    """Return the step of a trajectory that carries a transition."""
    action = transition.action
    in_words = action if isinstance(action, str) and action else key_of(action)
    return ActionStep(
        timestamp=at,
        tool_name=in_words[:LONGEST_NAME],
        tool_args={"state": transition.state, "action": action},
        tool_result={
            "reward": transition.reward,
            "next_state": transition.next_state,
            "terminated": transition.terminated,
            "truncated": transition.truncated,
        },
    )


def transition_of(step: ActionStep) -> Transition:
    """Return the transition that a step carries. Raises InvalidInputError."""
    result = step.tool_result if isinstance(step.tool_result, dict) else {}
    missing = [f"tool_args.{name}" for name in _ARGS if name not in step.tool_args]
    missing += [f"tool_result.{name}" for name in _RESULT if name not in result]
    if missing:
        raise InvalidInputError(
            f"the step {step.tool_name!r:.60} is no transition: it lacks {', '.join(missing)}; "
            "make steps to train on with step_of(Transition(…))"
        )
    args = {name: step.tool_args[name] for name in _ARGS}
    return Transition(**args, **{name: result[name] for name in _RESULT})


def is_transition(step: ActionStep) -> bool:
    """Whether a step carries a transition, sound or not."""
    result = step.tool_result
    return (
        isinstance(result, dict)
        and all(name in step.tool_args for name in _ARGS)
        and all(name in result for name in _RESULT)
    )


def episode(
    steps: Sequence[Transition],
    *,
    agent_id: str,
    task: str,
    outcome: OutcomeTag | str | None = None,
    trajectory_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    began_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> Trajectory:
    """Return the trajectory of an episode; its reward is the sum of its steps' rewards.

    The outcome, unless it is given, is `success` for one that terminated and `partial` for one
    that did not: whether an end was a good one only its environment knows. Raises
    InvalidInputError for an episode without steps, or one that goes on after its end.
    """
    if not steps:
        raise InvalidInputError("the episode has no steps: an episode begins with its first one")
    for number, each in enumerate(steps[:-1]):
        if each.done:
            raise InvalidInputError(
                f"the episode ends at step {number} of {len(steps)} already: make a trajectory of "
                "each episode"
            )
    end = ended_at or datetime.now(UTC)
    begin = began_at or end
    by_default = OutcomeTag.SUCCESS if steps[-1].terminated else OutcomeTag.PARTIAL
    own = {} if trajectory_id is None else {"trajectory_id": trajectory_id}
    return Trajectory.checked(
        agent_id=agent_id,
        task_description=task,
        initial_state={"state": steps[0].state},
        steps=[step_of(each, end) for each in steps],
        final_outcome=by_default if outcome is None else outcome,
        reward=float(sum(each.reward for each in steps)),
        metadata=metadata or {},
        created_at=begin,
        duration_seconds=max(0.0, (end - begin) / _SECOND),
        **own,
    )


def transitions(
    trajectories: Trajectory | Iterable[Trajectory],
    read: Callable[[ActionStep], Transition] = transition_of,
) -> Iterator[Transition]:
    """Iterate the transitions of trajectories, one after the other, holding one at a time.

    `read` says what a step is where it does not follow the convention. Raises InvalidInputError
    that names the trajectory and the step that is none.
    """
    for trajectory in [trajectories] if isinstance(trajectories, Trajectory) else trajectories:
        for number, step in enumerate(trajectory.steps):
            try:
                yield read(step)
            except InvalidInputError as fault:
                where = f"the trajectory {trajectory.trajectory_id!r:.80}, step {number}"
                raise InvalidInputError(f"{where}: {fault}", fault.problems) from None


def _checked_reward(given: Any) -> float:
    try:
        reward = float(given)
    except (TypeError, ValueError):
        reward = float("nan")
    if isinstance(given, str | bool) or not abs(reward) < float("inf"):
        raise InvalidInputError(f"the reward is {given!r:.60}: use a finite number")
    return reward


def _checked_flag(given: Any, name: str) -> bool:
    if not isinstance(given, bool | np.bool_):
        raise InvalidInputError(f"{name} is {given!r:.60}: use True or False")
    return bool(given)
