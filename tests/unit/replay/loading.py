"""A buffer of any size, written straight into the tables, for tests of what large ones cost."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from daybook import OutcomeTag, Trajectory
from daybook.replay.chunks import empty_chunk
from daybook.replay.config import ReplayConfig
from daybook.replay.directory import KINDS, PAGE, BufferFacts, Head, code_of
from daybook.replay.places import WIDEST, Place
from daybook.replay.priorities import priorities_of
from daybook.replay.shelf import TRAJECTORY_CODEC
from daybook.store import REPLAY, Store, pack, replay_keys
from daybook.store.attributes import Item
from daybook.store.batching import cut

DOMAIN = "default"
OPENED = 1_770_000_000_000_000
_SMALL = Trajectory(
    trajectory_id="t",
    agent_id="scout",
    task_description="find a price",
    final_outcome=OutcomeTag.SUCCESS,
    reward=1.0,
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
).model_dump(mode="json")


def load(store: Store, buffer: str, count: int, config: ReplayConfig) -> None:
    """Write `count` trajectories, with losses that differ by orders of magnitude."""
    chunks = -(-count // WIDEST)
    losses = np.random.default_rng(count).gamma(0.3, size=(chunks, WIDEST)).astype(">f4")
    sums = priorities_of(losses.astype(np.float64), config.alpha, config.epsilon).sum(axis=1)
    for number, own in enumerate(losses):
        store.put_all(REPLAY, list(_chunk(store, buffer, number, own)))
    columns: dict[str, list[Any]] = {
        replay_keys.SUMS: [code_of(float(each)) for each in sums],
        replay_keys.COUNTS: [WIDEST] * chunks,
        replay_keys.OPENED: [OPENED // 1_000_000 + number for number in range(chunks)],
        replay_keys.TURNS: list(range(chunks)),
        replay_keys.DOMAINS: [0] * chunks,
    }
    for part, values in columns.items():
        for number, page in enumerate(cut(values, PAGE)):
            kept = np.array(list(page), dtype=KINDS[part]).tobytes()
            key = replay_keys.page(buffer, part, number)
            store.put(REPLAY, key | {"page": kept, "revision": 1})
    facts = BufferFacts(width=WIDEST, chunks=chunks, openings=chunks, domains=1)
    store.put(REPLAY, replay_keys.buffer_item(buffer) | facts.values())
    head = Head(DOMAIN, 0, chunks - 1, 1, WIDEST)
    store.put(REPLAY, replay_keys.head(buffer, DOMAIN) | head.values())


def _chunk(store: Store, buffer: str, number: int, losses: np.ndarray) -> Iterator[Item]:
    blank = empty_chunk(buffer, number, WIDEST, lap=1, domain=0, opened_at=OPENED + number)
    yield blank | {"w": losses.tobytes()}
    for slot in range(WIDEST):
        place = Place(1, number, slot)
        facts: Item = {"lap": 1, "id": place.text, "at": OPENED}
        key = replay_keys.trajectory(buffer, number, slot)
        own = _SMALL | {"trajectory_id": place.text}
        yield pack(store, TRAJECTORY_CODEC, "", key | facts, own)
