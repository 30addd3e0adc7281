"""`DaybookSaver`: LangGraph's checkpoints in an agent's table."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from daybook.adapters.langgraph import deltas, reading, task_writes, upkeep, writing
from daybook.adapters.langgraph.positions import checked_thread, checkpoint_id_in, position_of
from daybook.adapters.langgraph.threads import Listings, Threads
from daybook.client import AWSClientManager, client_manager_or_usual
from daybook.errors import InvalidInputError
from daybook.models.identity import checked_agent_id

_LONGEST_TTL = timedelta(days=36500)


class DaybookSaver(BaseCheckpointSaver[int]):
    """Keeps the checkpoints of an agent's graphs; safe to share between threads.

    With `fenced`, of two writers that continue from the same checkpoint the second gets
    StaleStateError; all writers of a thread have to be fenced. A branch that starts from an
    older checkpoint by its `checkpoint_id` is let through. `ttl` is how long a checkpoint
    lives after it was written; None keeps it until it is deleted.

    Raises InvalidAgentIdError, or InvalidInputError for a `ttl` that is none. The methods raise
    InvalidInputError for a config that names no thread, and StorageError.
    """

    def __init__(
        self,
        *,
        agent_id: str,
        client_manager: AWSClientManager | None = None,
        fenced: bool = False,
        ttl: timedelta | None = None,
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde)
        self.agent_id = checked_agent_id(agent_id)
        self.client_manager = client_manager_or_usual(client_manager)
        self.fenced = fenced
        self.ttl = _checked_ttl(ttl)
        self._listed = Listings()

    @property
    def _threads(self) -> Threads:
        return Threads(
            store=self.client_manager.store,
            agent_id=self.agent_id,
            serde=self.serde,
            ttl=self.ttl,
            fenced=self.fenced,
            listed=self._listed,
        )

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that a config names, or the latest; None if there is none.

        Two requests.
        """
        return reading.find(self._threads, position_of(config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Iterate checkpoints, newest first, with what tasks have written to them.

        Of the namespace that the config names, or of all of its thread; without a config of
        all threads of the agent. Two requests for up to 1 MB.
        """
        return reading.newest_first(
            self._threads,
            position_of(config) if config else None,
            matching=filter,
            before=checkpoint_id_in(before) if before else None,
            limit=limit,
        )

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,  # noqa: ARG002 - every checkpoint holds its values whole
    ) -> RunnableConfig:
        """Store a checkpoint with its values, all or nothing. One request.

        Raises StaleStateError when the saver is fenced and the thread has gone on, and
        BodyTooLargeError.
        """
        whole = get_checkpoint_metadata(config, metadata)
        return writing.put(self._threads, position_of(config), checkpoint, whole).config

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task has written to a checkpoint. One request the first time.

        A repeat changes nothing, save for LangGraph's special channels, whose last write stays.
        """
        task_writes.put_writes(self._threads, position_of(config), writes, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread with all of its checkpoints and writes.

        Bodies that were too large for items stay in the bucket.
        """
        upkeep.delete_thread(self._threads, checked_thread(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata names one of these runs as `run_id`."""
        for run_id in _texts(run_ids, "run_ids"):
            upkeep.delete_run(self._threads, run_id)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread whole, with its history and its writes."""
        source, target = checked_thread(source_thread_id), checked_thread(target_thread_id)
        upkeep.copy_thread(self._threads, source, target)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete what a thread no longer needs: `keep_latest`, or `delete` for all of it.

        What the latest values of delta channels are rebuilt from is kept.
        """
        upkeep.checked_strategy(strategy)
        for thread_id in _texts(thread_ids, "thread_ids"):
            upkeep.prune(self._threads, thread_id, strategy)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what delta channels are rebuilt from: their last value, and writes since."""
        return deltas.history(self._threads, position_of(config), channels)

    def get_next_version(self, current: Any, channel: None) -> Any:  # noqa: ARG002 - LangGraph's
        """Return a channel's next version: a number, or the text that another saver began with."""
        if isinstance(current, str):
            number, _, rest = current.partition(".")
            return f"{int(number) + 1:0{len(number)}}" + (f".{rest}" if rest else "")
        return 1 if current is None else current + 1

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Do as `get_tuple`, in a thread."""
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Do as `list`, in a thread."""
        found = await asyncio.to_thread(
            self.list, config, filter=filter, before=before, limit=limit
        )
        while (one := await asyncio.to_thread(next, found, None)) is not None:
            yield one

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Do as `put`, in a thread."""
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Do as `put_writes`, in a thread."""
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Do as `delete_thread`, in a thread."""
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Do as `delete_for_runs`, in a thread."""
        await asyncio.to_thread(self.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Do as `copy_thread`, in a thread."""
        await asyncio.to_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Do as `prune`, in a thread."""
        await asyncio.to_thread(self.prune, thread_ids, strategy=strategy)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Do as `get_delta_channel_history`, in a thread."""
        return await asyncio.to_thread(
            self.get_delta_channel_history, config=config, channels=channels
        )


def _texts(texts: Sequence[str], what: str) -> Sequence[str]:
    if isinstance(texts, str):
        raise InvalidInputError(f"{what} is one text, {texts!r:.60}: use a list of them")
    return [checked_thread(text) for text in texts]


def _checked_ttl(ttl: timedelta | None) -> timedelta | None:
    if ttl is None:
        return None
    if not isinstance(ttl, timedelta) or not timedelta(0) < ttl <= _LONGEST_TTL:
        raise InvalidInputError(
            f"ttl is {ttl!r:.60}: use a timedelta of up to {_LONGEST_TTL.days:,} days, or None"
        )
    return ttl
