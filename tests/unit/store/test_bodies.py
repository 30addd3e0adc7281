"""Bodies beside their items: an item opens the objects of its own agent, and no others."""

from collections.abc import Iterator

import pytest

from daybook import BodyCorruptError
from daybook.adapters.langgraph import bodies as thread_bodies
from daybook.models.identity import DecisionId
from daybook.store import Codec, Store, keys, objects, thread_keys, unpack
from daybook.store.attributes import Item
from daybook.store.bodies import pack
from daybook.testing import local_aws
from tests.unit.state.test_sweeping import large

CODEC = Codec(version=1)
UUID = "01a1fc24-67b6-78c1-a534-9749b8abc2fe"

ROOMS = [
    (keys.current_state("scout"), keys.state_body("scout", 1, "0" * 12)),
    (keys.decision(DecisionId(UUID, "scout")), keys.decision_bodies(DecisionId(UUID, "scout"))),
    (keys.head("scout", "learning"), keys.head_bodies("scout")),
    (keys.pattern("scout", "p1"), keys.memory_bodies("scout")),
    ({"pk": "scout", "sk": f"S#{UUID}"}, keys.signal_bodies("scout")),
    (thread_keys.document("scout", ("a",), "b"), keys.memory_bodies("scout")),
    (
        thread_keys.checkpoint(thread_keys.thread("scout", "t"), "", "c"),
        thread_keys.thread_bodies("scout"),
    ),
]


@pytest.fixture
def store() -> Iterator[Store]:
    """Give a store with a bucket."""
    with local_aws() as manager:
        yield manager.store


@pytest.mark.parametrize(("key", "folder"), ROOMS)
def test_an_item_opens_its_own_agents_object(store: Store, key: Item, folder: str) -> None:
    """Whatever room it is of; one of another agent is refused unread, also of a namesake's."""
    document = large(1)
    item = pack(store, CODEC, folder, key, document)
    assert unpack(store, CODEC, item) == document
    for thief in ("thief", "sco", "scout2"):
        forged = item | {"pk": str(item["pk"]).replace("scout", thief)}
        with pytest.raises(BodyCorruptError, match="not of its own agent"):
            unpack(store, CODEC, forged)
        with pytest.raises(BodyCorruptError, match="not of its own agent"):
            thread_bodies.unpack(store, forged, {}, lambda *_: {})


@pytest.mark.parametrize("name", ["", "scout/x", "state/scout", "x/state/scout/y", "state//y"])
def test_what_is_in_no_folder_of_an_agents_is_refused(store: Store, name: str) -> None:
    """Nor does the empty name of an agent open anything."""
    item: Item = {"pk": "scout", "sk": "CURRENT", "v": 1, "body_object": name}
    with pytest.raises(BodyCorruptError, match="damaged or forged"):
        unpack(store, CODEC, item)


def test_a_threads_object_is_read(store: Store) -> None:
    """The guard lets LangGraph's own objects through."""
    key = thread_keys.checkpoint(thread_keys.thread("scout", "t"), "", "c")
    name = f"{thread_keys.thread_bodies('scout')}/{objects.checksum(b'x')}"
    objects.put_body(store.s3(), store.bucket, name, b"x")
    assert thread_bodies.unpack(store, key | {"body_object": name}, {}, lambda *_: {}) == b"x"
