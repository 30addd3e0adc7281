"""Blocks in asyncio: the loop runs on, and a cancellation loses nothing."""

import asyncio
import threading
from typing import Any

import pytest

from daybook import DecisionBlock, DecisionLogger, DecisionType, MemoryManager, current_decision

KIND = DecisionType.OTHER


class Slow(MemoryManager):
    """Takes its time to write, tells in which threads, and perhaps fails."""

    def __init__(self, memory: MemoryManager, fault: Exception | None = None) -> None:
        super().__init__(memory.agent_id, memory.client_manager)
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.threads: set[str] = set()
        self.fault = fault

    def record_decision(self, draft: Any, *, is_new: bool = False) -> Any:
        """Wait, and write."""
        self.begun.set()
        self.threads.add(threading.current_thread().name)
        assert self.may_go_on.wait(10)
        if self.fault:
            raise self.fault
        return super().record_decision(draft, is_new=is_new)


def success_of(log: DecisionLogger, block: DecisionBlock) -> bool:
    """Return whether the log says that it succeeded."""
    outcome = log.get_decision(block.decision_id).outcome
    assert outcome is not None
    return outcome.success


def test_writing_does_not_block_the_loop(log: DecisionLogger) -> None:
    """While an end, and an early write, wait for the database, other tasks run on."""
    slow = Slow(log.memory)
    ticks = 0

    async def other() -> None:
        nonlocal ticks
        await asyncio.to_thread(slow.begun.wait, 10)
        for _ in range(5):
            await asyncio.sleep(0.001)
            ticks += 1
        slow.may_go_on.set()

    async def decide() -> DecisionBlock:
        beside = asyncio.create_task(other())
        async with DecisionLogger(slow).deciding(KIND, selected="x", confidence=0.5) as d:
            async with log.deciding(KIND, confidence=0.5):
                assert d.is_logged
            slow.begun.clear()
        await beside
        return d

    block = asyncio.run(decide())
    assert ticks == 5
    assert threading.main_thread().name not in slow.threads
    assert success_of(log, block)


@pytest.mark.parametrize("ended", [False, True])
def test_a_cancellation_loses_nothing(log: DecisionLogger, ended: bool) -> None:
    """Neither inside the block nor while it is being written; and it is not held up."""
    slow = Slow(log.memory)
    blocks: list[DecisionBlock] = []

    async def decide() -> None:
        async with DecisionLogger(slow).deciding(KIND, confidence=0.5) as d:
            blocks.append(d)
            await asyncio.sleep(0 if ended else 60)

    async def main() -> None:
        task = asyncio.create_task(decide())
        await asyncio.sleep(0.01)
        if ended:
            await asyncio.to_thread(slow.begun.wait, 10)
        else:
            slow.may_go_on.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
        slow.may_go_on.set()

    asyncio.run(main())
    assert success_of(log, blocks[0]) is ended
    if not ended:
        outcome = log.get_decision(blocks[0].decision_id).outcome
        assert outcome is not None
        assert outcome.error == "CancelledError"


def test_a_cancellation_in_a_crowded_pool_loses_nothing(log: DecisionLogger) -> None:
    """A write that waits for a thread when its task is cancelled is still made."""
    slow = Slow(log.memory)

    async def decide() -> None:
        async with DecisionLogger(slow).deciding(KIND, confidence=0.5):
            pass

    async def main() -> None:
        tasks = [asyncio.create_task(decide()) for _ in range(50)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
        slow.may_go_on.set()

    asyncio.run(main())
    assert len(list(log.query_decisions(success=True))) == 50


def test_the_control_loses_what_waits_in_the_pool() -> None:
    """The same with a plain to_thread: what had no thread yet is never done."""
    done: list[int] = []
    may_go_on = threading.Event()

    def work(n: int) -> None:
        may_go_on.wait(10)
        done.append(n)

    async def main() -> None:
        tasks = [asyncio.create_task(asyncio.to_thread(work, n)) for n in range(50)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        may_go_on.set()

    asyncio.run(main())
    assert len(done) < 50


def test_a_failure_after_a_cancellation_is_told(log: DecisionLogger) -> None:
    """Nobody waits for it any more, so the loop's exception handler hears of it."""
    slow = Slow(log.memory, OSError("disk"))
    told: list[dict[str, Any]] = []

    async def decide() -> None:
        async with DecisionLogger(slow).deciding(KIND, confidence=0.5):
            pass

    async def main() -> None:
        heard = asyncio.Event()

        def tell(_: object, what: dict[str, Any]) -> None:
            told.append(what)
            heard.set()

        asyncio.get_running_loop().set_exception_handler(tell)
        task = asyncio.create_task(decide())
        await asyncio.to_thread(slow.begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        slow.may_go_on.set()
        await asyncio.wait_for(heard.wait(), 10)

    asyncio.run(main())
    assert "disk" in told[0]["message"]


def test_a_coroutine_that_is_closed(log: DecisionLogger) -> None:
    """It may not wait, so it is written where it stands."""
    blocks: list[DecisionBlock] = []

    async def decide() -> None:
        async with log.deciding(KIND, confidence=0.5) as d:
            blocks.append(d)
            await asyncio.Event().wait()

    async def main() -> None:
        coroutine = decide()
        coroutine.send(None)
        coroutine.close()

    asyncio.run(main())
    outcome = log.get_decision(blocks[0].decision_id).outcome
    assert outcome is not None
    assert outcome.error == "GeneratorExit"


def test_a_task_that_outlives_its_block(log: DecisionLogger) -> None:
    """It was begun in the block, so its decisions are still what the block led to."""

    async def late(go: asyncio.Event) -> None:
        await go.wait()
        for _ in range(2):
            async with log.deciding(KIND, confidence=0.5):
                pass

    async def main() -> DecisionBlock:
        go = asyncio.Event()
        async with log.deciding(KIND, confidence=0.5) as d:
            task = asyncio.create_task(late(go))
            await asyncio.sleep(0)
        assert current_decision() is None
        go.set()
        await task
        return d

    block = asyncio.run(main())
    assert len(log.get_children(block.decision_id)) == 2


def test_a_block_that_ends_in_another_task(log: DecisionLogger) -> None:
    """As a fixture may: it is logged, and neither task is left in it."""

    async def main() -> None:
        block = log.deciding(KIND, confidence=0.5)
        await asyncio.gather(block.__aenter__())
        assert current_decision() is None
        await asyncio.gather(block.__aexit__(None, None, None))
        assert current_decision() is None
        assert success_of(log, block)

    asyncio.run(main())
