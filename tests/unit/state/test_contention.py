"""When others keep changing the state: tried again with pauses, and given up without one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from daybook import MemoryManager, StaleStateError
from daybook.settings import Settings
from daybook.state import create_checkpoint, create_if_changed, load, rollback
from daybook.state.state_items import TRIES
from daybook.store import Store
from daybook.store.batching import Backoff
from daybook.testing import local_aws
from tests.faults.clients import CountingClient

VERBS: dict[str, Callable[[Store, str], object]] = {
    "create_checkpoint": lambda store, agent: create_checkpoint(store, agent, keep=0),
    "create_if_changed": lambda store, agent: create_if_changed(store, agent, keep=0),
    "rollback": lambda store, agent: rollback(store, agent, keep=0),
    "take over": lambda store, agent: load(store, agent, take_over=True),
}


@dataclass
class RivalClient(CountingClient):
    """Lets somebody else save right before each write."""

    save: Callable[[], None] = lambda: None
    pauses: list[float] = field(default_factory=list)

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call, perhaps too late."""
        if self.calls[-1] in {"update_item", "transact_write_items"}:
            self.save()
        return call()

    def sleep(self, seconds: float) -> None:
        """Note a pause among the calls."""
        self.pauses.append(seconds)
        self.calls.append("pause")


@pytest.fixture
def memory() -> Iterator[MemoryManager]:
    """Give an agent with a state and a checkpoint, on moto."""
    with local_aws(settings=Settings()) as manager:
        made = MemoryManager("scout", manager)
        made.save_state({"n": 1})
        made.create_checkpoint()
        made.save_state({"n": 2}, 1)
        yield made


@pytest.mark.parametrize("verb", VERBS)
def test_whoever_is_always_too_late(memory: MemoryManager, verb: str) -> None:
    """It is tried ten times, with longer and longer pauses, and the last failure is told at once.

    Nothing is read that is not used.
    """

    def save() -> None:
        state = memory.load_state()
        assert state is not None
        memory.save_state({"n": state.version + 1}, state.version)

    client = RivalClient(memory.store.dynamodb, save=save)
    backoff = Backoff(sleep=client.sleep, draw=lambda: 1.0)
    store = replace(memory.store, dynamodb=cast("Any", client), backoff=backoff)
    with pytest.raises(StaleStateError, match=f"{TRIES} times in a row"):
        VERBS[verb](store, memory.agent_id)
    assert client.pauses == [min(5.0, 0.05 * 2**n) for n in range(TRIES - 1)]
    writes = [call for call in client.calls if call in {"update_item", "transact_write_items"}]
    assert len(writes) == TRIES
    if verb == "take over":
        assert client.calls == ["get_item", "update_item", "pause"] * (TRIES - 1) + [
            "get_item",
            "update_item",
        ]


def test_taking_over_tells_what_stands(memory: MemoryManager) -> None:
    """The version that the last of the others has written."""
    saved = [2]

    def save() -> None:
        saved.append(memory.save_state({"n": 0}, saved[-1]).version)

    client = RivalClient(memory.store.dynamodb, save=save)
    backoff = Backoff(sleep=lambda _: None)
    store = replace(memory.store, dynamodb=cast("Any", client), backoff=backoff)
    with pytest.raises(StaleStateError) as told:
        load(store, memory.agent_id, take_over=True)
    assert told.value.found == saved[-1] == 2 + TRIES
