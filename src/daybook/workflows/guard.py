"""A guard around memory: what it does is never in a request's way, and never raises.

Each call runs in a thread of its own, a daemon, so that neither the loop's pool nor the end of the
program waits for a connection that does not answer.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import TypeVar

from daybook.deciding.faults import warned
from daybook.errors import UnreachableError
from daybook.workflows.measures import MemoryMeasures

Answer = TypeVar("Answer")

MOST_UNDER_WAY = 32
"""Calls that may be waiting for an answer; when so many are, the next one fails at once."""


class Guard:
    """Makes calls of memory within a time; what fails is logged to `daybook`, and counted."""

    def __init__(
        self, measures: MemoryMeasures, namespace: str, most_under_way: int = MOST_UNDER_WAY
    ) -> None:
        self._measures = measures
        self._namespace = namespace
        self._slots = threading.BoundedSemaphore(most_under_way)

    async def call(
        self, name: str, work: Callable[[], Answer], seconds: float
    ) -> tuple[bool, Answer | None]:
        """Return whether the work was done within so many seconds, and its answer.

        Work that takes longer goes on by itself, and what it answers is dropped.
        """
        if not self._slots.acquire(blocking=False):
            self._failed(name, UnreachableError("too many calls wait for an answer already"))
            return False, None
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()

        def tell(answer: Answer | None, fault: Exception | None) -> None:
            if answered.done():
                return
            if fault is None:
                answered.set_result(answer)  # type: ignore[arg-type] # the work's own
            else:
                answered.set_exception(fault)

        def run() -> None:
            answer: Answer | None = None
            failed: Exception | None = None
            try:
                answer = context.run(work)
            except Exception as fault:  # noqa: BLE001 - told to whoever waits
                failed = fault
            finally:
                self._slots.release()
            # the loop may have ended meanwhile
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, answer, failed)

        context = copy_context()
        try:
            threading.Thread(target=run, daemon=True, name=f"daybook-{name}").start()
        except RuntimeError as fault:
            self._slots.release()
            self._failed(name, fault)
            return False, None
        try:
            async with asyncio.timeout(seconds):
                return True, await answered
        except TimeoutError:
            self._failed(name, UnreachableError(f"it did not answer within {seconds:.3g} s"))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the request goes on
            self._failed(name, fault)
        return False, None

    def left_out(self, name: str) -> None:
        """Count a call that was not made: those before it took all the time there was."""
        self._failed(name, UnreachableError("the calls before it took all the time there was"))

    def _failed(self, name: str, fault: Exception) -> None:
        self._measures.failures.add(namespace=self._namespace, call=name)
        warned(f"memory failed at {name}, and the request goes on", fault)
