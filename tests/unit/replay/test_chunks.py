"""Chunks as items: what is packed, what is beside it, and that both say the same."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.models.trajectories import OutcomeTag
from daybook.replay.chunks import (
    MOST_CHANGES,
    MOST_REPLAYS,
    Chunk,
    empty_chunk,
    filling,
    is_to_be_packed,
    packing,
    telling,
)
from daybook.replay.places import WIDEST, Place
from daybook.store.attributes import Item, size
from daybook.store.requests import Update

LONGEST_NAME = "b" * 60

fills = st.tuples(
    st.integers(0, 9), st.floats(0, 1e6, width=32), st.sampled_from(list(OutcomeTag))
)
tells = st.tuples(st.integers(0, 9), st.floats(-1e6, 1e6, width=32), st.integers(1, 200))


def applied(item: Item, update: Update) -> Item:
    """Return an item as DynamoDB leaves it after an update whose condition holds."""
    changed: dict[str, Any] = item | update.values
    for name, count in update.counts.items():
        changed[name] = int(item[name]) + count
    for name, count in update.adds.items():
        changed[name] = int(item.get(name, 0)) + count
    return {name: value for name, value in changed.items() if name not in update.removes}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(fills, tells, st.just("pack")), max_size=40))
def test_packing_changes_nothing(steps: list[Any]) -> None:
    """Fills and losses in any order, packed at any time, read as if never packed."""
    loose = packed = empty_chunk("b", 3, 10, lap=2, domain=1, opened_at=5)
    losses: dict[int, float] = {}
    replays: dict[int, int] = {}
    ends: dict[int, OutcomeTag] = {}
    for step in steps:
        if step == "pack":
            packed = applied(packed, packing("b", packed, Chunk.of(packed)))
            continue
        slot, loss, more = step
        losses[slot] = loss
        if isinstance(more, OutcomeTag):
            ends[slot] = more
            update = filling("b", 3, 2, slot, loss=loss, outcome=more, now=9)
        else:
            replays[slot] = replays.get(slot, 0) + more
            update = telling("b", 3, 2, {slot: (loss, more)})
        loose, packed = applied(loose, update), applied(packed, update)
    for chunk in (Chunk.of(loose), Chunk.of(packed)):
        assert chunk.live.tolist() == sorted(losses)
        assert chunk.losses[chunk.live].tolist() == [losses[slot] for slot in sorted(losses)]
        assert chunk.replays.tolist() == [
            min(replays.get(slot, 0), MOST_REPLAYS) for slot in range(10)
        ]
        told = [ends.get(slot, OutcomeTag.SUCCESS) for slot in sorted(losses)]
        assert chunk.outcomes == {tag: told.count(tag) for tag in OutcomeTag}
        assert (chunk.number, chunk.lap, chunk.domain, chunk.opened_at) == (3, 2, 1, 5)


@pytest.mark.parametrize("is_filling", [True, False], ids=["filling", "telling"])
def test_chunk_with_its_changes_is_a_write_unit(is_filling: bool) -> None:
    """The widest chunk stays under a kilobyte until it is packed, whatever is changed."""
    item = empty_chunk(LONGEST_NAME, 10**8, WIDEST, lap=10**6, domain=10**3, opened_at=10**15)
    for slot in range(100, 100 + MOST_CHANGES):
        assert not is_to_be_packed(item, WIDEST)
        fill = filling("b", 0, 1, slot, loss=1.2, outcome=OutcomeTag.PARTIAL, now=10**15)
        item = applied(item, fill if is_filling else telling("b", 0, 1, {slot: (1.2, 30)}))
    assert is_to_be_packed(item, WIDEST)
    assert size(item) <= 1024


@pytest.mark.parametrize(("width", "most"), [(1, 1), (9, 1), (40, 4), (128, 12)])
def test_small_chunks_are_packed_sooner(width: int, most: int) -> None:
    """The directory is never more than a tenth of a chunk behind."""
    item = empty_chunk("b", 0, width, lap=1, domain=0, opened_at=0)
    assert not is_to_be_packed(item | {"k": most - 1}, width)
    assert is_to_be_packed(item | {"k": most}, width)


def test_priorities_of_nothing_are_zero() -> None:
    """A slot where nothing is has no weight, whatever the exponent."""
    item = empty_chunk("b", 0, 4, lap=1, domain=0, opened_at=0)
    filled = applied(item, filling("b", 0, 1, 2, loss=2, outcome=OutcomeTag.SUCCESS, now=0))
    for alpha in (0.0, 0.6, 4.0):
        weights = Chunk.of(filled).priorities(alpha, 1e-6)
        assert np.flatnonzero(weights).tolist() == [2]


@given(st.integers(0, (1 << 27) - 1), st.integers(0, (1 << 28) - 1), st.integers(0, 127))
def test_places_read_back(lap: int, chunk: int, slot: int) -> None:
    """A place is one number of 63 bits, and one text."""
    place = Place(lap, chunk, slot)
    assert Place.of_number(place.number) == place
    assert Place.of_text(place.text) == place
    assert 0 <= place.number < 1 << 63
