"""A loop's working memory: the newest entries as they are, the older ones packed into blocks."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from pydantic_core import from_json

from daybook.errors import InvalidInputError
from daybook.loops.restarts import checked_count
from daybook.models.json_values import JsonValue, written_json
from daybook.models.loops import WorkingMemoryMetrics
from daybook.store.codec import deflated, inflated

MOST_BYTES = 16 * 1024 * 1024
"""The most that `max_bytes` may be: a block has to be inflated in one go."""

_BETWEEN = b"\n"  # JSON on one line has none


@dataclass(frozen=True, kw_only=True)
class WorkingMemoryConfig:
    """The bounds of a loop's working memory.

    Over `max_entries`, or over `max_bytes` of JSON (256 KB), the older half is packed into a
    block. Of the blocks the newest `max_blocks` are kept; the oldest goes, and its entries are
    counted as forgotten. Raises InvalidInputError for what cannot be.
    """

    max_entries: int = 1_000
    max_bytes: int = 256 * 1024
    max_blocks: int = 100

    def __post_init__(self) -> None:
        checked_count(self.max_entries, "max_entries")
        checked_count(self.max_bytes, "max_bytes", MOST_BYTES)
        checked_count(self.max_blocks, "max_blocks")


@dataclass(frozen=True)
class _Block:
    packed: bytes
    entries: int
    unpacked_bytes: int


@dataclass
class WorkingMemory:
    """Entries of JSON in the order in which they came. Threads may share it."""

    config: WorkingMemoryConfig
    _plain: deque[bytes] = field(default_factory=deque)
    _plain_bytes: int = 0
    _blocks: deque[_Block] = field(default_factory=deque)
    _forgotten: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def remember(self, entry: JsonValue) -> None:
        """Keep an entry. Raises InvalidInputError for what is not JSON or over `max_bytes`."""
        written = written_json(entry, "the entry")
        if len(written) > self.config.max_bytes:
            raise InvalidInputError(
                f"the entry is {len(written):,} bytes of JSON, and the working memory holds "
                f"{self.config.max_bytes:,}: keep what is large elsewhere, and a reference here"
            )
        with self._lock:
            self._plain.append(written)
            self._plain_bytes += len(written)
            too_many = len(self._plain) > self.config.max_entries
            if too_many or self._plain_bytes > self.config.max_bytes:
                self._pack()

    def recollect(self) -> Iterator[JsonValue]:
        """Iterate what is kept now, the oldest first. Inflates one block at a time."""
        with self._lock:
            blocks, plain = list(self._blocks), list(self._plain)

        def entries() -> Iterator[JsonValue]:
            for block in blocks:
                yield from map(from_json, inflated(block.packed).split(_BETWEEN))
            yield from map(from_json, plain)

        return entries()

    def metrics(self) -> WorkingMemoryMetrics:
        """Return what it holds, at one moment."""
        with self._lock:
            plain, plain_bytes, forgotten = len(self._plain), self._plain_bytes, self._forgotten
            blocks = list(self._blocks)
        return memory_metrics(
            entries=plain + sum(block.entries for block in blocks),
            blocks=len(blocks),
            plain_bytes=plain_bytes,
            packed_bytes=sum(len(block.packed) for block in blocks),
            unpacked_bytes=sum(block.unpacked_bytes for block in blocks),
            forgotten=forgotten,
        )

    def _pack(self) -> None:
        """Pack the oldest entries into a block, until half of what is allowed is left plain."""
        count, left = 0, self._plain_bytes
        for written in self._plain:
            are_few = len(self._plain) - count <= self.config.max_entries / 2
            if are_few and left <= self.config.max_bytes / 2:
                break
            left -= len(written)
            count += 1
        joined = _BETWEEN.join(islice(self._plain, count))
        self._blocks.append(_Block(deflated(joined), count, len(joined)))
        for _ in range(count):
            self._plain.popleft()
        self._plain_bytes = left
        while len(self._blocks) > self.config.max_blocks:
            self._forgotten += self._blocks.popleft().entries


def memory_metrics(
    *,
    entries: int = 0,
    blocks: int = 0,
    plain_bytes: int = 0,
    packed_bytes: int = 0,
    unpacked_bytes: int = 0,
    forgotten: int = 0,
) -> WorkingMemoryMetrics:
    """Return these numbers with the ratio that follows from them."""
    return WorkingMemoryMetrics(
        entries=entries,
        blocks=blocks,
        plain_bytes=plain_bytes,
        packed_bytes=packed_bytes,
        unpacked_bytes=unpacked_bytes,
        compression_ratio=unpacked_bytes / packed_bytes if packed_bytes else None,
        forgotten=forgotten,
    )
