"""Where a checkpoint is, as LangGraph's `config["configurable"]` says it, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.runnables import RunnableConfig

from daybook.adapters.langgraph.names import checked_name
from daybook.errors import InvalidInputError

FORK = "__daybook_fork"
"""In a config that the saver has given out: the checkpoint from which a branch may start.

LangGraph hands a checkpoint's config back with the first checkpoint that follows it; with the
underscores it stays out of the metadata.
"""

_CHECKPOINT_ID = re.compile(r"[$-~]{1,200}")


@dataclass(frozen=True)
class Position:
    """A thread, a namespace in it (None: any) and a checkpoint there (None: the latest).

    `fork` is what the config says under FORK; None when it says nothing.
    """

    thread: str
    namespace: str | None
    checkpoint_id: str | None = None
    fork: str | None = None

    @property
    def ns(self) -> str:
        """The namespace; the graph's own when none is named."""
        return self.namespace or ""

    def at(self, namespace: str, checkpoint_id: str, fork: str | None = None) -> "Position":
        """Return the position of a checkpoint of this thread."""
        return replace(self, namespace=namespace, checkpoint_id=checkpoint_id, fork=fork)

    @property
    def config(self) -> RunnableConfig:
        """The position as LangGraph writes it."""
        configurable: dict[str, Any] = {
            "thread_id": self.thread,
            "checkpoint_ns": self.ns,
            "checkpoint_id": self.checkpoint_id,
        }
        if self.fork is not None:
            configurable[FORK] = self.fork
        return cast("RunnableConfig", {"configurable": configurable})


def position_of(config: RunnableConfig) -> Position:
    """Return the position that a config names. Raises InvalidInputError."""
    configurable = config.get("configurable") if isinstance(config, Mapping) else None
    if not isinstance(configurable, Mapping) or "thread_id" not in configurable:
        raise InvalidInputError(
            'the config names no thread: use {"configurable": {"thread_id": "…"}}'
        )
    namespace = configurable.get("checkpoint_ns")
    fork = configurable.get(FORK)
    return Position(
        thread=checked_thread(configurable["thread_id"]),
        namespace=None if namespace is None else checked_name(namespace, "checkpoint_ns"),
        checkpoint_id=checkpoint_id_in(config),
        fork=fork if isinstance(fork, str) else None,
    )


def checkpoint_id_in(config: RunnableConfig) -> str | None:
    """Return the id of the checkpoint that a config names, if any. Raises InvalidInputError."""
    checkpoint_id = config.get("configurable", {}).get("checkpoint_id")
    return checked_checkpoint_id(checkpoint_id) if checkpoint_id else None


def checked_checkpoint_id(checkpoint_id: object) -> str:
    """Return the id, or raise InvalidInputError if it cannot be part of a key."""
    if not isinstance(checkpoint_id, str) or not _CHECKPOINT_ID.fullmatch(checkpoint_id):
        raise InvalidInputError(
            f"{checkpoint_id!r:.80} is not a checkpoint's id: LangGraph makes UUIDs; use up to "
            "200 characters of ASCII without spaces, quotes, exclamation marks and #"
        )
    return checkpoint_id


def checked_thread(thread_id: object) -> str:
    """Return a thread's id as text. Raises InvalidInputError."""
    if isinstance(thread_id, int) and not isinstance(thread_id, bool):
        return str(thread_id)  # as LangGraph does it
    return checked_name(thread_id, "thread_id")
