"""`ReplayBuffer`: what an agent's trainer stores, draws, and tells the losses of."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np

from daybook.client import AWSClientManager
from daybook.errors import InvalidInputError
from daybook.models.base import checked_kind
from daybook.models.identity import aware, checked_agent_id
from daybook.models.trajectories import OutcomeTag, Trajectory
from daybook.replay.batches import ReplayEntry, ReplayStatistics, SampledBatch
from daybook.replay.config import ReplayConfig, ReplayStrategy, checked_strategy
from daybook.replay.in_memory import InMemoryReplay
from daybook.replay.in_tables import ReplayInTables
from daybook.replay.priorities import importance_weights
from daybook.replay.sum_tree import Floats, Slots
from daybook.store.table import utc_now

LARGEST_BATCH = 1_000_000
LARGEST_LOSS = 1e38
"""Tables keep losses as float32."""


class ReplayBuffer:
    """Trajectories to train on. Safe for threads.

    Without a client manager in this process's memory; with one in the tables and S3, where all
    buffers of the same `name`, an agent's id, share them. `config` says how it draws and how much
    it keeps; what makes room in a full one depends on the strategy: the oldest (uniform,
    recency), what is of least priority (loss, mixed), or the oldest of the largest domain
    (domain-balanced). In tables that is a chunk of up to 128 trajectories of a domain at once,
    by recency they are as old as their chunk, and losses are float32.
    """

    def __init__(
        self,
        client_manager: AWSClientManager | None = None,
        config: ReplayConfig | None = None,
        *,
        name: str = "replay",
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.config = checked_kind(config or ReplayConfig(), ReplayConfig, "ReplayConfig(…)")
        self.name = checked_agent_id(name)
        self._kept: InMemoryReplay | ReplayInTables
        if client_manager is None:
            self._clock = clock or utc_now
            self._kept = InMemoryReplay(self.config, self._clock)
        else:
            how = "get_client_manager(…), or None for a buffer in memory"
            manager = checked_kind(client_manager, AWSClientManager, how)
            self._clock = clock or manager.clock
            store = replace(manager.store, clock=self._clock)
            self._kept = ReplayInTables(store, self.name, self.config)

    def store_trajectory(self, trajectory: Trajectory) -> str:
        """Store a trajectory, and return its id. It gets the highest priority so far.

        Stored twice it is there once. Raises TrajectoryConflictError when another one stands under
        its id.
        """
        self._kept.put(checked_kind(trajectory, Trajectory, "Trajectory(…)"))
        return trajectory.trajectory_id

    def get_trajectory(self, trajectory_id: str) -> Trajectory:
        """Return a trajectory. Raises TrajectoryNotFoundError."""
        return self._kept.get(trajectory_id)

    def iterate_trajectories(self) -> Iterator[Trajectory]:
        """Iterate all trajectories, in no order, in memory that their number does not move.

        Each that is there all the while comes once; of what is stored or makes room meanwhile
        some may come.
        """
        return self._kept.iterate()

    def get_entry(self, trajectory_id: str) -> ReplayEntry:
        """Return what is known of a trajectory: its domain, loss, priority and replays.

        Raises TrajectoryNotFoundError.
        """
        return self._kept.entry(trajectory_id)

    def warm(self) -> None:
        """Hold the priorities of all trajectories in memory: a batch is one request from then on.

        For who trains on many batches of a buffer in tables. Reads all of its index once, 6 KB for
        a thousand trajectories, and then a hundred chunks of it a second, while batches are drawn;
        what this process tells counts at once. Probabilities are those of what is held.
        """
        self._kept.warm()

    def sample_trajectories(
        self,
        n: int,
        strategy: ReplayStrategy | str | None = None,
        beta: float | None = None,
    ) -> SampledBatch:
        """Draw `n` trajectories, each by itself and with replacement.

        By the strategy of the configuration unless another is given, with importance weights
        `(N * probability) ** -beta`, over the largest of the batch. Raises EmptyReplayError, and
        InvalidInputError for an `n` below 1 or over a million, or a beta outside 0 to 1.
        """
        count = _checked_count(n, "n", LARGEST_BATCH)
        chosen = self.config.strategy if strategy is None else checked_strategy(strategy)
        exponent = self.config.beta if beta is None else _checked_beta(beta)
        drawn = self._kept.draw(chosen, count)
        return SampledBatch(
            trajectories=drawn.trajectories,
            weights=importance_weights(drawn.probabilities, exponent),
            probabilities=drawn.probabilities,
            indexes=drawn.indexes,
        )

    def update_priorities(
        self, indexes: Sequence[int] | Slots, losses: Sequence[float] | Floats
    ) -> list[int]:
        """Tell the losses of a replay, by the indexes of its batch; counts one replay of each.

        Returns the indexes that were refused: what they stood for has made room for others. Where
        an index is named twice its last loss counts. Raises InvalidInputError when they are not as
        many as each other, or a loss is
        not finite.
        """
        at, told = _checked_update(indexes, losses)
        if not len(at):
            return []
        refused: list[int] = self._kept.update(at, told).tolist()
        return refused

    def get_successful_trajectories(
        self, task: str | None = None, top_n: int = 10
    ) -> list[Trajectory]:
        """Return what succeeded, of one task or of all, the highest reward first."""
        return self._kept.top(OutcomeTag.SUCCESS, task, _checked_count(top_n, "top_n"))

    def get_failed_trajectories(
        self, task: str | None = None, top_n: int = 10
    ) -> list[Trajectory]:
        """Return what failed, of one task or of all, the highest reward first."""
        return self._kept.top(OutcomeTag.FAILURE, task, _checked_count(top_n, "top_n"))

    def prune_old_trajectories(self, older_than: timedelta | datetime) -> int:
        """Remove what was stored longer ago than this, or before it; return how many that were."""
        if isinstance(older_than, timedelta):
            return self._kept.prune(self._clock() - older_than)
        return self._kept.prune(aware(older_than, "older_than"))

    def get_statistics(self) -> ReplayStatistics:
        """Return how many trajectories there are, by outcome and domain, and their means."""
        return self._kept.statistics()

    def close(self) -> None:
        """Let go of what the buffer uses; what is stored in tables stays."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _checked_count(given: object, name: str, most: int | None = None) -> int:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
        raise InvalidInputError(f"{name} is {given!r:.60}: use a whole number from 1")
    if most is not None and given > most:
        raise InvalidInputError(f"{name} is {given}: at most {most:,} are drawn at once")
    return int(given)


def _checked_beta(given: object) -> float:
    is_number = isinstance(given, int | float | np.number) and not isinstance(given, bool)
    if not is_number or not 0 <= given <= 1:  # type: ignore[operator]
        raise InvalidInputError(f"beta is {given!r:.60}: use a number from 0 to 1")
    return float(given)  # type: ignore[arg-type]


def _checked_update(indexes: Any, losses: Any) -> tuple[Slots, Floats]:
    try:
        at = np.asarray(indexes)
        told = np.asarray(losses, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError("losses must be numbers: one for each index") from None
    if at.ndim != 1 or at.shape != told.shape:
        raise InvalidInputError(
            f"there are indexes of the shape {at.shape} and losses of {told.shape}: give one loss "
            "for each index of the batch, in its order"
        )
    if len(at) and at.dtype.kind not in "iu":
        raise InvalidInputError(f"indexes are {at.dtype}: use those of a batch, whole numbers")
    if not (np.abs(told) <= LARGEST_LOSS).all():
        raise InvalidInputError(
            f"a loss is not finite, or over {LARGEST_LOSS:g}: a training that diverged must not "
            "decide what is replayed"
        )
    return at.astype(np.int64), told


_buffers: dict[tuple[AWSClientManager | None, ReplayConfig, str], ReplayBuffer] = {}
_buffers_lock = threading.Lock()


def get_replay_buffer(
    client_manager: AWSClientManager | None = None,
    config: ReplayConfig | None = None,
    *,
    name: str = "replay",
) -> ReplayBuffer:
    """Return the buffer of this client manager, configuration and name; each time the same one."""
    wanted = checked_kind(config or ReplayConfig(), ReplayConfig, "ReplayConfig(…)")
    with _buffers_lock:
        key = (client_manager, wanted, name)
        if key not in _buffers:
            _buffers[key] = ReplayBuffer(client_manager, wanted, name=name)
        return _buffers[key]
