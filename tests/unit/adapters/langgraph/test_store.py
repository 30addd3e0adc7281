"""The store beyond what InMemoryStore shows: lives, times, names, sizes, requests, faults."""

import asyncio
import os
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from langgraph.store.base import GetOp, InvalidNamespaceError, PutOp, SearchOp

from daybook import AWSClientManager, BodyTooLargeError, CapacityMeter, InvalidInputError
from daybook.adapters.langgraph import DaybookStore
from daybook.settings import Settings
from tests.clocks import Clock
from tests.faults.clients import DeadError, DyingClient

HOSTILE = ["", "#", "a.b", "a/b", "%23", "+", "I#", "ü", "日本語" * 100, "\x00", "*", " "]


def names(store: DaybookStore, *prefix: str) -> list[str]:
    """Return the keys of all documents under a prefix."""
    return [one.key for one in store.search(prefix, limit=1000)]


def test_times(store: DaybookStore, clock: Clock) -> None:
    """A document keeps the time of its first writing, and its place, until it is deleted."""
    for key in ("first", "second"):
        store.put(("a",), key, {"n": 1})
    began = clock.now
    clock.advance(days=1)
    store.put(("a",), "first", {"n": 0.1 + 0.2})
    found = store.get(("a",), "first")
    assert found is not None
    assert (found.created_at, found.updated_at) == (began, clock.now)
    assert found.value == {"n": 0.30000000000000004}
    assert names(store, "a") == ["first", "second"]
    store.delete(("a",), "first")
    store.put(("a",), "first", {"n": 2})
    found = store.get(("a",), "first")
    assert found is not None
    assert found.created_at == clock.now
    assert names(store, "a") == ["second", "first"]


def test_ttl(store: DaybookStore, clock: Clock) -> None:
    """A document that has expired is not there; reading it prolongs its life, if asked."""
    for key in ("read", "searched", "left", "looked at"):
        store.put(("a",), key, {"key": key}, ttl=60)
    store.put(("a",), "kept", {})
    clock.advance(minutes=40)
    assert store.get(("a",), "read") is not None
    assert store.get(("a",), "looked at", refresh_ttl=False) is not None
    assert store.search(("a",), filter={"key": "searched"})
    clock.advance(minutes=20)
    assert names(store, "a") == ["read", "searched", "kept"]
    assert store.get(("a",), "left") is None
    store.put(("a",), "read", {})
    clock.advance(days=1000)
    assert names(store, "a") == ["read", "kept"]
    began = clock.now
    store.put(("b",), "k", {}, ttl=1)
    clock.advance(minutes=1)
    assert store.list_namespaces() == [("a",)]
    store.put(("b",), "k", {}, ttl=1)
    found = store.get(("b",), "k")
    assert found is not None
    assert found.created_at == began + timedelta(minutes=1)


def test_ttl_by_default(manager: AWSClientManager, agent_id: str, clock: Clock) -> None:
    """The store's own defaults hold where a call says nothing."""
    store = DaybookStore(
        client_manager=manager,
        agent_id=agent_id,
        ttl={"default_ttl": 60, "refresh_on_read": False},
    )
    store.put(("a",), "k", {})
    store.put(("a",), "for ever", {}, ttl=None)
    clock.advance(minutes=59)
    assert store.get(("a",), "k") is not None
    clock.advance(minutes=1)
    assert names(store, "a") == ["for ever"]


def test_what_has_changed_is_not_prolonged(store: DaybookStore, clock: Clock) -> None:
    """A read in the same batch as a write leaves what was written."""
    store.put(("a",), "k", {"n": 1}, ttl=60)
    clock.advance(minutes=30)
    got, _ = store.batch([GetOp(("a",), "k"), PutOp(("a",), "k", {"n": 2}, ttl=1)])
    assert getattr(got, "value", None) == {"n": 1}
    clock.advance(minutes=1)
    assert store.get(("a",), "k") is None


def test_any_text_names_a_document(store: DaybookStore) -> None:
    """No label and no key reaches into another's."""
    at = [((one, *more), key) for one in HOSTILE for more in ((), ("x",)) for key in HOSTILE]
    store.batch([PutOp(namespace, key, {"at": [namespace, key]}) for namespace, key in at])
    found = store.batch([GetOp(namespace, key) for namespace, key in at])
    for (namespace, key), one in zip(at, found, strict=True):
        assert getattr(one, "value", None) == {"at": [list(namespace), key]}
    for label in HOSTILE:
        (under,) = store.batch([SearchOp((label,), limit=1000)])
        assert isinstance(under, list)
        assert len(under) == 2 * len(HOSTILE)
    for label in ("", "a.b"):
        with pytest.raises(InvalidNamespaceError):  # LangGraph's own rule, above ours
            store.put((label,), "k", {})


def test_agents_do_not_see_each_other(store: DaybookStore) -> None:
    """Each agent has documents of its own."""
    store.put(("a",), "k", {})
    other = DaybookStore(client_manager=store.client_manager, agent_id=f"{store.agent_id}x")
    assert other.list_namespaces() == []


def test_large_documents(local: AWSClientManager, with_bucket: AWSClientManager) -> None:
    """A document of any size goes to the bucket; without one the refusal says what to do."""
    large = {"text": os.urandom(300_000).hex(), "more": os.urandom(300_000).hex()}
    small = DaybookStore(client_manager=local, agent_id=f"agent-{uuid4().hex}")
    ops = [PutOp(("a",), "before", {}), PutOp(("a",), "large", large)]
    with pytest.raises(BodyTooLargeError, match="DAYBOOK_PAYLOAD_BUCKET"):
        small.batch(ops)
    assert names(small) == []
    store = DaybookStore(client_manager=with_bucket, agent_id="large")
    store.batch(ops)
    found = store.get(("a",), "large")
    assert found is not None
    assert found.value == large


def test_requests(store: DaybookStore, meter: CapacityMeter) -> None:
    """Exactly: a put two, a get one, a delete one, a search and a listing one for each MB."""

    def counted() -> int:
        total = meter.requests.total()
        meter.requests.clear()
        return total

    for _ in range(2):
        store.put(("a",), "k", {"n": 1})
        assert counted() == 2
    store.batch([PutOp(("a",), str(number), {"n": number}) for number in range(25)])
    assert counted() == 2
    store.get(("a",), "k")
    assert counted() == 1
    store.batch([GetOp(("a",), str(number % 30)) for number in range(100)])
    assert counted() == 1
    store.search(("a",), filter={"n": {"$gt": 3}})
    assert counted() == 1
    store.list_namespaces(prefix=("a",))
    assert counted() == 1
    store.delete(("a",), "k")
    assert counted() == 1
    store.put(("a",), "k", {}, ttl=1)
    counted()
    store.get(("a",), "k")
    assert counted() == 1  # its life was not worth prolonging yet


def test_async(store: DaybookStore) -> None:
    """The same, awaited."""

    async def work() -> None:
        await asyncio.gather(*(store.aput(("a",), str(n), {"n": n}) for n in range(8)))
        assert len(await store.asearch(("a",))) == 8
        assert await store.alist_namespaces() == [("a",)]
        await store.adelete(("a",), "1")
        assert await store.aget(("a",), "1") is None

    asyncio.run(work())


NOT_JSON: list[Any] = [
    {"x": float("nan")},
    {"x": float("inf")},
    {"x": object()},
    {"x": {1, 2}},
    {1: "x"},
    {"x": "\ud800"},
    {"x": b""},
    [],
    "text",
    7,
]


@pytest.mark.parametrize("value", NOT_JSON, ids=range(len(NOT_JSON)))
def test_bad_values(store: DaybookStore, value: Any) -> None:
    """What is not JSON is refused with a sentence, and nothing of its batch is written."""
    with pytest.raises(InvalidInputError):
        store.batch([PutOp(("a",), "good", {}), PutOp(("a",), "bad", value)])
    assert names(store) == []


def test_bad_arguments(store: DaybookStore, manager: AWSClientManager) -> None:
    """Names, lives and operations that cannot be are refused before anything is written."""
    bad: Any
    for bad in (["a"], "a", None, (1,), ("\ud800",), tuple(map(str, range(1000)))):
        with pytest.raises(InvalidInputError):
            store.batch([PutOp(bad, "k", {})])
    for bad in (None, 1, "\ud800"):
        with pytest.raises(InvalidInputError):
            store.batch([GetOp(("a",), bad)])
    for bad in (0, -1, float("nan"), float("inf"), True, "1", 1e300, 10**400):
        with pytest.raises(InvalidInputError):
            store.put(("a",), "k", {}, ttl=bad)
    with pytest.raises(InvalidInputError):
        DaybookStore(client_manager=manager, agent_id="a", ttl={"default_ttl": -1})
    bad = "not an operation"
    with pytest.raises(InvalidInputError):
        store.batch([PutOp(("a",), "k", {}), bad])
    store.put(("a",), "k", {"x": 1})
    with pytest.raises(InvalidInputError, match="there is no operator"):
        store.search(("a",), filter={"x": {"$in": [1]}})
    assert names(store) == ["k"]


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_writer_that_dies(local: AWSClientManager, clock: Clock, after_effect: bool) -> None:
    """Whichever call it dies at, every document is there whole or not at all, and in order."""
    for dies_at in range(1, 6):
        agent_id = f"agent-{uuid4().hex}"
        client: Any = DyingClient(local.dynamodb, dies_at=dies_at, after_effect=after_effect)
        dying = DaybookStore(
            client_manager=AWSClientManager(dynamodb=client, settings=Settings(), clock=clock),
            agent_id=agent_id,
        )
        ops = [PutOp(("a", f"{n:03d}"), "k", {"n": n}) for n in range(60)]
        with pytest.raises(DeadError):
            dying.batch([*ops, PutOp(("b",), "k", None)])
        heir = DaybookStore(client_manager=local, agent_id=agent_id)
        found = [one.value["n"] for one in heir.search((), limit=1000)]
        assert found == list(range(len(found)))
        heir.batch(ops)
        assert [one.value["n"] for one in heir.search((), limit=1000)] == list(range(60))
