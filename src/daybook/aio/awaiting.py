"""The verbs, awaited: each is the sync one, run in the loop's thread pool.

Nothing is written twice: an awaited verb takes its signature and its words from the sync one.
"""

import functools
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from itertools import islice
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from daybook.deciding.off_loop import off_loop

Sync = TypeVar("Sync")
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Item = TypeVar("Item")


class Awaiting(Generic[Sync]):
    """What has awaited verbs; `sync` is what has them otherwise."""

    def __init__(self, sync: Sync) -> None:
        self.sync = sync


def awaited(
    method: Callable[Concatenate[Any, Arguments], Answer],
) -> Callable[Concatenate[Any, Arguments], Coroutine[Any, Any, Answer]]:
    """Return a method of the same signature, to be awaited.

    When the await is cancelled, the verb itself goes on: what it writes is written.
    """

    @functools.wraps(method)
    async def call(self: Any, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        return await off_loop(functools.partial(method, self.sync, *args, **kwargs))

    return call


def iterated(
    method: Callable[Concatenate[Any, Arguments], Iterator[Item]], at_once: int = 1
) -> Callable[Concatenate[Any, Arguments], AsyncIterator[Item]]:
    """Return a method of the same signature, for `async for`."""

    @functools.wraps(method)
    async def iterate(
        self: Any, /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> AsyncIterator[Item]:
        async with aclosing(each(method(self.sync, *args, **kwargs), at_once)) as items:
            async for item in items:
                yield item

    return iterate


async def each(
    items: Iterator[Item], at_once: int = 1, stop: Callable[[], object] = bool
) -> AsyncGenerator[Item]:
    """Iterate what takes time to come, `at_once` for each way to a thread and back.

    When the iteration ends, also early, `stop` is called, which makes the iterator end soon if
    it is waiting, and then the iterator is closed.
    """
    turn = threading.Lock()

    def take() -> list[Item]:
        with turn:
            return list(islice(items, at_once))

    def close() -> None:
        # not while a thread is in it, as one is whose await was cancelled
        with turn:
            getattr(items, "close", lambda: None)()

    try:
        while taken := await off_loop(take):
            for item in taken:
                yield item
    finally:
        stop()
        await off_loop(close)
