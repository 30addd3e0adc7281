"""The directory of a buffer in tables: where its chunks are, and how much each weighs.

With it, and one chunk a draw, a batch is drawn without reading the rest. It may be out of date:
each draw's probability is known all the same, for it is that of the chunk by the directory,
times that of the slot in the chunk as it is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from daybook.replay.config import ReplayStrategy
from daybook.replay.priorities import FIRST_LOSS
from daybook.replay.sum_tree import Floats
from daybook.store import replay_keys
from daybook.store.attributes import Item, Value

PAGE = 512
"""Chunks on a page of the directory."""

_SUM = np.dtype(">u2")
KINDS: dict[str, np.dtype[Any]] = {
    replay_keys.TURNS: np.dtype(">u4"),
    replay_keys.DOMAINS: np.dtype(">u2"),
    replay_keys.SUMS: _SUM,
    replay_keys.COUNTS: np.dtype("u1"),
    replay_keys.OPENED: np.dtype(">u4"),
}
"""What a page of each part holds for a chunk."""

_STEPS = 90.0
_LOWEST = -200.0
_FLOAT = np.dtype(">f8")


def code_of(total: float) -> int:
    """Return a sum of priorities as 16 bits: its binary logarithm, in steps of 0.8%; 0 for 0."""
    if total <= 0:
        return 0
    return int(np.clip(1 + round((np.log2(total) - _LOWEST) * _STEPS), 1, np.iinfo(_SUM).max))


def totals_of(codes: NDArray[np.uint16]) -> Floats:
    """Return the sums of priorities that these codes stand for."""
    totals = np.exp2((codes.astype(np.float64) - 1) / _STEPS + _LOWEST)
    return np.where(codes == 0, 0.0, totals)


class Head(NamedTuple):
    """The chunk that a domain fills, its lap, and how many of its slots have been given out.

    Of these the first `noted` are in the sum that the directory has of the chunk.
    """

    domain: str
    number: int
    chunk: int
    lap: int
    given: int
    noted: int = 0

    @classmethod
    def of(cls, item: Item) -> "Head":
        """Read a head's item."""
        numbers = (int(item[name]) for name in ("number", "chunk", "lap", "given", "noted"))
        return cls(str(item["domain"]), *numbers)

    def values(self) -> Item:
        """Return the attributes of its item."""
        return self._asdict()


@dataclass(frozen=True)
class BufferFacts:
    """What holds for a whole buffer: the width of its chunks, and how many of all there are.

    `openings` counts how often a chunk was opened, also one that was before.
    """

    width: int
    chunks: int = 0
    openings: int = 0
    domains: int = 0
    evicted: int = 0
    highest_loss: float = FIRST_LOSS

    @classmethod
    def of(cls, item: Item) -> "BufferFacts":
        """Read the buffer's item."""
        return cls(
            width=int(item["width"]),
            chunks=int(item["chunks"]),
            openings=int(item["openings"]),
            domains=int(item["domains"]),
            evicted=int(item["evicted"]),
            highest_loss=float(np.frombuffer(_bytes(item["highest"]), _FLOAT)[0]),
        )

    def values(self) -> Item:
        """Return the attributes of its item."""
        return {
            "width": self.width,
            "chunks": self.chunks,
            "openings": self.openings,
            "domains": self.domains,
            "evicted": self.evicted,
            "highest": highest_loss(self.highest_loss),
        }


def highest_loss(loss: float) -> bytes:
    """Return a loss as bytes: of two that are not negative, the higher one's sort later."""
    return np.array(abs(loss), dtype=_FLOAT).tobytes()


@dataclass(frozen=True)
class Directory:
    """What a strategy needs to know of all chunks; arrays are by the number of the chunk.

    `sums` are of priorities, `counts` of trajectories, `opened_at` seconds since 1970, `turns`
    the order in which they were opened. What was not read are zeros.
    """

    facts: BufferFacts
    heads: Mapping[str, Head]
    sums: Floats
    counts: Floats
    opened_at: Floats
    turns: NDArray[np.int64]
    domains: NDArray[np.int64]

    @classmethod
    def of(cls, items: Iterator[Item], priority: Callable[[float], float]) -> "Directory | None":
        """Put a directory together; None if the buffer has never been written to.

        Of the chunks that are being filled the pages may not know the latest: what was given out
        beyond what they know counts with the highest priority.
        """
        facts: BufferFacts | None = None
        heads: dict[str, Head] = {}
        pages: list[tuple[str, int, bytes]] = []
        for item in items:
            sort_key = str(item["sk"])
            if replay_keys.is_head(sort_key):
                head = Head.of(item)
                heads[head.domain] = head
            elif "page" in item:
                number = replay_keys.page_number(sort_key)
                pages.append((sort_key[:2], number, _bytes(item["page"])))
            else:
                facts = BufferFacts.of(item)
        if facts is None:
            return None
        columns = {part: np.zeros(facts.chunks, kind) for part, kind in KINDS.items()}
        for part, number, page in pages:
            start = number * PAGE
            read = np.frombuffer(page, KINDS[part])[: max(0, facts.chunks - start)]
            columns[part][start : start + len(read)] = read
        counts = columns[replay_keys.COUNTS].astype(np.float64)
        sums = totals_of(columns[replay_keys.SUMS])
        if not any(part == replay_keys.COUNTS for part, _, _ in pages):
            # where there is weight a chunk is full, but for what a dead writer left empty
            counts = np.where(sums > 0, float(facts.width), 0.0)
        found = cls(
            facts=facts,
            heads=heads,
            sums=sums,
            counts=counts,
            opened_at=columns[replay_keys.OPENED].astype(np.float64),
            turns=columns[replay_keys.TURNS].astype(np.int64),
            domains=columns[replay_keys.DOMAINS].astype(np.int64),
        )
        for head in heads.values():
            if head.chunk < facts.chunks:
                given = min(head.given, facts.width)
                found.counts[head.chunk] = given
                more = max(0, given - head.noted) * priority(facts.highest_loss)
                found.sums[head.chunk] += more
        return found

    def victim(self, strategy: ReplayStrategy, own: Head | None) -> int:
        """Return the chunk that makes room: one where nothing is, or what is missed least.

        The oldest, the one of the least priority (of equal ones the oldest), or the oldest of the
        largest domain. Chunks that domains fill are spared while there are others; of them the
        domain's own goes first.
        """
        filling = [head.chunk for head in self.heads.values()]
        candidates = np.setdiff1d(np.arange(self.facts.chunks), filling)
        if not len(candidates):
            candidates = np.array([own.chunk] if own else filling, dtype=np.int64)
        empty = candidates[self.counts[candidates] == 0]
        if len(empty):
            return int(empty[0])
        match strategy:
            case ReplayStrategy.PRIORITIZED_LOSS | ReplayStrategy.MIXED:
                sums = self.sums[candidates]
                candidates = candidates[sums == sums.min()]
            case ReplayStrategy.DOMAIN_BALANCED:
                held = np.bincount(self.domains[candidates], self.counts[candidates])
                candidates = candidates[self.domains[candidates] == held.argmax()]
        return int(candidates[self.turns[candidates].argmin()])


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""
