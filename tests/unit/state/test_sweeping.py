"""Bodies in the bucket: those that are needed stay, whatever is going on; the others go."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from daybook import BodyMissingError, MemoryManager
from daybook.state import create_checkpoint, load, save, sweep
from daybook.store import Store, keys, objects
from daybook.testing import local_aws
from tests.faults.clients import CountingClient


@pytest.fixture
def memory() -> Iterator[MemoryManager]:
    """Give an agent on moto, which has a bucket."""
    with local_aws() as manager:
        yield MemoryManager("agent", manager)


def large(seed: int) -> dict[str, Any]:
    """Make a state that goes to the bucket."""
    return {"seed": seed, "noise": [uuid4().hex for _ in range(25_000)]}


def versions(store: Store) -> list[int | None]:
    """Return the versions of which there are objects."""
    names = objects.list_bodies(store.s3(), str(store.bucket), keys.state_bodies("agent"))
    return [keys.version_of_body(name) for name in names]


def test_what_nothing_points_to_goes(memory: MemoryManager) -> None:
    """The current state and every checkpoint keep theirs."""
    kept = {}
    for version in range(1, 6):
        state = memory.save_state(large(version), version - 1)
        if version in {2, 4}:
            kept[memory.create_checkpoint().checkpoint_id] = state.data
    assert versions(memory.store) == [1, 2, 3, 4, 5]
    assert sweep(memory.store, "agent") == 2
    assert versions(memory.store) == [2, 4, 5]
    for checkpoint_id, data in kept.items():
        assert memory.get_checkpoint(checkpoint_id).data == data
    restored = memory.rollback(min(kept))
    # the replaced version has become a checkpoint, and the restored one has no object of its own
    assert sweep(memory.store, "agent") == 0
    assert memory.load_state() == restored
    memory.save_state({}, 6)
    create_checkpoint(memory.store, "agent", keep=1)
    assert sweep(memory.store, "agent") == 3
    assert versions(memory.store) == []


def test_what_is_not_daybooks_stays(memory: MemoryManager) -> None:
    """An object of another name, which an agent may write, holds up no sweep."""
    strangers = ["state/agent/x", "state/agent/1-x/y", "state/agent/٣/y", "state/agent/-/y"]
    for name in strangers:
        objects.put_body(memory.store.s3(), memory.store.bucket, name, b"x")
    for version in range(2):
        memory.save_state(large(version), version)
    assert sweep(memory.store, "agent") == 1
    left = objects.list_bodies(memory.store.s3(), str(memory.store.bucket), "state/agent/")
    assert set(strangers) < set(left)
    assert len(left) == len(strangers) + 1


def test_another_agents_bodies_stay(memory: MemoryManager) -> None:
    """Also those of one whose name starts the same."""
    other = MemoryManager("agent-2", memory.client_manager)
    other.save_state(large(1))
    memory.save_state({})
    assert sweep(memory.store, "agent") == 0
    assert other.load_state() is not None


def test_a_save_under_way_keeps_its_body(memory: MemoryManager) -> None:
    """The object of a version that does not stand yet is not garbage."""
    memory.save_state({"n": 1})

    class Held(CountingClient):
        """Sweeps before the item is written that points to the object."""

        def made(self, call: Callable[[], Any]) -> Any:
            sweep(memory.store, "agent")
            return call()

    client: Any = Held(memory.store.dynamodb)
    saved = save(replace(memory.store, dynamodb=client), "agent", large(2), 1)
    assert memory.load_state() == saved


def test_refused_saves_leave_nothing(memory: MemoryManager) -> None:
    """The object of a stale writer goes with the next sweep."""
    memory.save_state({"n": 1})
    memory.save_state({"n": 2}, 1)
    with pytest.raises(Exception, match="version 2 stands"):
        memory.save_state(large(0), 1)
    assert versions(memory.store) == [2]
    assert sweep(memory.store, "agent") == 1


def test_nothing_goes_while_others_write(memory: MemoryManager) -> None:
    """A pointer might be on its way from one item to another."""
    memory.save_state(large(1))
    memory.save_state(large(2), 1)

    class Busy(CountingClient):
        """Takes a checkpoint while the sweep is reading."""

        def made(self, call: Callable[[], Any]) -> Any:
            if self.calls[-1] == "query":
                memory.create_checkpoint()
            return call()

    client: Any = Busy(memory.store.dynamodb)
    assert sweep(replace(memory.store, dynamodb=client), "agent") == 0
    assert sweep(memory.store, "agent") == 1


def test_a_reader_that_is_overtaken(memory: MemoryManager) -> None:
    """The body of what it was about to read is gone, and it reads what stands instead."""
    memory.save_state(large(1))

    class Slow(CountingClient):
        """Lets a save and a sweep happen before the bucket is read."""

        def made(self, call: Callable[[], Any]) -> Any:
            if len(self.calls) == 1:
                memory.save_state(large(2), 1)
                sweep(memory.store, "agent")
            return call()

    client: Any = Slow(memory.client_manager.s3())
    state = load(replace(memory.store, s3=lambda: client), "agent")
    assert state is not None
    assert (state.version, state.data["seed"]) == (2, 2)


def test_a_body_that_is_lost(memory: MemoryManager) -> None:
    """It is a fault when nobody has gone on, and a rollback still works."""
    memory.save_state({"n": 1})
    memory.create_checkpoint()
    memory.save_state(large(2), 1)
    store = memory.store
    names = objects.list_bodies(store.s3(), str(store.bucket), keys.state_bodies("agent"))
    objects.delete_bodies(store.s3(), str(store.bucket), names)
    with pytest.raises(BodyMissingError):
        memory.load_state()
    with pytest.raises(BodyMissingError):
        memory.create_checkpoint()
    assert memory.rollback().data == {"n": 1}
