"""`WarmIndex`: the priorities of a buffer in tables, held in memory and kept nearly up to date."""

import threading
from collections.abc import Callable, Iterable

import numpy as np

from daybook.replay.chunks import Chunk
from daybook.replay.config import ReplayConfig, ReplayStrategy
from daybook.replay.places import Place
from daybook.replay.priorities import priorities_of
from daybook.replay.sampling import SamplingIndex
from daybook.replay.sum_tree import Floats

REFRESH_SECONDS = 1.0
"""How long what is held counts as fresh; then the next few chunks are read again."""

_MICROSECONDS = 1e6


class WarmIndex:
    """What each slot weighs, as of the last look at its chunk. Safe for threads.

    A batch drawn from it takes one request, for the trajectories. About 40 bytes a trajectory.
    """

    def __init__(self, config: ReplayConfig, width: int, now: Callable[[], float]) -> None:
        self._config = config
        self._width = width
        self._now = now
        self._lock = threading.Lock()
        self._index = SamplingIndex(config.half_life.total_seconds())
        self._laps: dict[int, int] = {}
        self._losses: dict[int, Floats] = {}
        self._fresh_until = now() + REFRESH_SECONDS

    def __len__(self) -> int:
        return len(self._index)

    def is_due(self) -> bool:
        """Whether some chunks are to be read again; says so once in a while."""
        with self._lock:
            if self._now() < self._fresh_until:
                return False
            self._fresh_until = self._now() + REFRESH_SECONDS
            return True

    def take(self, chunks: Iterable[Chunk]) -> None:
        """Take in chunks as they are now."""
        with self._lock:
            for chunk in chunks:
                self._take(chunk)

    def draw(
        self, strategy: ReplayStrategy, count: int, rng: np.random.Generator
    ) -> list[tuple[Place, float]]:
        """Draw places, each with its probability; none if nothing is held."""
        with self._lock:
            if not len(self._index):
                return []
            slots, probabilities = self._index.draw(strategy, count, rng)
            places = [
                Place(self._laps[slot // self._width], *divmod(slot, self._width))
                for slot in slots.tolist()
            ]
            return list(zip(places, probabilities.tolist(), strict=True))

    def _take(self, chunk: Chunk) -> None:
        first = chunk.number * self._width
        new = chunk.losses.astype(np.float64)
        old = self._losses.get(chunk.number, np.full(self._width, np.nan))
        if self._laps.get(chunk.number) != chunk.lap:
            self._index.drop(first + np.flatnonzero(~np.isnan(old)))
            old = np.full(self._width, np.nan)
        gone = ~np.isnan(old) & np.isnan(new)
        added = np.isnan(old) & ~np.isnan(new)
        changed = ~np.isnan(old) & ~np.isnan(new) & (old != new)
        self._index.drop(first + np.flatnonzero(gone))
        if added.any():
            count = int(added.sum())
            self._index.put(
                first + np.flatnonzero(added),
                self._priorities(new[added]),
                np.full(count, chunk.opened_at / _MICROSECONDS),
                np.full(count, chunk.domain, dtype=np.int64),
            )
        if changed.any():
            slots = first + np.flatnonzero(changed)
            self._index.reweigh(slots, self._priorities(new[changed]))
        self._losses[chunk.number], self._laps[chunk.number] = new, chunk.lap

    def _priorities(self, losses: Floats) -> Floats:
        return priorities_of(losses, self._config.alpha, self._config.epsilon)
