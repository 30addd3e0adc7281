"""What state costs: requests are exact, and so are the units of what is no transaction.

DynamoDB Local does not count a transaction as DynamoDB bills it, so those are not held here.
"""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from daybook import AWSClientManager, CapacityMeter, MemoryManager
from daybook.settings import Settings
from daybook.state import create_checkpoint, create_if_changed, rollback
from daybook.store import STATE
from daybook.store.attributes import Item
from daybook.store.expressions import equals
from daybook.store.requests import Put


@pytest.fixture
def memory(database: AWSClientManager) -> MemoryManager:
    """Give an agent whose client is this test's own, so that only its requests count."""
    manager = AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())
    return MemoryManager(f"agent-{uuid4().hex}", manager)


def cost(memory: MemoryManager, do: Callable[[], Any]) -> CapacityMeter:
    """Return what something took."""
    with CapacityMeter(memory.store.dynamodb) as meter:
        do()
    return meter


def noise(kilobytes: float) -> dict[str, Any]:
    """Make a state that takes this much and does not compress."""
    draw = Random(7)  # noqa: S311 - no secrets here
    return {"x": "".join(chr(draw.randrange(32, 127)) for _ in range(int(kilobytes * 1024)))}


def test_requests(memory: MemoryManager) -> None:
    """Save and load 1, take over 2, checkpoint 3, rollback 3 or 4, list and get 1."""

    def requests(do: Callable[[], Any]) -> dict[str, int]:
        return dict(cost(memory, do).requests)

    assert requests(memory.load_state) == {"GetItem": 1}
    assert requests(lambda: memory.save_state({"n": 1})) == {"PutItem": 1}
    assert requests(lambda: memory.save_state({"n": 2}, 1)) == {"UpdateItem": 1}
    assert requests(memory.load_state) == {"GetItem": 1}
    taking = requests(lambda: memory.load_state(take_over=True))
    assert taking == {"GetItem": 1, "UpdateItem": 1}
    checkpoint = {"GetItem": 1, "TransactWriteItems": 1, "Query": 1}
    assert requests(memory.create_checkpoint) == checkpoint
    assert requests(memory.list_checkpoints) == {"Query": 1}
    (taken,) = memory.list_checkpoints()
    wanted = taken.checkpoint_id
    assert requests(lambda: memory.get_checkpoint(wanted)) == {"BatchGetItem": 1}
    back = {"GetItem": 2, "TransactWriteItems": 1, "Query": 1}
    assert requests(memory.rollback) == back
    back = {"BatchGetItem": 1, "TransactWriteItems": 1, "Query": 1}
    assert requests(lambda: memory.rollback(wanted)) == back


def test_requests_of_keeping_few(memory: MemoryManager) -> None:
    """One more where checkpoints go; one less where all are kept; one for nothing to do."""
    store, agent = memory.store, memory.agent_id
    memory.save_state({})
    create_checkpoint(store, agent, keep=1)
    more = cost(memory, lambda: create_checkpoint(store, agent, keep=1))
    assert more.requests == {"GetItem": 1, "TransactWriteItems": 2, "Query": 1}
    less = cost(memory, lambda: rollback(store, agent, keep=0))
    assert less.requests == {"GetItem": 2, "TransactWriteItems": 1}
    create_if_changed(store, agent, keep=0)
    nothing = cost(memory, lambda: create_if_changed(store, agent, keep=1))
    assert nothing.requests == {"GetItem": 1}


@pytest.mark.parametrize("kilobytes", [0.5, 8, 64, 300])
def test_a_save_costs_what_it_holds(memory: MemoryManager, kilobytes: float) -> None:
    """One write unit a kilobyte stored; a load, one read unit for four."""
    memory.save_state(noise(kilobytes))
    saving = cost(memory, lambda: memory.save_state(noise(kilobytes), 1))
    assert saving.write_units <= kilobytes + 1
    loading = cost(memory, memory.load_state)
    assert loading.read_units <= kilobytes / 4 + 1


def test_why_the_version_is_not_an_item_of_its_own(memory: MemoryManager) -> None:
    """A head apart would make a save a transaction, which is billed twice over."""
    agent = memory.agent_id
    memory.save_state(noise(64))
    body = memory.store.get(STATE, {"pk": agent, "sk": "CURRENT"})
    assert body is not None
    head: Item = {"pk": agent, "sk": "HEAD", "version": 1}
    memory.store.put(STATE, head)
    apart = [
        Put(table=STATE, item=head, condition=equals("version", 1)),
        Put(table=STATE, item=body),
    ]
    together = cost(memory, lambda: memory.save_state(noise(64), 1)).write_units
    assert cost(memory, lambda: memory.store.transact(apart)).write_units >= 2 * together


def test_listing_reads_no_data(memory: MemoryManager) -> None:
    """Fifty checkpoints of 8 KB are listed for what fifty lines take."""
    memory.save_state(noise(8))
    for _ in range(50):
        memory.create_checkpoint()
    listing = cost(memory, memory.list_checkpoints)
    assert listing.requests == {"Query": 1}
    assert listing.read_units <= 4
