"""Chunks: up to 128 slots in one item of less than a kilobyte, written one slot at a time.

The losses of all slots are one binary attribute, their replay counts another. A change of one slot
is two small attributes beside them, set blindly and whole, on the condition that the lap is the
one meant: so it is one write unit, no writer overwrites another's, and a slot that is used again
takes no loss of the trajectory before. Now and then the changes are packed into the attributes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from daybook.models.trajectories import OutcomeTag
from daybook.replay.priorities import priorities_of
from daybook.replay.sum_tree import Floats, Slots
from daybook.store import REPLAY, replay_keys
from daybook.store.attributes import Item, Value
from daybook.store.expressions import Condition, equals
from daybook.store.requests import Update

MOST_CHANGES = 12
"""Changes that a chunk carries beside its losses; with them it still is under a kilobyte."""
MOST_REPLAYS = 255
"""Replay counts are bytes: they stay at this."""

_FLOAT = np.dtype(">f4")
_LAP, _DOMAIN, _OPENED, _NEWEST, _CHANGES = "lap", "dn", "at", "newest", "k"
_LOSSES, _REPLAYS, _OUTCOMES = "w", "n", "o"
_LOSS, _REPLAY, _OUTCOME = "l", "r", "e"
_TAGS = tuple(OutcomeTag)
_BITS = 2
"""Of an outcome: its place in `OutcomeTag`."""


@dataclass(frozen=True)
class Chunk:
    """The slots of a chunk, as they stand.

    `losses` are float32, NaN where nothing is. A slot that was never replayed has the highest loss
    that was known when it was filled. `ends` are the places of outcomes in `OutcomeTag`.
    `opened_at` and `newest` are microseconds since 1970.
    """

    number: int
    lap: int
    domain: int
    opened_at: int
    newest: int
    changes: int
    losses: NDArray[np.float32]
    replays: NDArray[np.int64]
    ends: NDArray[np.uint8]

    @classmethod
    def of(cls, item: Item) -> Self:
        """Read a chunk's item."""
        losses = np.frombuffer(_bytes(item[_LOSSES]), _FLOAT).astype(np.float32)
        replays = np.frombuffer(_bytes(item[_REPLAYS]), np.uint8).astype(np.int64)
        ends = _ends_in(_bytes(item[_OUTCOMES]), len(losses))
        for kind, slot, value in _changes_in(item):
            if kind == _LOSS:
                losses[slot] = np.frombuffer(_bytes(value), _FLOAT)[0]
            elif kind == _REPLAY:
                replays[slot] += int(value)
            else:
                ends[slot] = int(value)
        return cls(
            number=int(item["sk"]),
            lap=int(item[_LAP]),
            domain=int(item[_DOMAIN]),
            opened_at=int(item[_OPENED]),
            newest=int(item[_NEWEST]),
            changes=int(item[_CHANGES]),
            losses=losses,
            replays=np.minimum(replays, MOST_REPLAYS),
            ends=ends,
        )

    @property
    def live(self) -> Slots:
        """The slots where something is."""
        return np.flatnonzero(~np.isnan(self.losses))

    @property
    def outcomes(self) -> dict[OutcomeTag, int]:
        """How many trajectories ended how."""
        counts = np.bincount(self.ends[self.live], minlength=len(_TAGS)).tolist()
        return dict(zip(_TAGS, counts, strict=True))

    def priorities(self, alpha: float, epsilon: float) -> Floats:
        """Return the priority of each slot; 0 where nothing is."""
        priorities = priorities_of(self.losses.astype(np.float64), alpha, epsilon)
        return np.where(np.isnan(self.losses), 0.0, priorities)


def empty_chunk(
    buffer: str, number: int, width: int, *, lap: int, domain: int, opened_at: int
) -> Item:
    """Return the item of a chunk in which nothing is."""
    nothing = np.full(width, np.nan, dtype=_FLOAT)
    return replay_keys.chunk(buffer, number) | {
        _LAP: lap,
        _DOMAIN: domain,
        _OPENED: opened_at,
        _NEWEST: opened_at,
        _CHANGES: 0,
        _LOSSES: nothing.tobytes(),
        _REPLAYS: bytes(width),
        _OUTCOMES: _bytes_of_ends(np.zeros(width, dtype=np.uint8)),
    }


def filling(
    buffer: str, number: int, lap: int, slot: int, *, loss: float, outcome: OutcomeTag, now: int
) -> Update:
    """Return the write that puts something into a slot, if the chunk is at this lap."""
    return Update(
        table=REPLAY,
        key=replay_keys.chunk(buffer, number),
        values={
            f"{_LOSS}{slot}": _bytes_of(loss),
            f"{_OUTCOME}{slot}": _TAGS.index(outcome),
            _NEWEST: now,
        },
        counts={_CHANGES: 1},
        condition=equals(_LAP, lap),
    )


def telling(buffer: str, number: int, lap: int, told: dict[int, tuple[float, int]]) -> Update:
    """Return the write that tells slots their losses, and how often, if the lap is still this."""
    return Update(
        table=REPLAY,
        key=replay_keys.chunk(buffer, number),
        values={f"{_LOSS}{slot}": _bytes_of(loss) for slot, (loss, _) in told.items()},
        counts={_CHANGES: len(told)},
        adds={f"{_REPLAY}{slot}": times for slot, (_, times) in told.items()},
        condition=equals(_LAP, lap),
    )


def packing(buffer: str, item: Item, chunk: Chunk) -> Update:
    """Return the write that packs a chunk's changes, if none has come since it was read."""
    return Update(
        table=REPLAY,
        key=replay_keys.chunk(buffer, chunk.number),
        values={
            _LOSSES: chunk.losses.astype(_FLOAT).tobytes(),
            _REPLAYS: chunk.replays.astype(np.uint8).tobytes(),
            _OUTCOMES: _bytes_of_ends(chunk.ends),
            _CHANGES: 0,
        },
        removes=[f"{kind}{slot}" for kind, slot, _ in _changes_in(item)],
        condition=equals(_LAP, chunk.lap) & equals(_CHANGES, chunk.changes),
    )


def still(lap: int, newest: int) -> Condition:
    """Hold when nothing has come into a chunk since."""
    return equals(_LAP, lap) & equals(_NEWEST, newest)


def is_to_be_packed(item: Item, width: int) -> bool:
    """Whether a chunk carries many changes; in a small one each is many, for the directory's sake.

    The directory learns of changes when they are packed: until then a tenth of a chunk, at most,
    weighs something else than it says there.
    """
    return int(item[_CHANGES]) >= max(1, min(MOST_CHANGES, width // 10))


def _changes_in(item: Item) -> Iterator[tuple[str, int, Value]]:
    """Give the changes that are beside what is packed: the kind, the slot, the value."""
    for name, value in item.items():
        if name[0] in (_LOSS, _REPLAY, _OUTCOME) and name[1:].isdigit():
            yield name[0], int(name[1:]), value


def _bytes_of_ends(ends: NDArray[np.uint8]) -> bytes:
    """Pack the places of outcomes, four to a byte."""
    return np.packbits(np.unpackbits(ends[:, None], axis=1)[:, -_BITS:]).tobytes()


def _ends_in(packed: bytes, width: int) -> NDArray[np.uint8]:
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=width * _BITS)
    return (bits[0::2] << 1 | bits[1::2]).astype(np.uint8)


def _bytes_of(loss: float) -> bytes:
    return np.array(loss, dtype=_FLOAT).tobytes()


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"{value!r:.60} is not binary")
    return value
