"""`InMemoryReplay`: a buffer that lives as long as the process."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import numpy as np
from sortedcontainers import SortedKeyList

from daybook.models.trajectories import OutcomeTag, Trajectory
from daybook.replay.batches import Drawn, ReplayEntry, ReplayStatistics
from daybook.replay.columns import Column
from daybook.replay.config import ReplayConfig, ReplayStrategy
from daybook.replay.eviction import Eviction, eviction_for
from daybook.replay.faults import check_same, empty_replay, no_trajectory
from daybook.replay.priorities import FIRST_LOSS, priorities_of
from daybook.replay.sampling import SamplingIndex
from daybook.replay.sum_tree import Floats, Slots

GENERATION_BITS = 32
"""An index is the slot's generation, then the slot: of a slot that is used again it is another."""
_SLOT = (1 << GENERATION_BITS) - 1
_SECOND = timedelta(seconds=1)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class InMemoryReplay:
    """Trajectories in this process's memory, safe for threads."""

    def __init__(self, config: ReplayConfig, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.RLock()
        self._rng = np.random.default_rng(config.seed)
        self._index = SamplingIndex(config.half_life / _SECOND)
        self._eviction: Eviction | None = None
        self._trajectories: list[Trajectory | None] = []
        self._slots: dict[str, int] = {}
        self._free: list[int] = []
        self._domain_numbers: dict[str, int] = {}
        self._generations = Column(np.int64, 0)
        self._losses = Column(np.float64, np.nan)
        self._counts = Column(np.int64, 0)
        self._stored_at = Column(np.float64, 0.0)
        self._by_outcome: Counter[OutcomeTag] = Counter()
        self._by_domain: Counter[str] = Counter()
        self._ranked: dict[tuple[OutcomeTag, str | None], SortedKeyList] = {}
        self._highest_loss = FIRST_LOSS
        self._evicted = 0

    def put(self, trajectory: Trajectory) -> None:
        """Store a trajectory, at the highest priority so far."""
        with self._lock:
            standing = self._slots.get(trajectory.trajectory_id)
            if standing is not None:
                check_same(trajectory, self._at(standing))
                return
            if len(self._index) >= self._config.capacity:
                self._evicted += 1
                self._remove(self._evicting().victim())
            self._fill(self._free.pop() if self._free else len(self._trajectories), trajectory)

    def get(self, trajectory_id: str) -> Trajectory:
        """Return a trajectory."""
        with self._lock:
            return self._at(self._slot_of(trajectory_id))

    def entry(self, trajectory_id: str) -> ReplayEntry:
        """Return what is known of a trajectory."""
        with self._lock:
            slot = self._slot_of(trajectory_id)
            here = np.array([slot])
            loss = float(self._losses[here][0])
            return ReplayEntry(
                trajectory_id=trajectory_id,
                index=int(self._indexes(here)[0]),
                domain=self._at(slot).domain,
                loss=None if np.isnan(loss) else loss,
                priority=float(self._index.priorities(here)[0]),
                replay_count=int(self._counts[here][0]),
                stored_at=_EPOCH + float(self._stored_at[here][0]) * _SECOND,
            )

    def draw(self, strategy: ReplayStrategy, count: int) -> Drawn:
        """Draw trajectories."""
        with self._lock:
            if not len(self._index):
                raise empty_replay()
            slots, probabilities = self._index.draw(strategy, count, self._rng)
            kept = self._trajectories
            drawn = [kept[slot] for slot in slots.tolist()]
            return Drawn(drawn, probabilities, self._indexes(slots))

    def warm(self) -> None:
        """Do nothing: all is in memory already."""

    def update(self, indexes: Slots, losses: Floats) -> Slots:
        """Take the losses of a replay; return the indexes of what has been evicted since."""
        with self._lock:
            slots = indexes & _SLOT
            known = (slots < len(self._trajectories)) & (indexes >= 0)
            known[known] = self._indexes(slots[known]) == indexes[known]
            own, told = slots[known], losses[known]
            priorities = self._priorities(told)
            self._losses.set(own, told)
            np.add.at(self._counts.values, own, 1)
            self._index.reweigh(own, priorities)
            if self._eviction is not None:
                self._eviction.reweigh(own, priorities)
            self._highest_loss = max(self._highest_loss, *np.abs(told).tolist(), 0.0)
            return indexes[~known]

    def top(self, tag: OutcomeTag, task: str | None, limit: int) -> list[Trajectory]:
        """Return the trajectories that ended so, the highest reward first."""
        with self._lock:
            ranked = self._ranked.get((tag, task), ())
            return [self._at(slot) for slot in list(ranked)[:limit]]

    def iterate(self) -> Iterator[Trajectory]:
        """Iterate the trajectories that are there now, but for those that go meanwhile."""
        with self._lock:
            slots = self._index.slots.copy()
            indexes = self._indexes(slots)
        for slot, index in zip(slots.tolist(), indexes.tolist(), strict=True):
            with self._lock:
                still_there = int(self._indexes(np.array([slot]))[0]) == index
                trajectory = self._trajectories[slot] if still_there else None
            if trajectory is not None:
                yield trajectory

    def prune(self, before: datetime) -> int:
        """Remove what was stored before this moment; return how many that were."""
        with self._lock:
            slots = self._index.slots
            moment = (before - _EPOCH) / _SECOND
            old = slots[self._stored_at[slots] < moment].tolist()
            for slot in old:
                self._remove(slot)
            return len(old)

    def statistics(self) -> ReplayStatistics:
        """Return what the buffer holds."""
        with self._lock:
            slots = self._index.slots
            losses = self._losses[slots]
            told = losses[~np.isnan(losses)]
            return ReplayStatistics(
                total_trajectories=len(slots),
                capacity=self._config.capacity,
                by_outcome={tag.value: self._by_outcome[tag] for tag in OutcomeTag},
                by_domain=dict(sorted(self._by_domain.items())),
                replayed=len(told),
                evicted=self._evicted,
                mean_loss=float(told.mean()) if len(told) else None,
            )

    def _fill(self, slot: int, trajectory: Trajectory) -> None:
        if slot == len(self._trajectories):
            self._trajectories.append(None)
        here = np.array([slot])
        moment = (self._clock() - _EPOCH) / _SECOND
        domain = self._domain_numbers.setdefault(trajectory.domain, len(self._domain_numbers))
        self._generations.reach(here)
        self._by_outcome[trajectory.final_outcome] += 1
        self._by_domain[trajectory.domain] += 1
        self._losses.set(here, np.nan)
        self._counts.set(here, 0)
        self._stored_at.set(here, moment)
        self._trajectories[slot] = trajectory
        self._slots[trajectory.trajectory_id] = slot
        priority = self._priorities(np.array([self._highest_loss]))
        self._index.put(here, priority, np.array([moment]), np.array([domain]))
        if self._eviction is not None:
            self._eviction.add(slot, float(priority[0]), domain)
        for key in _rankings(trajectory):
            if key not in self._ranked:
                self._ranked[key] = SortedKeyList(key=lambda each: -self._at(each).reward)
            self._ranked[key].add(slot)

    def _remove(self, slot: int) -> None:
        trajectory = self._at(slot)
        for key in _rankings(trajectory):
            self._ranked[key].remove(slot)
            if not self._ranked[key]:
                del self._ranked[key]
        here = np.array([slot])
        self._generations.set(here, self._generations[here] + 1)
        self._by_outcome[trajectory.final_outcome] -= 1
        self._by_domain[trajectory.domain] -= 1
        if not self._by_domain[trajectory.domain]:
            del self._by_domain[trajectory.domain]
        self._index.drop(here)
        if self._eviction is not None:
            self._eviction.remove(slot)
        del self._slots[trajectory.trajectory_id]
        self._trajectories[slot] = None
        self._free.append(slot)

    def _evicting(self) -> Eviction:
        """Return who makes room; made when that is first needed, from what is there by then."""
        if self._eviction is None:
            self._eviction = eviction_for(self._config.strategy)
            slots = np.fromiter(self._slots.values(), np.int64, len(self._slots))
            facts = (slots, self._index.priorities(slots), self._index.domains(slots))
            for slot, priority, domain in zip(*(each.tolist() for each in facts), strict=True):
                self._eviction.add(slot, priority, domain)
        return self._eviction

    def _priorities(self, losses: Floats) -> Floats:
        return priorities_of(losses, self._config.alpha, self._config.epsilon)

    def _at(self, slot: int) -> Trajectory:
        trajectory = self._trajectories[slot]
        if trajectory is None:
            raise LookupError(f"slot {slot} is empty")  # which no caller asks for
        return trajectory

    def _slot_of(self, trajectory_id: str) -> int:
        slot = self._slots.get(trajectory_id)
        if slot is None:
            raise no_trajectory(trajectory_id)
        return slot

    def _indexes(self, slots: Slots) -> Slots:
        return self._generations[slots] << GENERATION_BITS | slots


def _rankings(trajectory: Trajectory) -> list[tuple[OutcomeTag, str | None]]:
    tag = trajectory.final_outcome
    return [(tag, None), (tag, trajectory.task_description)]
