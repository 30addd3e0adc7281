"""LangGraph's checkpoints on the deployed tables and bucket."""

import os
from typing import Any
from uuid import uuid4

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from daybook import AWSClientManager
from daybook.adapters.langgraph import DaybookSaver
from daybook.store import objects
from daybook.store.thread_keys import thread_bodies

LARGE = 600_000


@pytest.fixture
def saver(deployed: AWSClientManager) -> DaybookSaver:
    """Give the saver of an agent that nobody else uses."""
    return DaybookSaver(agent_id=f"graph-{uuid4().hex[:8]}", client_manager=deployed)


def config_of(thread: str) -> Any:
    """Name a thread, as LangGraph does."""
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


def put(saver: DaybookSaver, config: Any, values: dict[str, Any], step: int) -> Any:
    """Put a checkpoint with these values; return the config that names it."""
    versions: dict[str, Any] = dict.fromkeys(values, step + 1)
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = values
    checkpoint["channel_versions"] = versions
    return saver.put(config, checkpoint, {"source": "loop", "step": step}, versions)


def bodies(saver: DaybookSaver) -> list[str]:
    """Return the names of the agent's objects in the bucket."""
    store = saver.client_manager.store
    return objects.list_bodies(store.s3(), str(store.bucket), thread_bodies(saver.agent_id))


def test_checkpoints_follow_each_other(saver: DaybookSaver) -> None:
    """What is put is found, by its id and as the latest, with what a task has written."""
    first = put(saver, config_of("a"), {"steps": ["in"], "price": 0.1 + 0.2}, 0)
    second = put(saver, first, {"steps": ["in", "näme"]}, 1)
    saver.put_writes(second, [("steps", ["out"])], "task")
    found = saver.get_tuple(config_of("a"))
    assert found is not None
    assert found.checkpoint["channel_values"] == {"steps": ["in", "näme"]}
    assert found.pending_writes == [("task", "steps", ["out"])]
    assert found.parent_config == first
    earlier = saver.get_tuple(first)
    assert earlier is not None
    assert earlier.checkpoint["channel_values"] == {"steps": ["in"], "price": 0.1 + 0.2}
    assert [each.metadata["step"] for each in saver.list(config_of("a"))] == [1, 0]
    assert saver.get_tuple(config_of("b")) is None
    assert bodies(saver) == []


def test_600_kb_of_state(saver: DaybookSaver) -> None:
    """A state that no item can hold reads back whole, and goes with its thread."""
    blob = os.urandom(LARGE)
    put(saver, config_of("a"), {"blob": blob}, 0)
    found = saver.get_tuple(config_of("a"))
    assert found is not None
    assert found.checkpoint["channel_values"] == {"blob": blob}
    assert len(bodies(saver)) == 1
    saver.delete_thread("a")
    assert saver.get_tuple(config_of("a")) is None
