"""`ChunkTable`: the chunks of a buffer and their directory, read and written."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

from daybook.errors import ThrottledError
from daybook.models.identity import microseconds
from daybook.models.trajectories import OutcomeTag
from daybook.replay.chunks import (
    Chunk,
    empty_chunk,
    filling,
    is_to_be_packed,
    packing,
    still,
    telling,
)
from daybook.replay.config import ReplayConfig
from daybook.replay.directory import (
    KINDS,
    PAGE,
    BufferFacts,
    Directory,
    Head,
    code_of,
    highest_loss,
)
from daybook.replay.places import WIDEST, Place
from daybook.replay.priorities import priorities_of
from daybook.store import REPLAY, Store, replay_keys
from daybook.store.attributes import Item
from daybook.store.expressions import absent, between, equals, less_than, more_than
from daybook.store.requests import Put, Update, Write

TRIES = 20
"""To get a place while others do, and to change a page of the directory."""
AT_ONCE = 4
"""Requests under way at once."""
AT_A_GLANCE = 100
"""Chunks that are read again at a time."""
SMALL = 16
"""Chunks that a buffer has at least, so that not much has to make room at once."""


class ChunkTable:
    """Gives out places, and keeps what is known of each. Safe for threads."""

    def __init__(self, store: Store, buffer: str, config: ReplayConfig) -> None:
        self._store = store
        self._buffer = buffer
        self._config = config
        self._opening = threading.Lock()
        self._facts: BufferFacts | None = None
        self._round = (0, " ")

    @property
    def highest_loss(self) -> float:
        """The highest loss that is known, as of the last look at the directory."""
        return self._known_facts().highest_loss

    @property
    def width(self) -> int:
        """Slots of a chunk."""
        return self._known_facts().width

    def directory(
        self,
        first: str = replay_keys.TURNS,
        last: str = replay_keys.OPENED,
        *,
        consistent: bool = False,
    ) -> Directory | None:
        """Read the directory from one part to another; None if the buffer was never written to."""
        condition = equals("pk", replay_keys.directory(self._buffer))
        condition &= between("sk", *replay_keys.parts(first, last))
        items = self._store.query(REPLAY, condition, consistent=consistent)
        found = Directory.of(items, self._priority)
        if found is not None:
            self._facts = found.facts
        return found

    def reserve(self, domain: str) -> Place:
        """Return a place for a trajectory of this domain, which nobody else gets."""
        if (place := self._given(domain)) is not None:
            return place
        with self._opening:
            for _ in self._store.backoff.attempts(TRIES):
                if (place := self._given(domain)) is not None:
                    return place
                self._open(domain)
        raise ThrottledError(
            f"the replay buffer {self._buffer} had no free place {TRIES} times in a row: too many "
            "write to it at once; try again later"
        )

    def give_up_head(self, domain: str, place: Place) -> None:
        """Give out no further places of a chunk that was taken from its domain."""
        head = self._head(domain)
        if head is not None and (head.chunk, head.lap) == (place.chunk, place.lap):
            key = replay_keys.head(self._buffer, domain)
            full = Update(
                table=REPLAY,
                key=key,
                values={"given": self.width},
                condition=equals("chunk", place.chunk) & equals("lap", place.lap),
            )
            self._store.change(full)

    def fill(self, place: Place, domain: str, loss: float, outcome: OutcomeTag) -> Chunk | None:
        """Let a place be drawn; return its chunk then, None if that has been taken away."""
        now = microseconds(self._store.clock())
        lap, number, slot = place
        write = filling(self._buffer, number, lap, slot, loss=loss, outcome=outcome, now=now)
        done, item = self._store.revise(write)
        if done and is_to_be_packed(item, self.width):
            self.pack(number, domain)
        return Chunk.of(item) if done else None

    def tell(self, told: Mapping[Place, tuple[float, int]]) -> list[Chunk]:
        """Tell places their losses, and how often; return the chunks that took them, as they are.

        A chunk that is at another lap by now takes none: its places are others'.
        """
        chunks: dict[tuple[int, int], dict[int, tuple[float, int]]] = {}
        for place, facts in told.items():
            if place.lap > 0 and place.slot < self.width:
                chunks.setdefault((place.chunk, place.lap), {})[place.slot] = facts

        def write(chunk: tuple[int, int]) -> Chunk | None:
            number, lap = chunk
            done, item = self._store.revise(telling(self._buffer, number, lap, chunks[chunk]))
            if done and is_to_be_packed(item, self.width):
                self.pack(number)
            return Chunk.of(item) if done else None

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [chunk for chunk in pool.map(write, chunks) if chunk is not None]

    def raise_highest(self, loss: float) -> None:
        """Note a loss if it is the highest so far: new trajectories get its priority."""
        if loss <= self.highest_loss:
            return
        key = replay_keys.buffer_item(self._buffer)
        highest = highest_loss(loss)
        self._store.change(
            Update(
                table=REPLAY,
                key=key,
                values={"highest": highest},
                condition=less_than("highest", highest),
            )
        )
        self._facts = None

    def chunks(self, numbers: Iterable[int], *, consistent: bool = False) -> dict[int, Chunk]:
        """Return chunks by their numbers."""
        keys = [replay_keys.chunk(self._buffer, number) for number in sorted(set(numbers))]
        found = map(Chunk.of, self._store.fetch(REPLAY, keys, consistent=consistent))
        return {chunk.number: chunk for chunk in found}

    def all_chunks(self) -> Iterator[Chunk]:
        """Return all chunks; a query for each shard."""

        def read(number: int) -> list[Chunk]:
            partition = equals("pk", replay_keys.shard(self._buffer, number))
            return [Chunk.of(item) for item in self._store.query(REPLAY, partition)]

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for shard in pool.map(read, range(replay_keys.SHARDS)):
                yield from shard

    def next_chunks(self) -> list[Chunk]:
        """Return the next hundred chunks or so of one shard, going round; one request."""
        shard, after = self._round
        condition = equals("pk", replay_keys.shard(self._buffer, shard))
        condition &= more_than("sk", after)
        found = list(
            islice(self._store.query(REPLAY, condition, page_size=AT_A_GLANCE), AT_A_GLANCE)
        )
        is_last = len(found) < AT_A_GLANCE
        self._round = (
            ((shard + 1) % replay_keys.SHARDS, " ") if is_last else (shard, str(found[-1]["sk"]))
        )
        return [Chunk.of(item) for item in found]

    def pack(self, number: int, domain: str | None = None) -> None:
        """Pack a chunk's changes into it, and bring its sum in the directory up to date.

        With the domain that fills it, also what its head says of the sum.
        """
        item = self._store.get(REPLAY, replay_keys.chunk(self._buffer, number))
        if item is None:
            return
        chunk = Chunk.of(item)
        self._store.change(packing(self._buffer, item, chunk))  # else another one has, or will
        self._note_sum(chunk)
        count = len(chunk.live)
        if domain is not None or count < self.width:
            self._note(replay_keys.COUNTS, number, count)
        if domain is not None:
            self._note_head(domain, chunk, count)

    def empty(self, chunk: Chunk) -> bool:
        """Take everything out of a chunk; False if something has come since it was read."""
        blank = empty_chunk(
            self._buffer,
            chunk.number,
            self.width,
            lap=chunk.lap + 1,
            domain=chunk.domain,
            opened_at=chunk.opened_at,
        )
        if self._store.replace(REPLAY, blank, still(chunk.lap, chunk.newest)) is not None:
            return False
        self._note(replay_keys.SUMS, chunk.number, 0)
        self._note(replay_keys.COUNTS, chunk.number, 0)
        return True

    def _given(self, domain: str) -> Place | None:
        """Return the next place of the chunk that this domain fills; None if it has none."""
        done, item = self._store.revise(
            Update(
                table=REPLAY,
                key=replay_keys.head(self._buffer, domain),
                values={},
                counts={"given": 1},
                condition=less_than("given", self.width),
            )
        )
        if not done:
            return None
        head = Head.of(item)
        return Place(head.lap, head.chunk, head.given - 1)

    def _open(self, domain: str) -> None:
        """Give a domain a chunk to fill: a new one, or one that makes room."""
        seen = self._head(domain)
        directory = self.directory(consistent=True)
        if directory is None or (seen and seen.given < directory.facts.width):
            return
        facts, now = directory.facts, microseconds(self._store.clock())
        is_new = facts.chunks < max(1, self._config.capacity // facts.width)
        counts = {"openings": 1} | ({"chunks": 1} if is_new else {})
        number, lap, condition = facts.chunks, 1, absent("pk")
        if not is_new:
            number = directory.victim(self._config.strategy, seen)
            victim = self.chunks([number], consistent=True)[number]
            lap, condition = victim.lap + 1, still(victim.lap, victim.newest)
            counts["evicted"] = len(victim.live)
        own = seen.number if seen else facts.domains
        if not seen:
            counts["domains"] = 1
        head = Head(domain, own, number, lap, 0)
        blank = empty_chunk(self._buffer, number, facts.width, lap=lap, domain=own, opened_at=now)
        key = replay_keys.head(self._buffer, domain)
        stands = equals("chunk", seen.chunk) & equals("lap", seen.lap) if seen else absent("pk")
        writes: list[Write] = [
            Put(table=REPLAY, item=blank, condition=condition),
            Put(table=REPLAY, item=key | head.values(), condition=stands),
            Update(
                table=REPLAY,
                key=replay_keys.buffer_item(self._buffer),
                values={"width": facts.width},
                counts=counts,
                condition=equals("openings", facts.openings),
            ),
        ]
        if not self._store.transact(writes):
            return
        self._note(replay_keys.SUMS, number, 0)
        self._note(replay_keys.COUNTS, number, 0)
        self._note(replay_keys.TURNS, number, facts.openings)
        self._note(replay_keys.DOMAINS, number, own)
        self._note(replay_keys.OPENED, number, now // 1_000_000)
        if seen and seen.chunk != number:
            self.pack(seen.chunk, domain)

    def _head(self, domain: str) -> Head | None:
        item = self._store.get(REPLAY, replay_keys.head(self._buffer, domain))
        return Head.of(item) if item else None

    def _note_sum(self, chunk: Chunk) -> None:
        priorities = chunk.priorities(self._config.alpha, self._config.epsilon)
        self._note(replay_keys.SUMS, chunk.number, code_of(float(priorities.sum())))

    def _note_head(self, domain: str, chunk: Chunk, count: int) -> None:
        """Write down how many of a chunk's slots are in its sum, while its domain fills it."""
        self._store.change(
            Update(
                table=REPLAY,
                key=replay_keys.head(self._buffer, domain),
                values={"noted": count},
                condition=equals("chunk", chunk.number) & equals("lap", chunk.lap),
            )
        )

    def _note(self, part: str, number: int, value: int) -> None:
        """Write down what a part of the directory says of a chunk."""
        key = replay_keys.page(self._buffer, part, number // PAGE)
        at = number % PAGE
        for _ in self._store.backoff.attempts(TRIES):
            item = self._store.get(REPLAY, key)
            page = item["page"] if item else b""
            read = np.frombuffer(page if isinstance(page, bytes) else b"", KINDS[part])
            changed = np.zeros(max(len(read), at + 1), KINDS[part])
            changed[: len(read)] = read
            changed[at] = value
            if len(read) == len(changed) and (changed == read).all():
                return
            revision = int(item["revision"]) if item else 0
            new: Item = key | {"page": changed.tobytes(), "revision": revision + 1}
            stands = equals("revision", revision) if item else absent("pk")
            if self._store.replace(REPLAY, new, stands) is None:
                return
        # the next one who packs the chunk notes it

    def _known_facts(self) -> BufferFacts:
        facts = self._facts
        if facts is None:
            facts = self._facts = self._read_facts()
        return facts

    def _read_facts(self) -> BufferFacts:
        """Return the buffer's facts, which are made when it is first used."""
        key = replay_keys.buffer_item(self._buffer)
        item = self._store.get(REPLAY, key)
        if item is None:
            width = min(WIDEST, max(1, self._config.capacity // SMALL))
            made = key | BufferFacts(width=width).values()
            item = self._store.insert(REPLAY, made) or made
        return BufferFacts.of(item)

    def _priority(self, loss: float) -> float:
        losses = np.array([loss])
        return float(priorities_of(losses, self._config.alpha, self._config.epsilon)[0])
