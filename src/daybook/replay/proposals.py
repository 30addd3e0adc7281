"""How a strategy draws by way of chunks: a chunk by the directory, then a slot of the chunk.

A strategy is one or two ways to draw, each with its share. The probability of a slot is the sum
over the ways of share * chunk's * slot's, whichever way it was drawn by.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from daybook.replay.chunks import Chunk
from daybook.replay.config import ReplayConfig, ReplayStrategy
from daybook.replay.directory import Directory
from daybook.replay.places import Place
from daybook.replay.sum_tree import Floats, Slots
from daybook.store import replay_keys

READ: Mapping[ReplayStrategy, tuple[str, str]] = {
    ReplayStrategy.UNIFORM: (replay_keys.HEADS, replay_keys.COUNTS),
    ReplayStrategy.PRIORITIZED_LOSS: (replay_keys.SUMS, replay_keys.HEADS),
    ReplayStrategy.MIXED: (replay_keys.SUMS, replay_keys.HEADS),
    ReplayStrategy.PRIORITIZED_RECENCY: (replay_keys.HEADS, replay_keys.OPENED),
    ReplayStrategy.DOMAIN_BALANCED: (replay_keys.DOMAINS, replay_keys.HEADS),
}
"""The first and last part of the directory that a strategy needs."""


class Way(NamedTuple):
    """One way to draw: its share, each chunk's probability, and whether slots have weights."""

    share: float
    chunks: Floats
    is_weighted: bool

    def slots(self, chunk: Chunk, config: ReplayConfig) -> Floats:
        """Return the probability of each slot of a chunk; all 0 if nothing is in it."""
        if self.is_weighted:
            weights = chunk.priorities(config.alpha, config.epsilon)
        else:
            weights = (~np.isnan(chunk.losses)).astype(np.float64)
        total = weights.sum()
        return weights / total if total > 0 else weights


class Proposal:
    """A strategy's ways over a directory, for one batch: a chunk counts as it is first seen."""

    def __init__(
        self, directory: Directory, strategy: ReplayStrategy, config: ReplayConfig
    ) -> None:
        self._config = config
        self._odds: dict[tuple[int, int, int], Floats] = {}
        self._ways = [
            Way(share, _over_sum(chunks), is_weighted)
            for share, chunks, is_weighted in _ways(directory, strategy, config)
        ]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not all(way.chunks.sum() > 0 for way in self._ways)

    def choose(self, count: int, rng: np.random.Generator) -> list[tuple[int, Slots]]:
        """Draw ways and chunks; return the number of each way, with the chunks drawn by it.

        Within a way the sample of chunks is stratified: one from each of `count` equal shares of
        the whole, so that a batch does not happen to lie in few of them. A draw from all of the
        batch still has the chunk's probability.
        """
        by_first = count
        if len(self._ways) > 1:
            by_first = int(rng.binomial(count, self._ways[0].share))
        chosen = []
        for number, times in enumerate((by_first, count - by_first)[: len(self._ways)]):
            sums = self._ways[number].chunks.cumsum()
            places = (np.arange(times) + rng.random(times)) / max(times, 1) * sums[-1]
            ends = np.minimum(places, np.nextafter(sums[-1], 0.0))
            chosen.append((number, rng.permutation(np.searchsorted(sums, ends, side="right"))))
        return chosen

    def place(self, way: int, chunk: Chunk, rng: np.random.Generator) -> Place | None:
        """Draw a slot of a chunk; None if nothing is in it."""
        odds = self._slots(way, chunk).cumsum()
        if not odds[-1] > 0:
            return None
        share = min(rng.random() * odds[-1], np.nextafter(odds[-1], 0.0))
        return Place(chunk.lap, chunk.number, int(np.searchsorted(odds, share, side="right")))

    def probability(self, place: Place, chunk: Chunk) -> float:
        """Return the probability with which a place of this chunk is drawn."""
        return sum(
            way.share
            * float(way.chunks[place.chunk])
            * float(self._slots(number, chunk)[place.slot])
            for number, way in enumerate(self._ways)
        )

    def _slots(self, way: int, chunk: Chunk) -> Floats:
        key = (way, chunk.number, chunk.lap)
        if key not in self._odds:
            self._odds[key] = self._ways[way].slots(chunk, self._config)
        return self._odds[key]


def _ways(
    directory: Directory, strategy: ReplayStrategy, config: ReplayConfig
) -> list[tuple[float, Floats, bool]]:
    sums, counts = directory.sums, directory.counts
    match strategy:
        case ReplayStrategy.UNIFORM:
            return [(1.0, counts, False)]
        case ReplayStrategy.PRIORITIZED_LOSS:
            return [(1.0, sums, True)]
        case ReplayStrategy.MIXED:
            return [(0.5, sums, True), (0.5, counts, False)]
        case ReplayStrategy.PRIORITIZED_RECENCY:
            newest = directory.opened_at[counts > 0].max(initial=0.0)
            half_lives = (directory.opened_at - newest) / config.half_life.total_seconds()
            return [(1.0, counts * np.exp2(half_lives), False)]
        case ReplayStrategy.DOMAIN_BALANCED:
            of_domain = np.bincount(directory.domains, sums)
            alike = np.where(of_domain > 0, 1.0 / np.maximum(of_domain, 5e-324), 0.0)
            return [(1.0, sums * alike[directory.domains], True)]


def _over_sum(weights: Floats) -> Floats:
    total = weights.sum()
    return weights / total if total > 0 else weights
