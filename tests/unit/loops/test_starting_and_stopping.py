"""A loop is started and stopped, by whomever and however often."""

import math
import subprocess
import sys
import threading
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from daybook import (
    AgentLoop,
    InvalidInputError,
    LoopError,
    LoopState,
    Tick,
)
from tests.unit.loops.conftest import PATIENCE, MakeLoop, eventually


def idle(_: Tick) -> None:
    """Do nothing."""


def test_starting_twice_is_refused(make: MakeLoop) -> None:
    """It goes on as it was."""
    loop = make(idle, interval_s=60)
    loop.start()
    with pytest.raises(LoopError, match="the loop loop is running already: stop it first"):
        loop.start()
    assert loop.state == LoopState.RUNNING
    assert loop.stop(PATIENCE)


def test_stopping_what_was_never_started() -> None:
    """It is at rest, and stays new."""
    loop = AgentLoop(None, idle)
    assert loop.stop()
    assert loop.join()
    assert loop.state == LoopState.NEW


def test_stopping_does_not_wait_for_the_next_beat(make: MakeLoop) -> None:
    """A loop that waits for an hour ends at once."""
    loop = make(idle, interval_s=3_600)
    loop.start()
    eventually(lambda: loop.get_metrics().ticks == 1)
    assert loop.stop(PATIENCE)


def test_it_starts_again(make: MakeLoop) -> None:
    """Its counts, its numbers and what it remembers go on; each start has a beat at once."""
    seen: list[list[Any]] = []

    def step(tick: Tick) -> None:
        tick.remember(tick.number)
        seen.append(list(tick.recollect()))

    def reached(run: int) -> bool:
        return len(seen) == run

    loop = make(step, interval_s=3_600)
    for run in range(1, 4):
        loop.start()
        eventually(partial(reached, run))
        assert loop.stop(PATIENCE)
    assert seen == [[1], [1, 2], [1, 2, 3]]
    metrics = loop.get_metrics()
    assert (metrics.ticks, metrics.missed_beats, metrics.memory.entries) == (3, 0, 3)


@pytest.mark.parametrize("how", ["stop", "stopping", "join"])
def test_stopping_from_inside_the_step(make: MakeLoop, how: str) -> None:
    """It waits for nothing, tells that the loop has not ended yet, and then it ends."""
    said: list[bool] = []

    def step(tick: Tick) -> None:
        if how == "stop":
            said.append(loop.stop())
        elif how == "join":
            said.append(loop.join())
        tick.stopping.set()

    loop = make(step)
    loop.start()
    assert loop.join(PATIENCE)
    assert said == ([] if how == "stopping" else [False])
    assert (loop.state, loop.get_metrics().ticks) == (LoopState.STOPPED, 1)


def test_a_step_that_does_not_return(make: MakeLoop) -> None:
    """Stopping says so, the metrics say for how long, and it is not started a second time."""
    free = threading.Event()
    loop = make(lambda _: free.wait(PATIENCE), name="stuck")
    loop.start()
    eventually(lambda: loop.get_metrics().busy_s > 0)
    assert not loop.stop(timeout=0.01)
    assert (loop.state, loop.is_running) == (LoopState.STOPPING, True)
    with pytest.raises(LoopError, match="the loop stuck is running already"):
        loop.start()
    free.set()
    assert loop.stop(PATIENCE)
    assert (loop.state, loop.get_metrics().busy_s) == (LoopState.STOPPED, 0)


def test_no_thread_is_left(make: MakeLoop) -> None:
    """A system that is out of threads is told, and the loop is as it was."""
    loop = make(idle)
    with (
        patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start")),
        pytest.raises(LoopError, match="the system gives no thread: can't start"),
    ):
        loop.start()
    assert (loop.state, loop.is_running, loop.stop()) == (LoopState.NEW, False, True)


def test_a_hundred_rapid_starts_and_stops_leave_no_thread(make: MakeLoop) -> None:
    """A loop that is started and stopped a hundred times leaves as many threads as there were."""
    loop = make(idle, interval_s=3_600)
    before = set(threading.enumerate())
    loop.start()
    assert not set(threading.enumerate()) <= before  # the control: one that runs is seen
    assert loop.stop(PATIENCE)
    for _ in range(100):
        loop.start()
        assert loop.stop(PATIENCE)
    assert set(threading.enumerate()) <= before
    assert loop.state == LoopState.STOPPED


def test_threads_that_start_and_stop_one_loop(make: MakeLoop) -> None:
    """Of eight that start it at once one does; nobody's stop is lost, and no thread stays."""
    loop = make(idle, interval_s=3_600)
    before = set(threading.enumerate())
    for _ in range(20):
        refused: list[LoopError] = []

        def start(refused: list[LoopError] = refused) -> None:
            try:
                loop.start()
            except LoopError as error:
                refused.append(error)

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 7
        assert loop.stop(PATIENCE)
    assert set(threading.enumerate()) <= before


FORKING = """
import os, sys
from daybook import AgentLoop

loop = AgentLoop(None, lambda tick: None, interval_s=3_600)
loop.start()
child = os.fork()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert loop.is_running
else:
    assert (loop.state, loop.is_running, loop.stop()) == ("stopped", False, True)
    loop.start()
    assert loop.is_running and loop.stop(30)
    os._exit(0)
"""


def test_a_forked_process_has_no_loop_running() -> None:
    """A thread does not come along: the child's loop is stopped, and can be started there."""
    subprocess.run([sys.executable, "-c", FORKING], check=True, timeout=PATIENCE)


@pytest.mark.parametrize("timeout", [-1, math.nan, "1", True], ids=str)
def test_timeouts_that_cannot_be(make: MakeLoop, timeout: Any) -> None:
    """They are refused before anything is stopped."""
    loop = make(idle, interval_s=3_600)
    loop.start()
    for verb in (loop.stop, loop.join):
        with pytest.raises(InvalidInputError, match="timeout is a number of seconds"):
            verb(timeout)
    assert loop.state == LoopState.RUNNING
