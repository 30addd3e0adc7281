"""Decorated callables that are no `async def` and have to be awaited all the same."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from daybook import (
    DecisionLogger,
    DecisionRecord,
    DecisionType,
    InvalidInputError,
    current_decision,
    decision,
)

KIND = DecisionType.TOOL_SELECTION


class Tool:
    """An object whose call is a coroutine."""

    async def __call__(self, x: int) -> str:
        """Choose, or fail."""
        await asyncio.sleep(0.02)
        if x < 0:
            raise RuntimeError("no tool")
        return "a"


def plain(x: int) -> Awaitable[str]:
    """Return a coroutine."""
    return Tool()(x)


async def wrapped(x: int) -> str:
    """Choose, or fail."""
    return await Tool()(x)


@functools.wraps(wrapped)
def wrapper(x: int) -> Awaitable[str]:
    """Return the coroutine of what it wraps."""
    return wrapped(x)


def in_task(x: int) -> Awaitable[str]:
    """Return a task that runs already."""
    return asyncio.get_running_loop().create_task(Tool()(x))


async def awaited(work: Callable[[int], Awaitable[str]], x: int) -> str:
    """Await the call, in a task of its own."""
    return await work(x)


def only(log: DecisionLogger) -> DecisionRecord:
    """Return the one decision in the log."""
    (found,) = log.query_decisions()
    return found


callables = pytest.mark.parametrize(
    "function", [Tool(), functools.partial(Tool()), plain, wrapper, in_task]
)


@callables
def test_it_is_decided_when_it_has_been_awaited(log: DecisionLogger, function: Any) -> None:
    """The caller gets the same value, and that is the choice."""
    assert asyncio.run(awaited(decision(KIND, log=log)(function), 1)) == "a"
    read = only(log)
    assert (read.context.as_dict(), read.reasoning.selected) == ({"x": 1}, ["a"])
    assert read.outcome is not None
    assert read.outcome.success
    assert read.outcome.latency_ms is not None
    assert read.outcome.latency_ms >= 20


@callables
def test_its_exception_is_a_failure(log: DecisionLogger, function: Any) -> None:
    """An exception while it is awaited is that of the decision, and goes on."""
    with pytest.raises(RuntimeError, match="no tool"):
        asyncio.run(awaited(decision(KIND, log=log)(function), -1))
    outcome = only(log).outcome
    assert outcome is not None
    assert (outcome.success, outcome.error) == (False, "RuntimeError: no tool")


@callables
def test_its_cancellation_is_a_failure(log: DecisionLogger, function: Any) -> None:
    """As that of an `async def`."""

    async def cancelled() -> None:
        async with asyncio.timeout(0.005):
            await decision(KIND, log=log)(function)(1)

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())
    outcome = only(log).outcome
    assert outcome is not None
    assert (outcome.success, outcome.error) == (False, "CancelledError")


def test_a_method_that_returns_a_coroutine(log: DecisionLogger) -> None:
    """It knows whose log it is, by its object, and a call that does not fit is Python's error."""

    class Desk:
        def __init__(self) -> None:
            self.log = log

        @decision(KIND)
        def choose(self, x: int) -> Awaitable[str]:
            return Tool()(x)

    async def ask() -> str:
        return await Desk().choose(1)

    assert asyncio.run(ask()) == "a"
    assert only(log).context.as_dict() == {"x": 1}
    wrong: Any = decision(KIND, log=log)(plain)
    with pytest.raises(TypeError, match="missing 1 required"):
        wrong()


def test_an_object_with_an_async_call_counts_as_async(log: DecisionLogger) -> None:
    """What wraps it is a coroutine function; one whose call is a generator is refused."""

    class Items:
        async def __call__(self) -> AsyncIterator[int]:
            yield 1

    assert inspect.iscoroutinefunction(decision(KIND, log=log)(Tool()))
    with pytest.raises(InvalidInputError, match="a generator"):
        decision(KIND, log=log)(Items())


def test_the_caller_is_not_in_the_block_meanwhile(log: DecisionLogger) -> None:
    """What is decided in the call or its awaiting is a child; what the caller decides is not."""

    async def later() -> None:
        log.log_decision(KIND, selected="awaited", confidence=1.0)

    @decision(KIND, log=log)
    def choose() -> Awaitable[None]:
        log.log_decision(KIND, selected="called", confidence=1.0)
        return later()

    async def call() -> str:
        with log.deciding(KIND, selected="around", confidence=1.0) as around:
            work = choose()
            assert current_decision() is around
            log.log_decision(KIND, selected="beside", confidence=1.0)
            await asyncio.ensure_future(work)
            assert current_decision() is around
            return around.decision_id

    root = asyncio.run(call())
    beside, chosen = sorted(
        log.get_children(root), key=lambda each: each.reasoning.selected, reverse=True
    )
    assert (beside.reasoning.selected, chosen.reasoning.selected) == (["beside"], [])
    children = {tuple(each.reasoning.selected) for each in log.get_children(chosen.decision_id)}
    assert children == {("called",), ("awaited",)}


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_what_is_never_awaited_is_not_logged(log: DecisionLogger) -> None:
    """It has not run, and Python warns of it: as for an `async def`."""
    for function in (Tool(), plain):
        decision(KIND, log=log)(function)(1)
    assert list(log.query_decisions()) == []


def test_an_unfit_choice_of_an_awaited_call_is_told(log: DecisionLogger) -> None:
    """After the decision has been logged as the success that it was."""
    choose = decision(KIND, log=log, options=["b"])(plain)
    with pytest.raises(InvalidInputError, match="not an option"):
        asyncio.run(awaited(choose, 1))
    outcome = only(log).outcome
    assert outcome is not None
    assert outcome.success
