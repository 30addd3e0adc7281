"""What a step may raise, and what becomes of its loop."""

import asyncio

import pytest

from daybook import (
    LoopState,
    RestartPolicy,
    Tick,
)
from tests.unit.loops.conftest import PATIENCE, MakeLoop, eventually

QUICK = RestartPolicy(first_pause_s=0, most_failures=3)


def test_a_step_that_raises_ends_the_loop(
    make: MakeLoop, caplog: pytest.LogCaptureFixture
) -> None:
    """Without restarts; what it raised is kept and logged, and the loop can be started again."""

    def step(_: Tick) -> None:
        raise ValueError("the price is gone")

    loop = make(step)
    for run in (1, 2):
        loop.start()
        assert loop.join(PATIENCE)
        metrics = loop.get_metrics()
        assert (metrics.state, metrics.failures, metrics.failures_in_a_row) == ("failed", run, 1)
        assert metrics.last_error == "ValueError: the price is gone"
        assert isinstance(loop.error, ValueError)
    assert "has ended: its step raised" in caplog.text
    assert "the price is gone" in caplog.text


def test_a_policy_of_its_own(make: MakeLoop) -> None:
    """It goes on after failures, and gives up after three in a row; a good step ends the row."""
    fails = [True, True, False, True, True, True, False]
    rows: list[int] = []

    def step(tick: Tick) -> None:
        rows.append(tick.failures)
        if fails[tick.number - 1]:
            raise OSError("no")

    loop = make(step, restarts=QUICK)
    loop.start()
    assert loop.join(PATIENCE)
    metrics = loop.get_metrics()
    assert rows == [0, 1, 2, 0, 1, 2]
    assert (metrics.state, metrics.ticks, metrics.failures) == (LoopState.FAILED, 6, 5)
    assert (metrics.restarts, metrics.failures_in_a_row) == (4, 3)


def test_stopping_ends_the_pause_before_a_restart(make: MakeLoop) -> None:
    """A loop that pauses for an hour ends at once; no restart is counted."""

    def step(_: Tick) -> None:
        raise OSError("no")

    loop = make(step, restarts=RestartPolicy(first_pause_s=3_600, longest_pause_s=3_600))
    loop.start()
    eventually(lambda: loop.state == LoopState.RESTARTING)
    assert loop.stop(PATIENCE)
    assert (loop.state, loop.get_metrics().restarts) == (LoopState.STOPPED, 0)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_a_step_that_leaves_stops_its_loop(make: MakeLoop, error: BaseException) -> None:
    """It is no failure, so there is no restart; and nothing else ends."""

    def step(_: Tick) -> None:
        raise error

    loop = make(step, restarts=QUICK)
    loop.start()
    assert loop.join(PATIENCE)
    metrics = loop.get_metrics()
    assert (metrics.state, metrics.ticks, metrics.failures) == (LoopState.STOPPED, 1, 0)
    assert loop.error is error


class HostileError(Exception):
    """An error that cannot even be written down."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "error",
    [HostileError(), GeneratorExit(), asyncio.CancelledError(), RecursionError(), MemoryError()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_raised_is_a_failure(make: MakeLoop, error: BaseException) -> None:
    """The loop goes on after errors that are no `Exception`, or have no text."""

    def step(tick: Tick) -> None:
        if tick.number == 1:
            raise error
        tick.stopping.set()

    loop = make(step, restarts=QUICK)
    loop.start()
    assert loop.join(PATIENCE)
    metrics = loop.get_metrics()
    assert (metrics.state, metrics.failures, metrics.restarts) == (LoopState.STOPPED, 1, 1)
    assert (metrics.last_error or "").startswith(type(error).__name__)


async def _async_step(_: Tick) -> None:
    """Be awaited by nobody."""


def test_a_step_that_returns_a_coroutine(make: MakeLoop) -> None:
    """A coroutine that nobody would await is a failure, and not nothing."""

    def step(tick: Tick) -> object:
        return _async_step(tick)

    loop = make(step)
    loop.start()
    assert loop.join(PATIENCE)
    assert (loop.get_metrics().last_error or "").startswith(
        "InvalidInputError: the step returned a coroutine"
    )
