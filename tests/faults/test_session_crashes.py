"""Compaction dies at each of its calls, or is overtaken there; no memory is ever lost."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from daybook import AWSClientManager, MemoryManager, SessionBusyError
from daybook.sessions import compact, session_items
from daybook.sessions.session_items import Compacted
from daybook.store import MEMORY, Store
from daybook.testing import local_aws
from tests.faults.clients import (
    CountingClient,
    DeadError,
    DyingClient,
    HeldClient,
    RepeatingClient,
)

FIRST, LATER = 30, 20
SAID = [{"n": number} for number in range(FIRST + LATER)]
Compaction = Callable[[Store, str, str, str], object]


def careless(store: Store, agent_id: str, session_id: str, token: str) -> None:
    """Compact as no one should: remove the originals, then write what they were."""
    items = session_items.read_all(store, agent_id, session_id)
    before = session_items.read_compacted(store, agent_id, session_id)
    fresh = [session_items.read_entry(store, item) for item in items]
    store.delete_all(MEMORY, [{"pk": item["pk"], "sk": item["sk"]} for item in items])
    made = Compacted(before.revision + 1, token, 1, 1, [*before.entries, *fresh])
    store.put(MEMORY, session_items.compacted_item(store, agent_id, session_id, made))


def prepared(manager: AWSClientManager) -> MemoryManager:
    """Give an agent with a session of which a part is compacted."""
    memory = MemoryManager(f"agent-{uuid4().hex}", manager)
    for said in SAID[:FIRST]:
        memory.remember("s", said)
    memory.compact_session("s")
    for said in SAID[FIRST:]:
        memory.remember("s", said)
    return memory


@pytest.fixture
def memory(database: AWSClientManager) -> MemoryManager:
    """Give that agent, on DynamoDB Local."""
    return prepared(database)


def said(memory: MemoryManager) -> list[Any]:
    """Return what the session's memories say."""
    return [each.content for each in memory.read_session("s")]


def dies(memory: MemoryManager, compaction: Compaction, call: int, *, after: bool) -> None:
    """Have a compaction die."""
    client: Any = DyingClient(memory.store.dynamodb, dies_at=call, after_effect=after)
    with pytest.raises(DeadError):
        compaction(replace(memory.store, dynamodb=client), memory.agent_id, "s", "dead")


def calls_of(memory: MemoryManager, compaction: Compaction) -> list[str]:
    """Return the calls that a compaction makes when nothing happens to it."""
    client: Any = CountingClient(memory.store.dynamodb)
    compaction(replace(memory.store, dynamodb=client), memory.agent_id, "s", "alive")
    return list(client.calls)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 5))
def test_a_compaction_dies(memory: MemoryManager, call: int, after: bool) -> None:
    """At any call, before or after its effect: all is there, once, and the next one finishes."""
    dies(memory, compact, call, after=after)
    assert said(memory) == SAID
    memory.remember("s", "later")
    assert said(memory) == [*SAID, "later"]
    assert memory.compact_session("s").memories == len(SAID) + 1
    assert said(memory) == [*SAID, "later"]
    assert session_items.read_all(memory.store, memory.agent_id, "s") == []


def test_every_call_was_tried(memory: MemoryManager) -> None:
    """The control: a compaction makes as many calls as were died at above."""
    assert calls_of(memory, compact) == ["query", "get_item", "put_item", "batch_write_item"]


def test_removing_first_loses_memories(memory: MemoryManager) -> None:
    """The control that must fail: the other way round, what was removed is gone."""
    made = calls_of(prepared(memory.client_manager), careless)
    assert made == ["query", "get_item", "batch_write_item", "put_item"]
    dies(memory, careless, made.index("put_item") + 1, after=False)
    assert said(memory) == SAID[:FIRST]


def test_answers_are_lost(memory: MemoryManager) -> None:
    """Each call is made twice: a write that stands already is our own."""
    client: Any = RepeatingClient(memory.store.dynamodb)
    done = compact(replace(memory.store, dynamodb=client), memory.agent_id, "s", "twice")
    assert (done.memories, done.compacted) == (len(SAID), LATER)
    assert said(memory) == SAID


@pytest.mark.parametrize("call", range(1, 5))
def test_others_come_in_between(memory: MemoryManager, call: int) -> None:
    """Before each call another compacts, and somebody remembers and reads: nothing is lost."""
    client: Any = HeldClient(memory.store.dynamodb, holds_at=(call,))
    held = replace(memory.store, dynamodb=client)
    worker = threading.Thread(target=compact, args=(held, memory.agent_id, "s", "slow"))
    worker.start()
    assert client.wait_until_held(worker)
    memory.remember("s", "in between")
    assert memory.compact_session("s").memories == len(SAID) + 1
    memory.remember("s", "and later")
    assert said(memory) == [*SAID, "in between", "and later"]
    client.go_on()
    worker.join()
    assert said(memory) == [*SAID, "in between", "and later"]
    assert memory.compact_session("s").memories == len(SAID) + 2
    assert said(memory) == [*SAID, "in between", "and later"]


def test_many_at_once(memory: MemoryManager) -> None:
    """Writers, readers and compactions together: whoever has written finds it from then on."""

    def write(thread: int) -> list[str]:
        own = MemoryManager(memory.agent_id, memory.client_manager)
        written: list[str] = []
        for number in range(8):
            text = f"{thread}-{number}"
            own.remember("s", text)
            written.append(text)
            found = said(own)
            assert [each for each in found if each in written] == written
        return written

    def shrink(_: int) -> list[str]:
        for _ in range(6):
            try:
                memory.compact_session("s")
            except SessionBusyError:
                continue
        return []

    with ThreadPoolExecutor(5) as pool:
        jobs = [pool.submit(shrink if n > 2 else write, n) for n in range(5)]
    written = [text for job in jobs for text in job.result()]
    memory.compact_session("s")
    found = said(memory)
    assert found[: len(SAID)] == SAID
    assert sorted(found[len(SAID) :]) == sorted(written)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_it_dies_at_the_bucket(after: bool) -> None:
    """A body for S3 that was not written, or to which nothing points yet: all is there."""
    large = [uuid4().hex * 2000 for _ in range(10)]
    with local_aws() as manager:
        memory = MemoryManager("agent", manager)
        for each in large:
            memory.remember("s", each)
        noise = "".join(uuid4().hex for _ in range(30_000))
        memory.remember("s", noise)
        client: Any = DyingClient(manager.s3(), dies_at=2, after_effect=after)
        with pytest.raises(DeadError):
            compact(replace(memory.store, s3=lambda: client), "agent", "s", "dead")
        assert said(memory) == [*large, noise]
        assert memory.compact_session("s").memories == 11
        assert said(memory) == [*large, noise]
