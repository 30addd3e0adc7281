"""What signals cost: requests and write units, counted by DynamoDB Local."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from daybook import AWSClientManager, CapacityMeter, MemoryManager, MultiAgentCoordinator
from daybook.settings import Settings
from daybook.store.capacity import WRITES


@pytest.fixture
def manager(database: AWSClientManager) -> AWSClientManager:
    """Give a manager whose client is this test's own, so that only its requests count."""
    return AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())


@pytest.fixture
def memory(manager: AWSClientManager) -> MemoryManager:
    """Give an agent that knows who is there."""
    agent = MemoryManager(f"agent-{uuid4().hex}", manager)
    agent.register()
    return agent


@pytest.fixture
def meter(manager: AWSClientManager) -> Iterator[CapacityMeter]:
    """Count what follows."""
    with CapacityMeter(manager.dynamodb) as counting:
        yield counting


def targets(manager: AWSClientManager, count: int) -> list[str]:
    """Register so many agents."""
    coordinator = MultiAgentCoordinator(manager)
    made = [f"agent-{uuid4().hex}" for _ in range(count)]
    for agent_id in made:
        coordinator.register(agent_id)
    return made


@pytest.mark.parametrize("count", [1, 5, 100])
def test_publishing(manager: AWSClientManager, memory: MemoryManager, count: int) -> None:
    """A write for the signal and one for each target; the registry is read once."""
    to = targets(manager, count)
    with CapacityMeter(manager.dynamodb) as meter:
        sid = memory.publish_signal("request", {"n": 1}, to, dedupe_id="x")
    assert {name: n for name, n in meter.requests.items() if name in WRITES} == {
        "PutItem": count + 1
    }
    assert meter.requests["Query"] >= 1
    with CapacityMeter(manager.dynamodb) as warm:
        assert memory.publish_signal("request", {"n": 1}, to, dedupe_id="x") == sid
    assert dict(warm.requests) == {"PutItem": count + 1}


def test_write_units_of_a_small_signal(manager: AWSClientManager, memory: MemoryManager) -> None:
    """A signal is 1 unit; a delivery is 3, with its two indexes; a claim and an ack follow."""
    (target,) = targets(manager, 1)
    inbox = MemoryManager(target, manager)
    with CapacityMeter(manager.dynamodb) as meter:
        memory.publish_signal("request", {"n": 1}, [target])
    assert meter.write_units == 4
    with CapacityMeter(manager.dynamodb) as meter:
        (claim,) = inbox.claim_signals()
    assert (dict(meter.requests), meter.write_units) == ({"Query": 1, "UpdateItem": 1}, 3)
    with CapacityMeter(manager.dynamodb) as meter:
        claim.ack()
    assert (dict(meter.requests), meter.write_units) == ({"UpdateItem": 1}, 3)


def test_claiming_many(manager: AWSClientManager, memory: MemoryManager) -> None:
    """One query, and one write for each signal; pending is two reads, status is one."""
    (target,) = targets(manager, 1)
    inbox = MemoryManager(target, manager)
    for _ in range(12):
        sid = memory.publish_signal("request", {"n": 1}, [target])
    with CapacityMeter(manager.dynamodb) as meter:
        assert len(inbox.pending_signals(10)) == 10
    assert dict(meter.requests) == {"Query": 1, "BatchGetItem": 1}
    with CapacityMeter(manager.dynamodb) as meter:
        assert len(inbox.claim_signals(10)) == 10
    assert dict(meter.requests) == {"Query": 1, "UpdateItem": 10}
    with CapacityMeter(manager.dynamodb) as meter:
        memory.signal_status(sid)
    assert dict(meter.requests) == {"Query": 1}


def test_empty_inbox(memory: MemoryManager, meter: CapacityMeter) -> None:
    """One request of half a unit at most."""
    assert memory.claim_signals() == []
    assert memory.pending_signals() == []
    assert dict(meter.requests) == {"Query": 2}
    assert meter.read_units <= 1


def test_registry(memory: MemoryManager, meter: CapacityMeter) -> None:
    """A heartbeat is one request; registering again is two, a list is one."""
    memory.heartbeat()
    assert dict(meter.requests) == {"UpdateItem": 1}
    memory.register()
    assert dict(meter.requests) == {"UpdateItem": 1, "PutItem": 2}
    memory.agents()
    assert meter.requests["Query"] == 1


def test_heartbeat_units(memory: MemoryManager, meter: CapacityMeter) -> None:
    """One for the item and one for the index of who is there."""
    memory.heartbeat()
    assert meter.write_units == 2
