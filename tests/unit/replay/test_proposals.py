"""Draws by way of chunks: exact by the directory as it is, and unbiased also when that is old."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from daybook.replay.chunks import Chunk
from daybook.replay.config import ReplayConfig, ReplayStrategy
from daybook.replay.directory import BufferFacts, Directory, code_of, totals_of
from daybook.replay.places import Place
from daybook.replay.proposals import Proposal
from daybook.replay.sum_tree import Floats
from tests.unit.replay.chi_square import LEVEL, p_value

DRAWS = 200_000
BATCH = 1000
WIDTH = 32
CONFIG = ReplayConfig(alpha=1.0, half_life=timedelta(hours=1))
HOUR = 3_600_000_000


class World:
    """Chunks, some of them not full, and what the directory says of them."""

    def __init__(self, seed: int, chunks: int = 40) -> None:
        self.rng = rng = np.random.default_rng(seed)
        losses = rng.gamma(0.5, size=(chunks, WIDTH)).astype(np.float32)
        losses[rng.random((chunks, WIDTH)) < 0.2] = np.nan
        losses[3] = np.nan
        self.chunks = {
            number: Chunk(
                number=number,
                lap=1 + number % 3,
                domain=number % 4,
                opened_at=HOUR * number // 8,
                newest=0,
                changes=0,
                losses=losses[number],
                replays=np.zeros(WIDTH, dtype=np.int64),
                ends=np.zeros(WIDTH, dtype=np.uint8),
            )
            for number in range(chunks)
        }
        self.priorities = np.stack([each.priorities(1.0, 1e-6) for each in self.chunks.values()])
        sums = self.priorities.sum(axis=1)
        self.directory = Directory(
            facts=BufferFacts(width=WIDTH, chunks=chunks),
            heads={},
            sums=totals_of(np.array([code_of(each) for each in sums], dtype=np.uint16)),
            counts=(self.priorities > 0).sum(axis=1).astype(np.float64),
            opened_at=np.array([each.opened_at / 1e6 for each in self.chunks.values()]),
            turns=np.arange(chunks),
            domains=np.array([each.domain for each in self.chunks.values()]),
        )

    def formula(self, strategy: ReplayStrategy) -> Floats:
        """Return the probability of each slot by the strategy's formula, chunk by chunk."""
        live = (self.priorities > 0).astype(np.float64)
        weights = self.priorities / self.priorities.sum()
        recency = live * np.exp2(self.directory.opened_at * 1e6 / HOUR)[:, None]
        domains = self.directory.domains
        balanced = np.zeros_like(weights)
        for domain in range(4):
            own = domains == domain
            balanced[own] = weights[own] / weights[own].sum() / 4
        formulas: dict[ReplayStrategy, Floats] = {
            ReplayStrategy.UNIFORM: live / live.sum(),
            ReplayStrategy.PRIORITIZED_LOSS: weights,
            ReplayStrategy.PRIORITIZED_RECENCY: recency / recency.sum(),
            ReplayStrategy.MIXED: (weights + live / live.sum()) / 2,
            ReplayStrategy.DOMAIN_BALANCED: balanced,
        }
        return formulas[strategy].reshape(-1)

    def draw(self, proposal: Proposal, count: int) -> list[Place]:
        """Draw places."""
        chosen = [
            (way, number)
            for way, numbers in proposal.choose(count, self.rng)
            for number in numbers.tolist()
        ]
        places = [proposal.place(way, self.chunks[number], self.rng) for way, number in chosen]
        return [place for place in places if place is not None]

    def counts(self, proposal: Proposal, draws: int = DRAWS) -> tuple[np.ndarray, Floats]:
        """Return how often each slot was drawn, and its probability as it is reported."""
        counts = np.zeros((len(self.chunks), WIDTH), dtype=np.int64)
        for _ in range(draws // BATCH):
            for place in self.draw(proposal, BATCH):
                counts[place.chunk, place.slot] += 1
        reported = [
            proposal.probability(Place(chunk.lap, number, slot), chunk)
            for number, chunk in self.chunks.items()
            for slot in range(WIDTH)
        ]
        return counts.reshape(-1), np.array(reported)


@pytest.mark.parametrize("strategy", list(ReplayStrategy))
def test_draws_by_chunks_follow_the_formula(strategy: ReplayStrategy) -> None:
    """200,000 draws agree with the formula; what is reported differs by the sums' 16 bits."""
    world = World(1)
    counts, reported = world.counts(Proposal(world.directory, strategy, CONFIG))
    formula = world.formula(strategy)
    assert counts[formula == 0].sum() == 0
    assert p_value(counts[formula > 0], formula[formula > 0]) > LEVEL
    assert p_value(counts[formula > 0], reported[formula > 0]) > LEVEL
    np.testing.assert_allclose(reported, formula, rtol=0.01)
    assert reported.sum() == pytest.approx(1.0)


def stale(world: World) -> Directory:
    """Return a directory whose sums are those of long ago."""
    old = world.directory.sums * world.rng.choice([0.2, 1.0, 4.0], size=len(world.chunks))
    return replace(world.directory, sums=old)


@pytest.mark.parametrize(
    "strategy",
    [
        ReplayStrategy.PRIORITIZED_LOSS,
        ReplayStrategy.MIXED,
        ReplayStrategy.DOMAIN_BALANCED,
    ],
)
def test_stale_sums_are_reported_and_corrected(strategy: ReplayStrategy) -> None:
    """With sums far off, draws follow what is reported, not the formula; means stay unbiased."""
    world = World(2)
    proposal = Proposal(stale(world), strategy, CONFIG)
    counts, reported = world.counts(proposal)
    drawn = reported > 0
    assert p_value(counts[drawn], reported[drawn]) > LEVEL
    assert p_value(counts[drawn], world.formula(strategy)[drawn]) < LEVEL

    values = np.arange(len(reported)) * 1.0 + 1000 * (world.priorities.reshape(-1) > 1)
    held = drawn.sum()
    terms = np.divide(values, held * reported, out=np.zeros_like(values), where=drawn)
    mean = (counts * terms).sum() / counts.sum()
    spread = np.sqrt((counts * (terms - mean) ** 2).sum() / counts.sum() / counts.sum())
    assert abs(mean - values[drawn].mean()) < 4.5 * spread
    assert abs((counts * values).sum() / counts.sum() - values[drawn].mean()) > 20 * spread


def test_batch_spreads_over_the_chunks() -> None:
    """A batch is a stratified sample of chunks: it does not happen to lie in few of them."""
    world = World(3, chunks=64)
    proposal = Proposal(world.directory, ReplayStrategy.UNIFORM, CONFIG)
    distinct = [len({place.chunk for place in world.draw(proposal, 32)}) for _ in range(100)]
    assert np.mean(distinct) > 28  # of independent draws there would be 25


def test_sums_survive_as_16_bits() -> None:
    """A sum is kept to 0.8%, from the smallest priority to the largest; none is 0."""
    for total in (1e-24, 1e-6, 0.5, 1.0, 3e5, 1e152):
        back = totals_of(np.array([code_of(total)], dtype=np.uint16))[0]
        assert back == pytest.approx(total, rel=0.005)
    assert totals_of(np.array([code_of(0.0)], dtype=np.uint16))[0] == 0.0
