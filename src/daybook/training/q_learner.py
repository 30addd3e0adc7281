"""`QLearner`: tabular Q-learning, from what happens and from what a buffer replays."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import uuid4

import numpy as np

from daybook.errors import InvalidInputError
from daybook.models.base import checked_kind
from daybook.models.identity import checked_agent_id
from daybook.models.json_values import JsonValue
from daybook.models.trajectories import OutcomeTag, Trajectory
from daybook.replay.config import ReplayStrategy
from daybook.replay_buffer import ReplayBuffer
from daybook.store.table import utc_now
from daybook.training import saved_tables
from daybook.training.files import FileName
from daybook.training.q_table import QTable
from daybook.training.saved_tables import SavedTable
from daybook.training.transitions import Transition, episode, transitions
from daybook.training.values import value_of

LONGEST_EPISODE = 1000
"""Steps of a trajectory; a longer episode is stored in pieces, which learn the same."""


class Replayed(NamedTuple):
    """What a replay went through: how many trajectories and steps, and what surprised.

    `mean_error` is the mean of the steps' absolute temporal differences, in units of the reward.
    """

    trajectories: int
    steps: int
    mean_error: float


class QLearner:
    """Learns what each action is worth in each state: Q-learning with a table.

    The rule is `Q(s, a) += learning_rate * (r + discount * max Q(s') - Q(s, a))` (Watkins and
    Dayan, Q-learning, 1992), without the term of s' where the task terminated. States and actions
    are JSON; `actions` are the same in each state. `choose` explores with probability `epsilon`.
    States that were not met are worth `initial_value`: above what can be had, it makes the
    learner try everything.

    With a `buffer` each episode is stored there when its last step is learned, under the name
    `agent_id` and `task`, and `replay` learns from what others and earlier runs stored, too. All
    three rates can be set anew at any time. Not for several threads at once: give each a learner
    of its own and let them share a buffer. Raises InvalidInputError for what is out of range.
    """

    def __init__(
        self,
        actions: Sequence[Any],
        *,
        learning_rate: float = 0.1,
        discount: float = 0.99,
        epsilon: float = 0.1,
        initial_value: float = 0.0,
        buffer: ReplayBuffer | None = None,
        seed: int | None = None,
        agent_id: str = "q-learner",
        task: str = "learn",
        clock: Callable[[], datetime] | None = None,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        if buffer is not None:
            checked_kind(buffer, ReplayBuffer, "ReplayBuffer(…), or None to learn without one")
        self.learning_rate = learning_rate
        self.discount = discount
        self.epsilon = epsilon
        self.buffer = buffer
        self.agent_id = checked_agent_id(agent_id)
        self.task = task
        self.steps_learned = 0
        self._table = QTable(actions, _checked(initial_value, "initial_value", -math.inf))
        self._rng = np.random.default_rng(seed)
        self._clock = clock or utc_now
        self._new_id = new_id or (lambda: str(uuid4()))
        self._under_way: list[Transition] = []
        self._began_at: datetime | None = None
        self._waiting: deque[Trajectory] = deque()

    @property
    def learning_rate(self) -> float:
        """How much of an error is taken over, over 0 to 1."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, given: float) -> None:
        self._learning_rate = _checked(given, "learning_rate", math.ulp(0.0), 1.0)

    @property
    def discount(self) -> float:
        """What a reward is worth one step later, 0 to 1."""
        return self._discount

    @discount.setter
    def discount(self, given: float) -> None:
        self._discount = _checked(given, "discount", 0.0, 1.0)

    @property
    def epsilon(self) -> float:
        """How often `choose` tries any action, 0 to 1."""
        return self._epsilon

    @epsilon.setter
    def epsilon(self, given: float) -> None:
        self._epsilon = _checked(given, "epsilon", 0.0, 1.0)

    @property
    def actions(self) -> list[JsonValue]:
        """The actions, in the order of `values`."""
        return list(self._table.actions)

    def __len__(self) -> int:
        """Return how many states were met."""
        return len(self._table)

    def choose(self, state: Any) -> JsonValue:
        """Return an action to take: any with probability epsilon, else one of the best."""
        actions = self._table.actions
        if self._rng.random() < self.epsilon:
            return actions[self._rng.integers(len(actions))]
        row = self._table.row(state)
        highest = max(row)
        best = [number for number, worth in enumerate(row) if worth == highest]
        return actions[best[0] if len(best) == 1 else best[self._rng.integers(len(best))]]

    def best_action(self, state: Any) -> JsonValue:
        """Return the action that is worth most, the first of those that are equal."""
        row = self._table.row(state)
        return self._table.actions[row.index(max(row))]

    def value(self, state: Any, action: Any = None) -> float:
        """Return what a state is worth by its best action, or by the action given."""
        row = self._table.row(state)
        return max(row) if action is None else row[self._table.number(action)]

    def values(self, state: Any) -> list[float]:
        """Return what each action is worth in a state, in the order of `actions`."""
        return list(self._table.row(state))

    def policy(self) -> Iterator[tuple[JsonValue, JsonValue]]:
        """Iterate the states that were met, each with its best action."""
        for key, row in list(self._table):
            yield value_of(key), self._table.actions[row.index(max(row))]

    def learn(self, transition: Transition, outcome: OutcomeTag | str | None = None) -> float:
        """Learn from a step, and return its temporal difference before that.

        With a buffer the step is kept, and its episode stored when it is done; `outcome` says how
        that was, unless termination is success. Raises InvalidInputError for an unknown action,
        or when values run off to infinity.
        """
        tag = None if outcome is None else _checked_outcome(outcome)
        checked_kind(transition, Transition, "Transition(state, action, reward, next_state, …)")
        error = self._learn(transition, self.learning_rate)
        if self.buffer is not None:
            self._keep(transition, tag)
        return error

    def end_episode(self, outcome: OutcomeTag | str | None = None) -> str | None:
        """Store the episode that is under way, for when it is left before it is done.

        Returns the trajectory's id; None if there is nothing to store. One that could not be
        stored waits, and is stored, once, when the next one is, or by another call of this.
        """
        if self.buffer is None:
            return None
        if self._under_way:
            trajectory = episode(
                self._under_way,
                agent_id=self.agent_id,
                task=self.task,
                outcome=outcome,
                trajectory_id=self._new_id(),
                began_at=self._began_at,
                ended_at=self._clock(),
            )
            self._under_way = []
            self._waiting.append(trajectory)
        stored = None
        while self._waiting:
            # the very same each time: a store whose answer was lost then counts once
            stored = self.buffer.store_trajectory(self._waiting[0])
            self._waiting.popleft()
        return stored

    def learn_from(self, trajectory: Trajectory, weight: float = 1.0) -> list[float]:
        """Learn from a trajectory, its last step first; return the errors, in its order.

        Backwards a reward reaches all steps that led to it at once, rather than one step each
        time (Lin, Self-Improving Reactive Agents Based on Reinforcement Learning, 1992). `weight`
        scales the learning rate.
        """
        checked_kind(trajectory, Trajectory, "Trajectory(…)")
        steps = list(transitions(trajectory))
        rate = self.learning_rate * _checked(weight, "weight", 0.0, 1.0)
        return [self._learn(each, rate) for each in reversed(steps)][::-1]

    def replay(self, n: int, strategy: ReplayStrategy | str | None = None) -> Replayed:
        """Draw `n` trajectories from the buffer and learn from each, backwards.

        Importance weights scale the learning rate (Schaul et al., Prioritized Experience Replay,
        2016, section 3.4). The buffer is told each one's mean absolute temporal difference, by
        which it draws next time if its strategy is one of loss. Raises InvalidInputError without
        a buffer, or for steps that are no transitions; EmptyReplayError.
        """
        if self.buffer is None:
            raise InvalidInputError(
                "this learner has no buffer to replay from: QLearner(…, buffer=ReplayBuffer())"
            )
        batch = self.buffer.sample_trajectories(n, strategy)
        losses, count, total = [], 0, 0.0
        for trajectory, weight in zip(batch.trajectories, batch.weights.tolist(), strict=True):
            errors = self.learn_from(trajectory, weight)
            surprise = sum(map(abs, errors))
            losses.append(surprise / max(1, len(errors)))
            count += len(errors)
            total += surprise
        self.buffer.update_priorities(batch.indexes, losses)
        return Replayed(len(batch), count, total / max(1, count))

    def save(self, path: FileName) -> None:
        """Write the learner to a file, `.json` or `.npz`, whole or not at all. Never pickle.

        With its values, its rates and where its random numbers are, so that what is loaded goes
        on as this one would. Not with its buffer, nor the episode that is under way. Raises
        InvalidInputError for another suffix, OSError.
        """
        saved_tables.write(
            path,
            SavedTable(
                actions=self._table.actions,
                learning_rate=self.learning_rate,
                discount=self.discount,
                epsilon=self.epsilon,
                initial_value=self._table.initial_value,
                steps_learned=self.steps_learned,
                agent_id=self.agent_id,
                task=self.task,
                random=dict(self._rng.bit_generator.state),
                rows=self._table.rows,
            ),
        )

    @classmethod
    def load(
        cls,
        path: FileName,
        *,
        buffer: ReplayBuffer | None = None,
        clock: Callable[[], datetime] | None = None,
        new_id: Callable[[], str] | None = None,
    ) -> Self:
        """Return a learner from a file that `save` wrote; nothing in it is ever run.

        Raises UnreadableFileError for one that is damaged, not ours, or of a later version;
        OSError.
        """
        saved = saved_tables.read(path)
        learner = cls(
            saved.actions,
            learning_rate=saved.learning_rate,
            discount=saved.discount,
            epsilon=saved.epsilon,
            initial_value=saved.initial_value,
            buffer=buffer,
            agent_id=saved.agent_id,
            task=saved.task,
            clock=clock,
            new_id=new_id,
        )
        learner.steps_learned = saved.steps_learned
        learner._table.rows = saved.rows
        learner._rng = saved.generator()
        return learner

    def _keep(self, transition: Transition, outcome: OutcomeTag | None) -> None:
        if not self._under_way:
            self._began_at = self._clock()
        self._under_way.append(transition)
        if transition.done or len(self._under_way) >= LONGEST_EPISODE:
            self.end_episode(outcome)

    def _learn(self, transition: Transition, rate: float) -> float:
        future = 0.0 if transition.terminated else self.discount
        number = self._table.number(transition.action)
        row, error = self._table.error(
            transition.state, number, transition.reward, future, transition.next_state
        )
        learned = row[number] + rate * error
        if not math.isfinite(learned):
            raise InvalidInputError(
                f"the value of {transition.action!r:.60} in {transition.state!r:.60} runs off to "
                "infinity: scale the rewards down, or use a smaller discount"
            )
        row[number] = learned
        self.steps_learned += 1
        return error


def _checked_outcome(given: object) -> OutcomeTag:
    if not isinstance(given, str) or given not in frozenset(OutcomeTag):
        raise InvalidInputError(
            f"the outcome {given!r:.60} is unknown: use one of {', '.join(OutcomeTag)}"
        )
    return OutcomeTag(given)


def _checked(given: Any, name: str, least: float, most: float = math.inf) -> float:
    is_number = isinstance(given, int | float | np.number) and not isinstance(given, bool)
    if not is_number or not math.isfinite(given) or not least <= given <= most:
        wanted = "a finite number"
        if most < math.inf:
            wanted = f"a number {'over' if 0 < least < most else 'from'} 0 to {most:g}"
        raise InvalidInputError(f"{name} is {given!r:.60}: use {wanted}")
    return float(given)
