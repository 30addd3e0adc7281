"""`AsyncMemoryManager`: the verbs that an agent's loop uses, awaited."""

import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Self

from daybook.aio.awaiting import Awaiting, awaited, each
from daybook.deciding.off_loop import off_loop
from daybook.memory_manager import MemoryManager, checked_memory
from daybook.models import AgentSignal
from daybook.signals import Claim


class AsyncClaim(Awaiting[Claim]):
    """A claim for asyncio: `await claim.ack()`, or `async with claim as signal:`."""

    ack = awaited(Claim.ack)
    release = awaited(Claim.release)
    extend = awaited(Claim.extend)

    @property
    def signal(self) -> AgentSignal:
        """The signal."""
        return self.sync.signal

    async def __aenter__(self) -> AgentSignal:
        return self.sync.signal

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await off_loop(lambda: self.sync.__exit__(kind, error, trace))


class AsyncMemoryManager(Awaiting[MemoryManager]):
    """A `MemoryManager` for asyncio: `await memory.recall(…)`; the sync one is `.sync`.

    `async with` lets go of the spool in the end. Raises InvalidInputError when it is made of what
    is no MemoryManager.
    """

    def __init__(self, memory_manager: MemoryManager) -> None:
        super().__init__(checked_memory(memory_manager))

    recall = awaited(MemoryManager.recall)
    load_state = awaited(MemoryManager.load_state)
    save_state = awaited(MemoryManager.save_state)
    create_checkpoint = awaited(MemoryManager.create_checkpoint)
    list_checkpoints = awaited(MemoryManager.list_checkpoints)
    get_checkpoint = awaited(MemoryManager.get_checkpoint)
    rollback = awaited(MemoryManager.rollback)
    publish_signal = awaited(MemoryManager.publish_signal)
    pending_signals = awaited(MemoryManager.pending_signals)
    signal_status = awaited(MemoryManager.signal_status)
    register = awaited(MemoryManager.register)
    heartbeat = awaited(MemoryManager.heartbeat)
    agents = awaited(MemoryManager.agents)
    get_decision_stats = awaited(MemoryManager.get_decision_stats)
    flush = awaited(MemoryManager.flush)
    close = awaited(MemoryManager.close)

    async def claim_signals(
        self, limit: int = 10, visibility_seconds: int = 60
    ) -> list[AsyncClaim]:
        """Claim signals, as `MemoryManager.claim_signals` does."""
        claims = await off_loop(lambda: self.sync.claim_signals(limit, visibility_seconds))
        return [AsyncClaim(claim) for claim in claims]

    async def listen(
        self,
        visibility_seconds: int = 60,
        batch: int = 10,
        idle_min: float = 0.2,
        idle_max: float = 20.0,
        timeout: float | None = None,  # noqa: ASYNC109 - how long to listen, and not to wait
    ) -> AsyncIterator[AsyncClaim]:
        """Iterate claims as signals come, as `MemoryManager.listen` does.

        Ends with `break`, a cancellation, or after `timeout` seconds; what was claimed ahead is
        given back.
        """
        stop = threading.Event()
        claims = self.sync.listen(visibility_seconds, batch, idle_min, idle_max, stop, timeout)
        async with aclosing(each(claims, stop=stop.set)) as found:
            async for claim in found:
                yield AsyncClaim(claim)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
