"""State on the deployed stack: the schedule keeps it, and an operator takes it back."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import boto3
import pytest

from daybook import AWSClientManager, Checkpoint, MemoryManager
from daybook.platform import Connection
from daybook.progress.changed_states import changed_states
from daybook.store import keys, objects

PATIENCE_SECONDS = 130.0
"""The schedule fires once a minute, and ministack looks every ten seconds."""


def eventually(look: Callable[[], Any]) -> Any:
    """Return what is found once it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"nothing came within {PATIENCE_SECONDS:.0f} seconds")
        time.sleep(0.5)
    return found


@pytest.fixture(scope="module")
def memory(deployed: AWSClientManager) -> MemoryManager:
    """Give an agent that has saved two states, large enough for the bucket, and nothing else."""
    made = MemoryManager(f"keeper-{uuid4().hex[:8]}", deployed)
    for version in range(2):
        noise = [uuid4().hex for _ in range(30_000)]
        made.save_state({"position": version, "noise": noise}, version)
    return made


def invoke(platform: Connection, session: boto3.Session, function: str, event: Any) -> Any:
    """Invoke a function, as an operator does; return what it answers."""
    client = session.client("lambda", endpoint_url=platform.endpoint_url)
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


def automatic(memory: MemoryManager) -> list[Checkpoint]:
    """Return the checkpoints that the schedule has taken."""
    return [each for each in memory.list_checkpoints() if each.kind == "automatic"]


def test_the_schedule_keeps_states(memory: MemoryManager) -> None:
    """Nobody calls anything, and the state is in a checkpoint; once, however often it fires."""
    (checkpoint,) = eventually(lambda: automatic(memory))
    assert checkpoint.version == 2
    kept = memory.get_checkpoint(checkpoint.checkpoint_id)
    state = memory.load_state()
    assert state is not None
    assert kept.data == state.data
    eventually(lambda: memory.agent_id not in {s.agent_id for s in changed_states(memory.store)})


def test_the_schedule_cleans_up(memory: MemoryManager) -> None:
    """The body of the version that nothing points to any more is gone, and the other is not."""
    store = memory.store

    def versions() -> list[int | None]:
        folder = keys.state_bodies(memory.agent_id)
        names = objects.list_bodies(store.s3(), str(store.bucket), folder)
        return [keys.version_of_body(name) for name in names]

    eventually(lambda: versions() == [2])
    assert memory.load_state() is not None


def test_repeats_do_nothing_twice(
    memory: MemoryManager, platform: Connection, session: boto3.Session
) -> None:
    """A plan by hand, and messages that come again, take no second checkpoint of a version."""
    before = eventually(lambda: automatic(memory))
    queues: Any = session.client("sqs", endpoint_url=platform.endpoint_url)
    url = queues.get_queue_url(QueueName="daybook-checkpoint")["QueueUrl"]
    for _ in range(3):
        queues.send_message(QueueUrl=url, MessageBody=json.dumps({"agent_id": memory.agent_id}))
    invoke(platform, session, "daybook-checkpoint-planner", {})
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def is_drained() -> bool:
        told = queues.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return set(told["Attributes"].values()) == {"0"}

    eventually(is_drained)
    assert automatic(memory) == before


def test_an_operator_takes_it_back(
    memory: MemoryManager, platform: Connection, session: boto3.Session
) -> None:
    """The function that is invoked by hand goes back to what the schedule kept."""
    (checkpoint,) = eventually(lambda: automatic(memory))
    spoilt = memory.save_state({"position": -99}, 2)
    asked = {"agent_id": memory.agent_id, "checkpoint_id": checkpoint.checkpoint_id}
    answer = invoke(
        platform, session, "daybook-rollback", asked | {"expected_version": spoilt.version}
    )
    assert answer == {"version": 4, "restored_from": checkpoint.checkpoint_id}
    state = memory.load_state()
    assert state is not None
    assert (state.version, state.data["position"]) == (4, 1)
    refused = invoke(
        platform, session, "daybook-rollback", asked | {"expected_version": spoilt.version}
    )
    # AWS names the class in `errorType`, ministack does not
    assert "version 4 stands" in refused["errorMessage"]
