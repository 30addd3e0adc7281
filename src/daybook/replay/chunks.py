"""Chunks: up to 128 slots in one item of less than a kilobyte, written one slot at a time.

The losses of all slots are one binary attribute, their replay counts another. A change of one slot
is two small attributes beside them, set blindly and whole, on the condition that the lap is the
one meant: so it is one write unit, no writer overwrites another's, and a slot that is used again
takes no loss of the trajectory before. Now and then the changes are packed into the attributes.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from daybook.models.trajectories import OutcomeTag
from daybook.replay.priorities import priorities_of
from daybook.replay.sum_tree import Floats, Slots
from daybook.store import REPLAY, replay_keys
from daybook.store.attributes import Item
from daybook.store.expressions import Condition, equals
from daybook.store.requests import Update

MOST_CHANGES = 12
"""Changes that a chunk carries beside its losses; with them it still is under a kilobyte."""
MOST_REPLAYS = 255
"""Replay counts are bytes: they stay at this."""

_FLOAT = np.dtype(">f4")
_LAP, _DOMAIN, _OPENED, _NEWEST, _CHANGES = "lap", "dn", "at", "newest", "k"
_LOSSES, _REPLAYS = "w", "n"
_LOSS, _REPLAY = "l", "r"
_OUTCOMES = {tag: f"o{tag.value[0]}" for tag in OutcomeTag}


@dataclass(frozen=True)
class Chunk:
    """The slots of a chunk, as they stand.

    `losses` are float32, NaN where nothing is. A slot that was never replayed has the highest loss
    that was known when it was filled. `opened_at` and `newest` are microseconds since 1970.
    """

    number: int
    lap: int
    domain: int
    opened_at: int
    newest: int
    changes: int
    losses: NDArray[np.float32]
    replays: NDArray[np.int64]
    outcomes: dict[OutcomeTag, int]

    @classmethod
    def of(cls, item: Item) -> Self:
        """Read a chunk's item."""
        losses = np.frombuffer(_bytes(item[_LOSSES]), _FLOAT).astype(np.float32)
        replays = np.frombuffer(_bytes(item[_REPLAYS]), np.uint8).astype(np.int64)
        for name, value in item.items():
            slot = name[1:]
            if name[0] == _LOSS and slot.isdigit():
                losses[int(slot)] = np.frombuffer(_bytes(value), _FLOAT)[0]
            elif name[0] == _REPLAY and slot.isdigit():
                replays[int(slot)] += int(value)
        return cls(
            number=int(item["sk"]),
            lap=int(item[_LAP]),
            domain=int(item[_DOMAIN]),
            opened_at=int(item[_OPENED]),
            newest=int(item[_NEWEST]),
            changes=int(item[_CHANGES]),
            losses=losses,
            replays=np.minimum(replays, MOST_REPLAYS),
            outcomes={tag: int(item[name]) for tag, name in _OUTCOMES.items()},
        )

    @property
    def live(self) -> Slots:
        """The slots where something is."""
        return np.flatnonzero(~np.isnan(self.losses))

    def priorities(self, alpha: float, epsilon: float) -> Floats:
        """Return the priority of each slot; 0 where nothing is."""
        priorities = priorities_of(self.losses.astype(np.float64), alpha, epsilon)
        return np.nan_to_num(priorities, nan=0.0, posinf=0.0)


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
        **dict.fromkeys(_OUTCOMES.values(), 0),
    }


def filling(
    buffer: str, number: int, lap: int, slot: int, *, loss: float, outcome: OutcomeTag, now: int
) -> Update:
    """Return the write that puts something into a slot, if the chunk is at this lap."""
    return Update(
        table=REPLAY,
        key=replay_keys.chunk(buffer, number),
        values={_loss(slot): _bytes_of(loss), _NEWEST: now},
        counts={_CHANGES: 1, _OUTCOMES[outcome]: 1},
        condition=equals(_LAP, lap),
    )


def telling(buffer: str, number: int, lap: int, told: dict[int, tuple[float, int]]) -> Update:
    """Return the write that tells slots their losses, and how often, if the lap is still this."""
    return Update(
        table=REPLAY,
        key=replay_keys.chunk(buffer, number),
        values={_loss(slot): _bytes_of(loss) for slot, (loss, _) in told.items()},
        counts={_CHANGES: len(told)},
        adds={f"{_REPLAY}{slot}": times for slot, (_, times) in told.items()},
        condition=equals(_LAP, lap),
    )


def packing(buffer: str, item: Item, chunk: Chunk) -> Update:
    """Return the write that packs a chunk's changes, if none has come since it was read."""
    packed = (name for name in item if name[0] in (_LOSS, _REPLAY) and name[1:].isdigit())
    return Update(
        table=REPLAY,
        key=replay_keys.chunk(buffer, chunk.number),
        values={
            _LOSSES: chunk.losses.astype(_FLOAT).tobytes(),
            _REPLAYS: chunk.replays.astype(np.uint8).tobytes(),
            _CHANGES: 0,
        },
        removes=sorted(packed),
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


def _loss(slot: int) -> str:
    return f"{_LOSS}{slot}"


def _bytes_of(loss: float) -> bytes:
    return np.array(loss, dtype=_FLOAT).tobytes()


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"{value!r:.60} is not binary")
    return value
