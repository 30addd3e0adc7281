"""Many workers at one inbox, and what a sender may not see: on DynamoDB Local."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from daybook import (
    AWSClientManager,
    CapacityMeter,
    MemoryManager,
    MultiAgentCoordinator,
    SignalPriority,
    StorageError,
    UnknownTargetError,
)
from daybook.settings import Settings

WORKERS = 8


@pytest.fixture
def manager(database: AWSClientManager) -> AWSClientManager:
    """Give a manager whose client is this test's own."""
    return AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())


@pytest.fixture
def memory(manager: AWSClientManager) -> MemoryManager:
    """Give a registered agent that nobody else uses."""
    made = MemoryManager(f"agent-{uuid4().hex}", manager)
    made.register()
    return made


def test_workers_that_meet_spread(memory: MemoryManager, manager: AWSClientManager) -> None:
    """All is claimed, nothing twice, the urgent first, without trying everything in vain."""
    for number in range(WORKERS * 10):
        priority = SignalPriority.HIGH if number % 2 else SignalPriority.LOW
        memory.publish_signal("request", {"n": number}, [memory.agent_id], priority)
    barrier = threading.Barrier(WORKERS)

    def work(_: int) -> list[tuple[SignalPriority, str]]:
        barrier.wait()
        claims = memory.claim_signals(5)
        return [(claim.signal.priority, claim.signal.signal_id) for claim in claims]

    with CapacityMeter(manager.dynamodb) as meter, ThreadPoolExecutor(WORKERS) as pool:
        taken = list(pool.map(work, range(WORKERS)))
    everything = [each for batch in taken for each in batch]
    assert len(everything) == len(set(everything)) == WORKERS * 5
    # half of the signals were urgent, exactly as many as were taken
    assert {priority for priority, _ in everything} == {SignalPriority.HIGH}
    assert all(batch == sorted(batch, key=lambda one: one[0]) for batch in taken)
    assert meter.requests["UpdateItem"] <= 4 * WORKERS * 5


def test_two_hands_publish_one_signal(memory: MemoryManager) -> None:
    """The same dedupe_id from many threads at once is one signal, delivered once."""
    barrier = threading.Barrier(WORKERS)

    def publish(_: int) -> str:
        barrier.wait()
        return memory.publish_signal("request", {"n": 1}, [memory.agent_id], dedupe_id="one")

    with ThreadPoolExecutor(WORKERS) as pool:
        assert len(set(pool.map(publish, range(WORKERS)))) == 1
    assert len(memory.claim_signals()) == 1


@dataclass
class Refusing:
    """A client that refuses some operations."""

    client: Any
    code: str
    operations: tuple[str, ...]
    passes: int = 0

    def __getattr__(self, name: str) -> Any:
        def refuse(**_: Any) -> None:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, name)

        if name in self.operations and self.passes == 0:
            return refuse
        self.passes -= name in self.operations
        return getattr(self.client, name)


def test_confined_sender_goes_by_the_index(manager: AWSClientManager) -> None:
    """A role that may not look others up finds those in the index, and no others."""
    target, stranger = (f"agent-{uuid4().hex}" for _ in range(2))
    MultiAgentCoordinator(manager).register(target)
    client: Any = Refusing(manager.dynamodb, "AccessDeniedException", ("batch_get_item",))
    confined = MemoryManager(
        f"agent-{uuid4().hex}", AWSClientManager(dynamodb=client, settings=Settings())
    )
    confined.signals_routed = True
    assert confined.publish_signal("request", {}, [target])
    with pytest.raises(UnknownTargetError, match=stranger):
        confined.publish_signal("request", {}, [target, stranger])


def test_storage_error_carries_the_id(manager: AWSClientManager) -> None:
    """With it the coordinator finishes what was begun."""
    target = f"agent-{uuid4().hex}"
    coordinator = MultiAgentCoordinator(manager)
    coordinator.register(target)
    client: Any = Refusing(manager.dynamodb, "ThrottlingException", ("put_item",), passes=1)
    sender = MemoryManager(
        f"agent-{uuid4().hex}", AWSClientManager(dynamodb=client, settings=Settings())
    )
    with pytest.raises(StorageError) as fault:
        sender.publish_signal("request", {}, [target])
    sid = fault.value.signal_id
    assert sid is not None
    assert coordinator.route(sid) == [target]
    claims = MemoryManager(target, manager).claim_signals()
    assert [claim.signal.signal_id for claim in claims] == [sid]
