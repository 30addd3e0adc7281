"""Checkpoints and configs for tests that put them by hand."""

from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointMetadata,
    empty_checkpoint,
)


def config(
    thread_id: str, namespace: str = "", checkpoint_id: str | None = None
) -> RunnableConfig:
    """Return the config of a position."""
    named = {"thread_id": thread_id, "checkpoint_ns": namespace}
    if checkpoint_id is not None:
        named["checkpoint_id"] = checkpoint_id
    return cast("RunnableConfig", {"configurable": named})


def checkpoint(**values: Any) -> Checkpoint:
    """Return a new checkpoint that holds these values."""
    made = empty_checkpoint()
    made["channel_values"] = values
    made["channel_versions"] = dict.fromkeys(values, 1)
    return made


def metadata(step: int = 0, **more: Any) -> CheckpointMetadata:
    """Return what LangGraph says of a checkpoint from inside a run."""
    return cast("CheckpointMetadata", {"source": "loop", "step": step, "parents": {}, **more})


def put(
    saver: BaseCheckpointSaver[Any], at: RunnableConfig, *, step: int = 0, **values: Any
) -> RunnableConfig:
    """Put a checkpoint that follows the one at this position; return where it is."""
    made = checkpoint(**values)
    return saver.put(at, made, metadata(step), made["channel_versions"])


def chain(saver: BaseCheckpointSaver[Any], thread_id: str, length: int) -> list[RunnableConfig]:
    """Put checkpoints that follow each other; return where they are, the oldest first."""
    at, positions = config(thread_id), []
    for step in range(length):
        at = put(saver, at, step=step, step_value=step)
        positions.append(at)
    return positions
