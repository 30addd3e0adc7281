"""The saver and the store, awaited: nothing that waits for AWS does so on the loop's thread."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from threading import get_ident
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import PutOp

from daybook import AWSClientManager
from daybook.adapters.langgraph import DaybookSaver, DaybookStore
from daybook.settings import Settings
from tests.faults.clients import CountingClient
from tests.unit.adapters.langgraph.drafts import chain, checkpoint, config, metadata


class Watched(AWSClientManager):
    """Notes in which threads its client is asked for, and with it makes requests."""

    def __init__(self, manager: AWSClientManager) -> None:
        asked_in = self.asked_in = set[int]()

        class Watching(CountingClient):
            def made(self, call: Callable[[], Any]) -> Any:
                asked_in.add(get_ident())
                return call()

        client: Any = Watching(manager.dynamodb)
        super().__init__(dynamodb=client, settings=Settings())

    @property
    def dynamodb(self) -> Any:
        """The client, which an application's first call has to make."""
        self.asked_in.add(get_ident())
        return super().dynamodb


async def drained(found: AsyncIterator[Any]) -> None:
    """Take all of them."""
    assert [one async for one in found]


AT = config("t", checkpoint_id="1")
METHODS: dict[str, Callable[[DaybookSaver], Awaitable[object]]] = {
    "aget": lambda saver: saver.aget(config("t")),
    "aget_tuple": lambda saver: saver.aget_tuple(config("t")),
    "alist": lambda saver: drained(saver.alist(config("t"))),
    "alist of all": lambda saver: drained(saver.alist(None)),
    "aput": lambda saver: saver.aput(config("t"), checkpoint(), metadata(), {}),
    "aput_writes": lambda saver: saver.aput_writes(AT, [("c", 1)], "task"),
    "adelete_thread": lambda saver: saver.adelete_thread("t"),
    "adelete_for_runs": lambda saver: saver.adelete_for_runs(["r"]),
    "acopy_thread": lambda saver: saver.acopy_thread("t", "u"),
    "aprune": lambda saver: saver.aprune(["t"]),
    "aget_delta_channel_history": lambda saver: saver.aget_delta_channel_history(
        config=config("t"), channels=["c"]
    ),
}


def asked_on_the_loop(watched: Watched, call: Callable[[], Awaitable[object]]) -> bool:
    """Await a call; return whether the loop's own thread made the client or a request."""

    async def main() -> int:
        await call()
        return get_ident()

    own = asyncio.run(main())
    assert watched.asked_in
    return own in watched.asked_in


@pytest.mark.parametrize("name", METHODS)
def test_the_saver(with_bucket: AWSClientManager, agent_id: str, name: str) -> None:
    """The first call of an application, too, which makes the client."""
    chain(DaybookSaver(client_manager=with_bucket, agent_id=agent_id), "t", 3)
    watched = Watched(with_bucket)
    saver = DaybookSaver(client_manager=watched, agent_id=agent_id)
    assert not asked_on_the_loop(watched, lambda: METHODS[name](saver))


def test_every_method_of_the_saver_is_here() -> None:
    """A new one of LangGraph's has to be tried as well."""
    theirs = {
        name
        for name, method in vars(BaseCheckpointSaver).items()
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
    }
    assert theirs == METHODS.keys() - {"alist of all"}


def test_the_store(with_bucket: AWSClientManager, agent_id: str) -> None:
    """All of its methods are batches."""
    watched = Watched(with_bucket)
    store = DaybookStore(client_manager=watched, agent_id=agent_id)
    assert not asked_on_the_loop(watched, lambda: store.abatch([PutOp(("a",), "k", {"x": 1})]))


def test_the_control_is_seen(with_bucket: AWSClientManager, agent_id: str) -> None:
    """A call that is not handed to a thread is one on the loop's."""
    watched = Watched(with_bucket)
    store = DaybookStore(client_manager=watched, agent_id=agent_id)

    async def blocking() -> None:
        store.get(("a",), "k")

    assert asked_on_the_loop(watched, blocking)
