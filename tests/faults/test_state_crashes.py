"""A writer of state dies at each of its calls, before and after the call has taken effect."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AgentState,
    AWSClientManager,
    CheckpointNotFoundError,
    MemoryManager,
    StaleStateError,
)
from daybook.state import create_checkpoint, load, rollback, save
from daybook.store import STATE, Store
from daybook.store.expressions import begins_with, equals
from daybook.testing import local_aws
from tests.faults.clients import CountingClient, DeadError, DyingClient

KEEP = 2
Verb = Callable[[Store, str], Any]


def next_save(store: Store, agent_id: str) -> AgentState:
    """Save what follows the third version."""
    return save(store, agent_id, {"n": 4}, 3)


VERBS: dict[str, tuple[Verb, int]] = {
    "save": (next_save, 1),
    "take_over": (lambda store, agent: load(store, agent, take_over=True), 2),
    # the fourth request deletes: there are as many checkpoints as are kept
    "checkpoint": (lambda store, agent: create_checkpoint(store, agent, keep=KEEP), 4),
    "rollback": (lambda store, agent: rollback(store, agent, keep=KEEP), 5),
}
CALLS = [
    (verb, call, after_effect)
    for verb, (_, calls) in VERBS.items()
    for call in range(1, calls + 1)
    for after_effect in (False, True)
]


def prepared(memory: MemoryManager) -> MemoryManager:
    """Give an agent at its third version, with checkpoints of the first two."""
    for number in range(3):
        memory.save_state({"n": number + 1}, number)
        if number < KEEP:
            memory.create_checkpoint()
    return memory


@pytest.fixture
def memory(database: AWSClientManager) -> MemoryManager:
    """Give that agent."""
    return prepared(MemoryManager(f"agent-{uuid4().hex}", database))


def is_whole(memory: MemoryManager) -> bool:
    """Whether every checkpoint that is listed has its data, and no other data is there."""
    listed = memory.list_checkpoints()
    for each in listed:
        assert memory.get_checkpoint(each.checkpoint_id).data == {"n": min(each.version, 3)}
    mine = equals("pk", memory.agent_id) & begins_with("sk", "CPDATA#")
    return len(list(memory.store.query(STATE, mine, consistent=True))) == len(listed)


@pytest.mark.parametrize(("verb", "call", "after_effect"), CALLS)
def test_a_writer_dies(memory: MemoryManager, verb: str, call: int, after_effect: bool) -> None:
    """The old state or the new one stands, whole; and whoever comes after can go on."""
    do, _ = VERBS[verb]
    client: Any = DyingClient(memory.store.dynamodb, dies_at=call, after_effect=after_effect)
    with pytest.raises(DeadError):
        do(replace(memory.store, dynamodb=client), memory.agent_id)
    state = memory.load_state()
    assert state is not None
    new = {"save": (4, {"n": 4}), "take_over": (4, {"n": 3}), "rollback": (4, {"n": 2})}
    assert (state.version, state.data) in {"old": (3, {"n": 3}), **new}.values()
    assert (state.version, state.data) in ((3, {"n": 3}), new.get(verb))
    kinds = [each.kind for each in memory.list_checkpoints()]
    assert kinds.count("replaced") == (state.version == 4 and verb == "rollback")
    assert is_whole(memory)
    # going on: whatever the dead one was about to do can be done
    assert memory.save_state({"n": 3}, state.version).version == state.version + 1
    create_checkpoint(memory.store, memory.agent_id, keep=KEEP)
    assert rollback(memory.store, memory.agent_id, keep=KEEP).data == {"n": 3}
    assert len(memory.list_checkpoints()) == KEEP
    assert is_whole(memory)


@pytest.mark.parametrize("verb", VERBS)
def test_every_call_was_tried(memory: MemoryManager, verb: str) -> None:
    """The control: without a death the verb makes as many calls as were died at above."""
    do, calls = VERBS[verb]
    client: Any = CountingClient(memory.store.dynamodb)
    do(replace(memory.store, dynamodb=client), memory.agent_id)
    assert len(client.calls) == calls


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_writer_of_a_large_state_dies(after_effect: bool) -> None:
    """At the bucket, before the item: the old state stands, and the new one can be written."""
    large = {"n": ["".join(uuid4().hex for _ in range(100)) for _ in range(400)]}
    with local_aws() as manager:
        memory = MemoryManager("agent", manager)
        memory.save_state({"n": 1})
        client: Any = DyingClient(manager.s3(), dies_at=1, after_effect=after_effect)
        with pytest.raises(DeadError):
            save(replace(memory.store, s3=lambda: client), "agent", large, 1)
        state = memory.load_state()
        assert state is not None
        assert (state.version, state.data) == (1, {"n": 1})
        assert memory.save_state(large, 1).version == 2
        again = memory.load_state()
        assert again is not None
        assert again.data == large


def test_rollback_while_checkpoints_go(memory: MemoryManager) -> None:
    """A checkpoint that is taken away meanwhile is restored whole, or not found."""
    told: list[str] = []

    def go_back(_: int) -> None:
        # checkpoints come to an end, so this does
        while True:
            oldest = memory.list_checkpoints()[-1]
            try:
                state = rollback(memory.store, memory.agent_id, oldest.checkpoint_id, keep=1)
            except (CheckpointNotFoundError, StaleStateError) as fault:
                told.append(type(fault).__name__)
            else:
                assert state.data["n"] in {1, 2, 3}
                return

    def take(_: int) -> None:
        try:
            create_checkpoint(memory.store, memory.agent_id, keep=1)
        except StaleStateError:
            told.append("gave up")

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(take if n % 2 else go_back, n) for n in range(80)]
    for job in jobs:
        job.result()
    assert told  # they did get in each other's way
    state = memory.rollback()
    assert state.data["n"] in {1, 2, 3}
    mine = equals("pk", memory.agent_id) & begins_with("sk", "CPDATA#")
    kept = len(list(memory.store.query(STATE, mine, consistent=True)))
    assert kept == len(memory.list_checkpoints())
