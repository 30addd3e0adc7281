"""The edge to asyncio: blocking work in a thread, and nothing lost to a cancellation."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")


async def off_loop(work: Callable[[], Result]) -> Result:
    """Run the work in the loop's thread pool and wait for what it returns.

    A cancellation is not held up: the work goes on in its thread, or stays in the pool's
    queue, and `asyncio.run` ends only after it. If it fails then, the loop's exception handler
    is told. Where no loop runs, or its pool is closed already, it runs here.
    """
    try:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, copy_context().run, work)
    except RuntimeError:
        return work()
    try:
        # a future that is cancelled while it waits in the pool's queue would never run
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(_tell)
        raise


def _tell(future: "asyncio.Future[Result]") -> None:
    fault = None if future.cancelled() else future.exception()
    if fault is not None:
        future.get_loop().call_exception_handler(
            {"message": f"work whose await was cancelled failed: {fault}", "exception": fault}
        )
