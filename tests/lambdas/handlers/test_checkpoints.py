"""Planner, worker and rollback of states, on moto."""

import json
from typing import Any
from uuid import uuid4

import boto3
import pytest

from daybook import (
    AccessDeniedError,
    AWSClientManager,
    CheckpointNotFoundError,
    InvalidInputError,
    MemoryManager,
    StaleStateError,
)
from daybook.progress.changed_states import changed_states, note_states
from lambdas import agent_messages
from lambdas.handlers import checkpoint_planner, checkpoint_worker, rollback
from tests.lambdas.conftest import Context, deliver, use_settings


@pytest.fixture
def scout(manager: AWSClientManager) -> MemoryManager:
    """Give an agent with a state that was noted."""
    memory = MemoryManager("scout", manager)
    memory.save_state({"n": 1})
    note_states(manager.store, {"scout": 1})
    return memory


def published(capsys: pytest.CaptureFixture[str], name: str) -> list[float]:
    """Return the values of a metric that a function has published."""
    lines = [line for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    return [value for line in lines for value in json.loads(line).get(name, [])]


def test_the_planner_sends_who_has_changed(
    scout: MemoryManager, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message for each, and how many and how late as metrics."""
    client = boto3.client("sqs", region_name="us-east-1")
    url = client.create_queue(QueueName="checkpoint")["QueueUrl"]
    use_settings(scout.client_manager, monkeypatch, work_queue_url=url)
    monkeypatch.setattr(agent_messages, "sqs", lambda: client)
    event: dict[str, Any] = {"Source": "aws.scheduler"}
    assert checkpoint_planner.handler(event, Context()) == {"agents": 1}
    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == {"agent_id": "scout"}
    assert published(capsys, "StatesChanged") == [1.0]
    assert deliver(checkpoint_worker.handler, {"agent_id": "scout"}) == []
    capsys.readouterr()
    assert checkpoint_planner.handler(event, Context()) == {"agents": 0}
    assert published(capsys, "CheckpointLag") == [0.0]
    assert len(scout.list_checkpoints()) == 1


def test_the_worker_keeps_a_version_once(
    scout: MemoryManager, capsys: pytest.CaptureFixture[str]
) -> None:
    """Repeats find it kept, and the watch list knows."""
    message = {"agent_id": "scout"}
    assert deliver(checkpoint_worker.handler, message, message) == []
    assert published(capsys, "CheckpointsTaken") == [1.0, 0.0]
    assert [each.kind for each in scout.list_checkpoints()] == ["automatic"]
    assert list(changed_states(scout.store)) == []


def test_what_fails_is_tried_again(
    scout: MemoryManager, capsys: pytest.CaptureFixture[str]
) -> None:
    """An agent without a state, or a message that is none, holds up no other."""
    assert deliver(
        checkpoint_worker.handler, {"agent_id": "nobody"}, "not json", {"agent_id": "scout"}
    ) == ["0", "1"]
    assert published(capsys, "CheckpointsFailed") == [1.0, 1.0]
    assert len(scout.list_checkpoints()) == 1


def test_rollback_to_the_last_and_to_another(scout: MemoryManager) -> None:
    """It says which version that made, and from which checkpoint."""
    first = scout.create_checkpoint()
    scout.save_state({"n": 2}, 1)
    second = scout.create_checkpoint()
    answer = rollback.handler({"agent_id": "scout"}, Context())
    assert answer == {"version": 3, "restored_from": second.checkpoint_id}
    asked = {"agent_id": "scout", "checkpoint_id": first.checkpoint_id, "expected_version": 3}
    answer = rollback.handler(asked, Context())
    assert answer == {"version": 4, "restored_from": first.checkpoint_id}
    with pytest.raises(StaleStateError, match="version 4 stands"):
        rollback.handler(asked, Context())
    with pytest.raises(CheckpointNotFoundError):
        rollback.handler({"agent_id": "nobody", "checkpoint_id": None}, Context())


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "scout",
        {},
        {"agent_id": "a#b"},
        {"agent_id": "scout", "checkpoint": "x"},
        {"agent_id": "scout", "checkpoint_id": "latest"},
        {"agent_id": "scout", "expected_version": "1"},
        {"agent_id": "scout", "expected_version": -1},
    ],
)
def test_an_order_that_is_none(scout: MemoryManager, event: Any) -> None:
    """It is refused with a sentence, and nothing changes."""
    with pytest.raises(InvalidInputError):
        rollback.handler(event, Context())
    assert (state := scout.load_state()) is not None
    assert state.version == 1
    assert scout.list_checkpoints() == []


def test_bodies_that_nobody_needs_are_cleaned_up(
    scout: MemoryManager,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a checkpoint was taken; that this fails makes no message fail."""
    for version in (1, 2):
        scout.save_state({"noise": [uuid4().hex for _ in range(25_000)]}, version)
    assert deliver(checkpoint_worker.handler, {"agent_id": "scout"}) == []
    assert published(capsys, "StateBodiesRemoved") == [1.0]
    scout.save_state({}, 3)

    def refused(*_: object) -> int:
        raise AccessDeniedError("no")

    monkeypatch.setattr(checkpoint_worker, "sweep", refused)
    assert deliver(checkpoint_worker.handler, {"agent_id": "scout"}) == []
    assert len(scout.list_checkpoints()) == 2
