"""The list of who is there that a handle keeps for a while: read seldom, and never too old."""

import threading
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from daybook import AWSClientManager, MemoryManager, MultiAgentCoordinator
from daybook.settings import Settings
from daybook.signals import Directory, register
from daybook.signals.registry import unknown_among
from daybook.store import Store
from daybook.testing import local_aws
from tests.clocks import Clock
from tests.faults.clients import CountingClient, HeldClient

AGENTS = ["risk", "scout", "strategist"]


@pytest.fixture
def clock() -> Clock:
    """Give the clock."""
    return Clock()


@pytest.fixture
def manager(clock: Clock) -> Iterator[AWSClientManager]:
    """Give a manager on moto, where three agents are registered."""
    with local_aws(settings=Settings(), clock=clock) as made:
        for agent_id in AGENTS:
            register(made.store, agent_id)
        yield made


@dataclass
class SlowClient(CountingClient):
    """Takes four seconds for every call."""

    clock: Clock | None = None

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call, slowly."""
        assert self.clock is not None
        self.clock.advance(seconds=4)
        return call()


@dataclass
class ReadingClient(CountingClient):
    """Lets somebody read the registry right before each write."""

    read: Callable[[], Container[str]] = list

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call, perhaps after another."""
        if self.calls[-1] != "query":
            self.read()
        return call()


def over(store: Store, client: object) -> Store:
    """Return the store over another client."""
    return replace(store, dynamodb=cast("Any", client))


def test_a_slow_registry_is_read_once(manager: AWSClientManager, clock: Clock) -> None:
    """However many targets are looked for, and for three seconds after the answer."""
    client = SlowClient(manager.dynamodb, clock=clock)
    store = over(manager.store, client)
    directory = Directory()
    assert unknown_among(store, "boss", AGENTS, directory) == []
    clock.advance(seconds=2.9)
    assert sorted(directory.cards(store)) == AGENTS
    assert client.calls == ["query"]
    clock.advance(seconds=0.1)
    directory.cards(store)
    assert client.calls == ["query"] * 2


def test_what_is_forgotten_while_it_is_read_is_read_again(manager: AWSClientManager) -> None:
    """A reading that began before does not count as one from after."""
    client = HeldClient(manager.dynamodb, holds_at=(1,))
    store = over(manager.store, client)
    directory = Directory()
    reader = threading.Thread(target=directory.cards, args=[store])
    reader.start()
    assert client.wait_until_held(reader)
    forgetter = threading.Thread(target=directory.forget)
    forgetter.start()
    forgetter.join(timeout=0.1)
    client.go_on()
    for thread in (reader, forgetter):
        thread.join(timeout=10)
    directory.cards(store)
    assert client.calls == ["query"] * 2


@pytest.fixture
def reading(manager: AWSClientManager) -> tuple[AWSClientManager, ReadingClient]:
    """Give a manager whose client lets somebody read before each write."""
    client = ReadingClient(manager.dynamodb)
    made = AWSClientManager(dynamodb=cast("Any", client), settings=Settings(), clock=manager.clock)
    return made, client


def test_an_agent_that_registers_is_there_at_once(
    reading: tuple[AWSClientManager, ReadingClient],
) -> None:
    """Also when another thread has read who is there right before it was written."""
    manager, client = reading
    agent = MemoryManager("new", manager)
    client.read = lambda: agent._directory.cards(manager.store)  # noqa: SLF001
    agent.register()
    assert "new" in client.read()
    agent.unregister()
    assert "new" not in client.read()


def test_an_agent_that_is_registered_is_there_at_once(
    reading: tuple[AWSClientManager, ReadingClient],
) -> None:
    """By a coordinator, as by itself."""
    manager, client = reading
    coordinator = MultiAgentCoordinator(manager)
    client.read = lambda: coordinator._directory.cards(manager.store)  # noqa: SLF001
    coordinator.register("new")
    assert "new" in client.read()
    coordinator.unregister("new")
    assert "new" not in client.read()
