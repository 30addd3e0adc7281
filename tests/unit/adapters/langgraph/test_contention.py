"""Writers that are always in each other's way, and what expires between two tries."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from daybook import AWSClientManager, ThrottledError
from daybook.adapters.langgraph import DaybookSaver
from daybook.adapters.langgraph.task_writes import TRIES
from daybook.store.batching import Backoff
from tests.clocks import Clock
from tests.faults.clients import CountingClient
from tests.unit.adapters.langgraph.drafts import chain, config, put


@dataclass
class RivalClient(CountingClient):
    """Lets something else happen right before each call of a name."""

    before: dict[str, Callable[[], object]] = field(default_factory=dict)

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call, perhaps too late."""
        self.before.get(self.calls[-1], lambda: None)()
        return call()


def saver_over(
    saver: DaybookSaver, client: RivalClient, pauses: list[float], **more: Any
) -> DaybookSaver:
    """Return the same agent's saver over another client, which notes its pauses."""
    plain = saver.client_manager
    manager = AWSClientManager(
        dynamodb=cast("Any", client), settings=plain.settings, clock=plain.clock
    )
    backoff = Backoff(sleep=pauses.append, draw=lambda: 1.0)
    manager.store = replace(manager.store, backoff=backoff)
    return DaybookSaver(client_manager=manager, agent_id=saver.agent_id, **more)


def test_a_task_whose_writes_others_keep_adding_to(saver: DaybookSaver) -> None:
    """Merged anew with pauses between the tries, and given up without one."""
    (at,) = chain(saver, "t", 1)
    added: list[tuple[str, int]] = []

    def add() -> None:
        added.append(("c", len(added)))
        saver.put_writes(at, added, "task")

    client = RivalClient(saver.client_manager.dynamodb, before={"put_item": add})
    pauses: list[float] = []
    own = saver_over(saver, client, pauses)
    many = [("c", -number) for number in range(3 * TRIES)]
    with pytest.raises(ThrottledError, match=f"{TRIES} times"):
        own.put_writes(at, many, "task")
    assert pauses == [0.05 * 2**n for n in range(TRIES - 1)]
    client.before.clear()
    own.put_writes(at, many, "task")


def test_a_follower_that_expires_between_two_tries(fenced: DaybookSaver, clock: Clock) -> None:
    """The first try is refused because of it; the next finds it gone, and writes."""
    chain(fenced, "t", 1)
    found = fenced.get_tuple(config("t"))
    assert found is not None
    passing = DaybookSaver(
        client_manager=fenced.client_manager,
        agent_id=fenced.agent_id,
        fenced=True,
        ttl=timedelta(hours=1),
    )
    put(passing, found.config, a=1)
    clock.advance(minutes=59, seconds=59)
    client = RivalClient(
        fenced.client_manager.dynamodb, before={"get_item": lambda: clock.advance(seconds=1)}
    )
    pauses: list[float] = []
    put(saver_over(fenced, client, pauses, fenced=True), found.config, b=2)
    assert client.calls.count("transact_write_items") == 2
    assert pauses == [0.05]
    latest = fenced.get_tuple(config("t"))
    assert latest is not None
    assert latest.checkpoint["channel_values"] == {"b": 2}
