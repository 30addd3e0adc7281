"""`ReplayInTables`: a buffer in the tables and S3, which many processes share."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime

import numpy as np

from daybook.errors import BodyMissingError, ThrottledError
from daybook.models.identity import microseconds, moment_of
from daybook.models.trajectories import OutcomeTag, Trajectory
from daybook.replay.batches import Drawn, ReplayEntry, ReplayStatistics
from daybook.replay.chunk_table import ChunkTable
from daybook.replay.chunks import Chunk
from daybook.replay.config import ReplayConfig, ReplayStrategy
from daybook.replay.faults import check_same, empty_replay, no_trajectory
from daybook.replay.places import Place, indexes_of
from daybook.replay.proposals import READ, Proposal
from daybook.replay.shelf import Shelf
from daybook.replay.sum_tree import Floats, Slots
from daybook.replay.warm_index import WarmIndex
from daybook.store import Store
from daybook.store.attributes import Item

Propose = Callable[[int], list[tuple[Place, float]]]
"""Draws so many places, or fewer, each with its probability."""

CHUNKS_AT_ONCE = 64
"""Chunks read together when all trajectories are iterated."""
ROUNDS = 8
"""Tries to draw in the place of what was evicted while a batch was drawn."""
TRIES = 5
"""Tries to store a trajectory whose place was taken away meanwhile."""


class ReplayInTables:
    """Trajectories in the tables, under the name of the buffer. Safe for threads."""

    def __init__(self, store: Store, buffer: str, config: ReplayConfig) -> None:
        self._config = config
        self._chunks = ChunkTable(store, buffer, config)
        self._shelf = Shelf(store, buffer)
        self._seeds = np.random.default_rng(config.seed)
        self._seeding = threading.Lock()
        self._warm: WarmIndex | None = None

    def put(self, trajectory: Trajectory) -> None:
        """Store a trajectory, at the highest priority so far. Four requests, when it is new.

        First the place is taken, then the trajectory is put there, then its id stands for it, and
        at last it can be drawn: whatever ends this half-way, storing it again ends it well.
        """
        for _ in range(TRIES):
            standing = self._shelf.place_of(trajectory.trajectory_id)
            live = self._shelf.fetch_live([standing]) if standing else {}
            if standing is not None and standing in live:
                check_same(trajectory, self._shelf.read(live[standing]))
                self._finish(standing, trajectory)
                return
            place = self._chunks.reserve(trajectory.domain)
            self._shelf.put(place, trajectory)
            if self._shelf.point(place, trajectory, standing) is not None:
                # somebody else stores the same one at this moment: theirs stands
                self._shelf.remove(self._shelf.fetch([place], consistent=True).values())
                continue
            if self._let_draw(place, trajectory):
                return
            self._chunks.give_up_head(trajectory.domain, place)
        raise ThrottledError(
            f"the trajectory {trajectory.trajectory_id!r:.80} found no place in {TRIES} tries: "
            "the buffer is too small for all that are stored at once; try it again"
        )

    def _let_draw(self, place: Place, trajectory: Trajectory) -> bool:
        """Let a trajectory be drawn; False if its place has been taken away."""
        loss = self._chunks.highest_loss
        chunk = self._chunks.fill(place, trajectory.domain, loss, trajectory.final_outcome)
        if chunk is not None and self._warm is not None:
            self._warm.take([chunk])
        return chunk is not None

    def _finish(self, place: Place, trajectory: Trajectory) -> None:
        """Let a trajectory be drawn that was stored before, if that was not done."""
        chunk = self._chunks.chunks([place.chunk], consistent=True).get(place.chunk)
        if chunk and chunk.lap == place.lap and np.isnan(chunk.losses[place.slot]):
            self._let_draw(place, trajectory)

    def get(self, trajectory_id: str) -> Trajectory:
        """Return a trajectory. Two requests."""
        return self._shelf.read(self._item(trajectory_id)[1])

    def entry(self, trajectory_id: str) -> ReplayEntry:
        """Return what is known of a trajectory. Three requests."""
        place, item = self._item(trajectory_id)
        chunk = self._chunks.chunks([place.chunk], consistent=True)[place.chunk]
        if chunk.lap != place.lap or np.isnan(chunk.losses[place.slot]):
            raise no_trajectory(trajectory_id)
        replays = int(chunk.replays[place.slot])
        priorities = chunk.priorities(self._config.alpha, self._config.epsilon)
        return ReplayEntry(
            trajectory_id=trajectory_id,
            index=place.number,
            domain=self._shelf.read(item).domain,
            loss=float(chunk.losses[place.slot]) if replays else None,
            priority=float(priorities[place.slot]),
            replay_count=replays,
            stored_at=moment_of(int(item["at"])),
        )

    def warm(self) -> None:
        """Hold all priorities in memory from now on; reads all chunks."""
        warm = WarmIndex(self._config, self._chunks.width, time.monotonic)
        warm.take(self._chunks.all_chunks())
        self._warm = warm

    def draw(self, strategy: ReplayStrategy, count: int) -> Drawn:
        """Draw trajectories.

        Three requests: the directory, chunks, trajectories; only the last one when it is warm.
        """
        with self._seeding:
            rng = np.random.default_rng(self._seeds.integers(1 << 63))
        if self._warm is not None:
            propose = self._propose_warm(self._warm, strategy, rng)
        else:
            propose = self._propose_cold(strategy, rng)
        drawn: list[tuple[Place, float]] = []
        items: dict[Place, Item] = {}
        for _ in range(ROUNDS):
            new = propose(count - len(drawn))
            items |= self._shelf.fetch({place for place, _ in new} - items.keys())
            drawn += [each for each in new if each[0] in items]
            if len(drawn) == count:
                break
        if not drawn:
            raise empty_replay()
        # what was evicted while it was drawn is made up for from what is there
        drawn += [drawn[at] for at in rng.integers(len(drawn), size=count - len(drawn))]
        read = {place: self._shelf.read(items[place]) for place in {place for place, _ in drawn}}
        places = [place for place, _ in drawn]
        return Drawn(
            [read[place] for place in places],
            np.array([probability for _, probability in drawn]),
            indexes_of(places),
        )

    def _propose_warm(
        self, warm: WarmIndex, strategy: ReplayStrategy, rng: np.random.Generator
    ) -> Propose:
        if warm.is_due():
            warm.take(self._chunks.next_chunks())
        seen: set[Place] = set()

        def propose(count: int) -> list[tuple[Place, float]]:
            # what was proposed and was not there has been evicted: its chunk is looked at again
            if seen:
                chunks = self._chunks.chunks({place.chunk for place in seen}, consistent=True)
                warm.take(chunks.values())
            proposed = warm.draw(strategy, count, rng)
            seen.update(place for place, _ in proposed)
            return proposed

        return propose

    def _propose_cold(self, strategy: ReplayStrategy, rng: np.random.Generator) -> Propose:
        directory = self._chunks.directory(*READ[strategy])
        proposal = Proposal(directory, strategy, self._config) if directory else None
        if proposal is None or proposal.is_empty:
            raise empty_replay()
        chunks: dict[int, Chunk] = {}

        def propose(count: int) -> list[tuple[Place, float]]:
            places = self._propose(proposal, count, chunks, rng)
            return [(place, proposal.probability(place, chunks[place.chunk])) for place in places]

        return propose

    def _propose(
        self,
        proposal: Proposal,
        count: int,
        chunks: dict[int, Chunk],
        rng: np.random.Generator,
    ) -> list[Place]:
        """Draw places; chunks that were not known yet are read, with one request."""
        chosen = [
            (way, number)
            for way, numbers in proposal.choose(count, rng)
            for number in numbers.tolist()
        ]
        chunks |= self._chunks.chunks({number for _, number in chosen} - chunks.keys())
        places = [
            proposal.place(way, chunks[number], rng) for way, number in chosen if number in chunks
        ]
        return [place for place in places if place is not None]

    def update(self, indexes: Slots, losses: Floats) -> Slots:
        """Take the losses of a replay; return the indexes of what has been evicted since."""
        told: dict[Place, tuple[float, int]] = {}
        for index, loss in zip(indexes.tolist(), losses.tolist(), strict=True):
            place = Place.of_number(index)
            told[place] = (loss, told.get(place, (loss, 0))[1] + 1)
        chunks = self._chunks.tell(told)
        if self._warm is not None:
            self._warm.take(chunks)
        laps = {(chunk.number, chunk.lap) for chunk in chunks}
        width = self._chunks.width
        taken = {
            place: loss
            for place, (loss, _) in told.items()
            if (place.chunk, place.lap) in laps and place.slot < width
        }
        self._chunks.raise_highest(max(map(abs, taken.values()), default=0.0))
        refused = {place.number for place in told.keys() - taken.keys()}
        return np.array([index for index in indexes.tolist() if index in refused], np.int64)

    def top(self, tag: OutcomeTag, task: str | None, limit: int) -> list[Trajectory]:
        """Return the trajectories that ended so, the highest reward first."""
        return [self._shelf.read(item) for item in self._shelf.top(tag, task, limit)]

    def iterate(self) -> Iterator[Trajectory]:
        """Iterate the trajectories, a chunk's in memory at a time; a query for each chunk.

        Those that can be drawn: what was half stored when its writer died does not come.
        """
        directory = self._chunks.directory(consistent=True)
        count = directory.facts.chunks if directory else 0
        for start in range(0, count, CHUNKS_AT_ONCE):
            numbers = range(start, min(count, start + CHUNKS_AT_ONCE))
            chunks = self._chunks.chunks(numbers, consistent=True)
            for number in numbers:
                if number in chunks:
                    yield from self._read_chunk(chunks[number])

    def _read_chunk(self, chunk: Chunk) -> Iterator[Trajectory]:
        live = {Place(chunk.lap, chunk.number, slot) for slot in chunk.live.tolist()}
        if not live:
            return
        for place, item in self._shelf.of_chunk(chunk.number).items():
            if place in live:
                try:
                    yield self._shelf.read(item)
                except BodyMissingError:
                    # its object goes when it makes room; else it is missed
                    if place in self._shelf.fetch_live([place]):
                        raise

    def prune(self, before: datetime) -> int:
        """Remove the chunks in which nothing is younger; return how many trajectories went."""
        directory = self._chunks.directory(consistent=True)
        moment, removed = microseconds(before), 0
        if directory is None:
            return 0
        old = np.flatnonzero(
            (directory.counts > 0) & (directory.opened_at * 1e6 < moment)
        ).tolist()
        for chunk in self._chunks.chunks(old, consistent=True).values():
            if chunk.newest < moment and len(chunk.live) and self._chunks.empty(chunk):
                removed += len(chunk.live)
                gone = self._shelf.in_chunk(chunk.number)
                self._shelf.remove(item for item in gone if item["lap"] == chunk.lap)
        return removed

    def statistics(self) -> ReplayStatistics:
        """Return what the buffer holds; reads all chunks."""
        chunks = list(self._chunks.all_chunks())
        directory = self._chunks.directory(consistent=True)
        heads = directory.heads.values() if directory else ()
        names = {head.number: head.domain for head in heads}
        by_outcome = dict.fromkeys((tag.value for tag in OutcomeTag), 0)
        by_domain: dict[str, int] = {}
        losses: list[float] = []
        for chunk in chunks:
            for tag, count in chunk.outcomes.items():
                by_outcome[tag.value] += count
            if held := len(chunk.live):
                name = names[chunk.domain]
                by_domain[name] = by_domain.get(name, 0) + held
            losses += chunk.losses[chunk.replays > 0].tolist()
        return ReplayStatistics(
            total_trajectories=sum(by_domain.values()),
            capacity=self._config.capacity,
            by_outcome=by_outcome,
            by_domain=dict(sorted(by_domain.items())),
            replayed=len(losses),
            evicted=directory.facts.evicted if directory else 0,
            mean_loss=float(np.mean(losses)) if losses else None,
        )

    def _item(self, trajectory_id: str) -> tuple[Place, Item]:
        place = self._shelf.place_of(trajectory_id)
        item = self._shelf.fetch_live([place]).get(place) if place else None
        if place is None or item is None:
            raise no_trajectory(trajectory_id)
        return place, item
