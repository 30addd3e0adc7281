"""Working memory: everything is read back in order, packed or not, and what goes is counted."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import InvalidInputError, WorkingMemoryConfig
from daybook.loops.working_memory import MOST_BYTES, WorkingMemory

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=5,
)


def observation(number: int) -> dict[str, Any]:
    """Make what an agent might note."""
    return {
        "n": number,
        "symbol": ["BTC", "ETH", "SOL"][number % 3],
        "trend": "up" if number % 7 else "down",
        "note": "the price moved as the pattern said it would",
        "price": 45_000 + number * 0.25,
    }


@given(st.lists(JSON, max_size=40), st.integers(1, 5))
def test_what_was_remembered_is_recollected(entries: list[Any], bound: int) -> None:
    """In order, and as it was, however much of it is packed."""
    memory = WorkingMemory(WorkingMemoryConfig(max_entries=bound))
    for entry in entries:
        memory.remember(entry)
    assert list(memory.recollect()) == entries
    metrics = memory.metrics()
    assert (metrics.entries, metrics.forgotten) == (len(entries), 0)
    assert (metrics.blocks > 0) == (len(entries) > bound)


def test_ordinary_entries_shrink() -> None:
    """Ten thousand notes take less than an eighth of their size, and the ratio says so."""
    memory = WorkingMemory(WorkingMemoryConfig())
    for number in range(10_000):
        memory.remember(observation(number))
    metrics = memory.metrics()
    assert metrics.compression_ratio is not None
    assert metrics.compression_ratio > 8
    assert metrics.compression_ratio == metrics.unpacked_bytes / metrics.packed_bytes
    assert metrics.plain_bytes <= WorkingMemoryConfig().max_bytes
    assert list(memory.recollect()) == [observation(number) for number in range(10_000)]


def test_bytes_are_bounded_too() -> None:
    """A few large entries are packed before there are many."""
    memory = WorkingMemory(WorkingMemoryConfig(max_bytes=1_000))
    for number in range(9):
        memory.remember(str(number) * 400)
        assert memory.metrics().plain_bytes <= 1_000
    assert memory.metrics().blocks > 0
    assert list(memory.recollect()) == [str(number) * 400 for number in range(9)]


def test_the_oldest_block_is_forgotten_and_counted() -> None:
    """Over the bound of the blocks the oldest entries go, and the rest is as it was."""
    memory = WorkingMemory(WorkingMemoryConfig(max_entries=10, max_blocks=3))
    for number in range(1_000):
        memory.remember(number)
    metrics = memory.metrics()
    assert metrics.blocks == 3
    assert metrics.forgotten > 0
    assert metrics.entries + metrics.forgotten == 1_000
    assert list(memory.recollect()) == list(range(metrics.forgotten, 1_000))


def test_nothing_is_there_at_first() -> None:
    """An empty memory has no ratio."""
    memory = WorkingMemory(WorkingMemoryConfig())
    assert list(memory.recollect()) == []
    assert memory.metrics().compression_ratio is None


def test_recollecting_is_of_one_moment() -> None:
    """What is remembered meanwhile is not in it, and does not disturb it."""
    memory = WorkingMemory(WorkingMemoryConfig(max_entries=2, max_blocks=2))
    for number in range(5):
        memory.remember(number)
    before = list(memory.recollect())
    reading = memory.recollect()
    for number in range(100):
        memory.remember(number)
    assert list(reading) == before


def test_an_entry_is_a_copy() -> None:
    """What becomes of the caller's object later, or of what was read, changes nothing."""
    memory = WorkingMemory(WorkingMemoryConfig())
    entry = {"seen": [1]}
    memory.remember(entry)
    entry["seen"].append(2)
    (read,) = memory.recollect()
    read["seen"].append(3)
    assert list(memory.recollect()) == [{"seen": [1]}]


def test_threads_lose_nothing() -> None:
    """Eight threads remember while others read: every entry is there once."""
    memory = WorkingMemory(WorkingMemoryConfig(max_entries=50, max_blocks=10_000))

    def work(worker: int) -> None:
        for number in range(200):
            memory.remember([worker, number])
            memory.metrics()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = list(memory.recollect())
    for worker in range(8):
        assert [entry for entry in kept if entry[0] == worker] == [[worker, n] for n in range(200)]


@pytest.mark.parametrize(
    "entry",
    [object(), float("nan"), {1: 2}, "\ud800"],
    ids=["an object", "NaN", "a number as key", "a surrogate"],
)
def test_what_is_not_json_is_refused(entry: object) -> None:
    """And the memory is as it was."""
    memory = WorkingMemory(WorkingMemoryConfig())
    with pytest.raises(InvalidInputError, match="the entry is not JSON"):
        memory.remember(entry)
    assert memory.metrics().entries == 0


def test_an_entry_over_the_bound_is_refused() -> None:
    """An entry that would fill the memory alone pushes nothing out."""
    memory = WorkingMemory(WorkingMemoryConfig(max_bytes=100))
    memory.remember("x" * 98)
    with pytest.raises(InvalidInputError, match=r"101 bytes of JSON.*holds 100"):
        memory.remember("x" * 99)
    assert memory.metrics().entries == 1


@pytest.mark.parametrize("name", ["max_entries", "max_bytes", "max_blocks"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_bounds_that_cannot_be(name: str, value: Any) -> None:
    """Each is refused, and the error names it."""
    with pytest.raises(InvalidInputError, match=name):
        WorkingMemoryConfig(**{name: value})


def test_the_largest_bound_can_be_read_back() -> None:
    """A block of what the largest memory holds is inflated; a larger one is not to be had."""
    memory = WorkingMemory(WorkingMemoryConfig(max_bytes=MOST_BYTES))
    large = "x" * (MOST_BYTES - 2)
    for _ in range(3):
        memory.remember(large)
    assert all(entry == large for entry in memory.recollect())
    assert memory.metrics().blocks > 0
    with pytest.raises(InvalidInputError, match="whole number from 1 to 16,777,216"):
        WorkingMemoryConfig(max_bytes=MOST_BYTES + 1)
