"""What a buffer gives: batches to train on, and what is known of its trajectories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from daybook.models.base import Record
from daybook.models.trajectories import Trajectory
from daybook.replay.sum_tree import Floats, Slots


class Drawn(NamedTuple):
    """Trajectories that were drawn, with which probability, and their indexes."""

    trajectories: list[Trajectory]
    probabilities: Floats
    indexes: Slots


@dataclass(frozen=True, slots=True)
class SampledBatch:
    """Trajectories that were drawn, each by itself and with replacement.

    `probabilities` are those with which each was drawn (float64), `weights` the importance
    weights, the largest of which is 1 (float64), and `indexes` what `update_priorities` takes
    (int64). All have the length of `trajectories`.
    """

    trajectories: Sequence[Trajectory]
    weights: Floats
    probabilities: Floats
    indexes: Slots

    def __len__(self) -> int:
        return len(self.trajectories)


class ReplayEntry(Record, title="the entry"):
    """What a buffer knows of one of its trajectories.

    `loss` is None until it was replayed; `replay_count` says how often a loss was told since it
    was stored; `priority` is the weight by which it is drawn by loss.
    """

    trajectory_id: str
    index: int
    domain: str
    loss: float | None
    priority: float
    replay_count: int
    stored_at: datetime


class ReplayStatistics(Record, title="the statistics"):
    """What a buffer holds.

    `evicted` counts what made room for others since the buffer was made, `mean_loss` is over those
    that were replayed, and None if none was.
    """

    total_trajectories: int
    capacity: int
    by_outcome: Mapping[str, int]
    by_domain: Mapping[str, int]
    replayed: int
    evicted: int
    mean_loss: float | None
