"""A loop: when it calls its step, what it gives it, and what it says of itself."""

import math
import time
from contextvars import ContextVar
from typing import Any

import pytest

from daybook import (
    AgentLoop,
    InvalidInputError,
    LoopState,
    MemoryManager,
    RestartPolicy,
    Tick,
    UnknownTargetError,
    WorkingMemoryConfig,
)
from tests.unit.loops.conftest import PATIENCE, MakeLoop, Timer

QUICK = RestartPolicy(first_pause_s=0, most_failures=3)


def idle(_: Tick) -> None:
    """Do nothing."""


def until(count: int, seen: list[Tick]) -> Any:
    """Make a step that notes its ticks, and ends the loop after so many."""

    def step(tick: Tick) -> None:
        seen.append(tick)
        if len(seen) == count:
            tick.stopping.set()

    return step


def test_the_step_is_called_again_and_again(make: MakeLoop) -> None:
    """With a number from 1; its thread ends with the loop."""
    seen: list[Tick] = []
    loop = make(until(5, seen), name="scout")
    assert (loop.state, loop.is_running) == (LoopState.NEW, False)
    loop.start()
    assert loop.join(PATIENCE)
    assert [tick.number for tick in seen] == [1, 2, 3, 4, 5]
    assert {tick.loop for tick in seen} == {"scout"}
    assert (loop.state, loop.is_running) == (LoopState.STOPPED, False)


def test_beats_keep_to_their_interval(make: MakeLoop) -> None:
    """In half a second some fifty beats come due, and no more than that are run or missed."""
    loop = make(idle, interval_s=0.01)
    began = time.monotonic()
    with loop:
        time.sleep(0.5)
        least = (time.monotonic() - began) / 0.01
    most = (time.monotonic() - began) / 0.01
    metrics = loop.get_metrics()
    assert least / 2 <= metrics.ticks + metrics.missed_beats <= most + 1
    assert metrics.delay_ms.p99 is not None


def test_missed_beats_are_counted_and_not_made_up_for(make: MakeLoop, timer: Timer) -> None:
    """A step of three intervals misses two, each time; it is never called to catch up."""
    seen: list[Tick] = []
    end = until(4, seen)

    def step(tick: Tick) -> None:
        timer.seconds += 30
        end(tick)

    loop = make(step, interval_s=10, timer=timer)
    loop.start()
    assert loop.join(PATIENCE)
    metrics = loop.get_metrics()
    assert (metrics.ticks, metrics.missed_beats) == (4, 8)
    assert metrics.step_ms.p50 == pytest.approx(30_000, rel=0.01)
    assert metrics.delay_ms.p99 == 0


def test_metrics_tell_slow_steps_from_quick_ones(make: MakeLoop, timer: Timer) -> None:
    """Of a hundred steps two take a second, and the others ten milliseconds."""
    seen: list[Tick] = []
    end = until(100, seen)

    def step(tick: Tick) -> None:
        timer.seconds += 1 if tick.number in {50, 60} else 0.01
        end(tick)

    loop = make(step, timer=timer)
    assert loop.get_metrics().step_ms.p99 is None
    loop.start()
    assert loop.join(PATIENCE)
    metrics = loop.get_metrics()
    assert metrics.step_ms.p50 == pytest.approx(10, rel=0.01)
    assert metrics.step_ms.p95 == pytest.approx(10, rel=0.01)
    assert metrics.step_ms.p99 == pytest.approx(1_000, rel=0.01)
    assert (metrics.delay_ms.p50, metrics.missed_beats) == (None, 0)


def test_messages_are_handed_out_once(make: MakeLoop) -> None:
    """Also when the step then raises: what must not be lost does not go by the bus."""
    got: list[Any] = []

    def step(tick: Tick) -> None:
        got.append([message.payload for message in tick.messages])
        if tick.number == 1:
            assert tick.post(tick.loop, {"n": 1})
        elif tick.number == 2:
            raise OSError("no")
        else:
            tick.stopping.set()

    loop = make(step, restarts=QUICK)
    loop.start()
    assert loop.join(PATIENCE)
    assert got == [[], [{"n": 1}], []]
    messages = loop.get_metrics().messages
    assert (messages.sent, messages.received, messages.waiting) == (1, 1, 0)


def test_a_loop_alone_has_nobody_to_tell(make: MakeLoop) -> None:
    """Posting to another one is refused, and to all reaches none."""
    said: list[Any] = []

    def step(tick: Tick) -> None:
        tick.stopping.set()
        said.append(tick.post_to_all("hello"))
        tick.post("risk", "hello")

    loop = make(step)
    loop.start()
    assert loop.join(PATIENCE)
    assert said == [0]
    assert isinstance(loop.error, UnknownTargetError)


def test_the_handle_of_the_loop(daybook_memory: MemoryManager) -> None:
    """A step gets the handle that the loop was given, and the loop the agent's id as its name."""
    seen: list[Tick] = []
    loop = AgentLoop(daybook_memory, until(1, seen), interval_s=0)
    loop.start()
    assert loop.join(PATIENCE)
    assert seen[0].memory is daybook_memory
    assert (loop.name, seen[0].loop) == ("test-agent", "test-agent")


def test_a_loop_without_a_handle(make: MakeLoop) -> None:
    """It runs, and asking for the handle says what to do."""
    seen: list[Tick] = []
    loop = make(until(1, seen))
    loop.start()
    assert loop.join(PATIENCE)
    with pytest.raises(InvalidInputError, match="has no memory manager: pass one to AgentLoop"):
        _ = seen[0].memory


def test_nothing_is_carried_from_tick_to_tick(make: MakeLoop) -> None:
    """What a step sets in its context, an open block say, is gone with the next tick."""
    variable: ContextVar[int] = ContextVar("variable", default=0)
    seen: list[int] = []

    def step(tick: Tick) -> None:
        seen.append(variable.get())
        variable.set(tick.number)
        if tick.number == 3:
            tick.stopping.set()

    loop = make(step)
    loop.start()
    assert loop.join(PATIENCE)
    assert seen == [0, 0, 0]


def test_working_memory_is_in_the_metrics(make: MakeLoop) -> None:
    """With its ratio, once it is packed."""

    def step(tick: Tick) -> None:
        tick.remember({"note": "the price moved as the pattern said it would", "n": tick.number})
        if tick.number == 100:
            tick.stopping.set()

    loop = make(step, working_memory=WorkingMemoryConfig(max_entries=20))
    loop.start()
    assert loop.join(PATIENCE)
    memory = loop.get_metrics().memory
    assert (memory.entries, memory.forgotten) == (100, 0)
    assert memory.blocks > 0
    assert memory.compression_ratio is not None
    assert memory.compression_ratio > 2


async def _async_step(_: Tick) -> None:
    """Be awaited by nobody."""


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"step": None}, "None is no step"),
        ({"step": _async_step}, "is async, and a loop has a thread"),
        ({"memory_manager": "scout"}, "is no MemoryManager"),
        ({"interval_s": -1}, "interval_s is a number of seconds"),
        ({"interval_s": math.nan}, "interval_s is a number of seconds"),
        ({"interval_s": 1e-6}, "use 0 for at once"),
        ({"name": ""}, "is not an agent id"),
        ({"name": 7}, "is not an agent id"),
        ({"inbox": 0}, "inbox is a whole number from 1"),
        ({"restarts": 3}, "is no RestartPolicy"),
        ({"working_memory": 100}, "is no WorkingMemoryConfig"),
    ],
    ids=[
        "no step", "async", "no handle", "negative", "NaN", "too short",
        "no name", "a number", "no inbox", "no policy", "no config",
    ],
)  # fmt: skip
def test_loops_that_cannot_be(given: dict[str, Any], match: str) -> None:
    """Each is refused when it is made."""
    with pytest.raises(InvalidInputError, match=match):
        AgentLoop(**{"memory_manager": None, "step": idle} | given)
