"""A supervisor: its loops start, fail, go on and end, each without the others."""

import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from daybook import (
    Exchange,
    InvalidInputError,
    LoopError,
    LoopState,
    LoopSupervisor,
    RestartPolicy,
    Tick,
    UnknownTargetError,
    symbiosis_score,
)
from tests.unit.loops.conftest import PATIENCE, MakeLoop, eventually

AT_ONCE = RestartPolicy(first_pause_s=0, most_failures=3)


@pytest.fixture
def supervisor() -> Iterator[LoopSupervisor]:
    """Give a supervisor that restarts at once; it is stopped in the end."""
    made = LoopSupervisor(restarts=AT_ONCE)
    yield made
    made.stop(PATIENCE)


def idle(_: Tick) -> None:
    """Do nothing."""


def fail(_: Tick) -> None:
    """Raise."""
    raise OSError("no")


def states(supervisor: LoopSupervisor) -> dict[str, LoopState]:
    """Return how each loop is."""
    return {loop.name: loop.state for loop in supervisor.loops}


def test_all_start_and_all_stop(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """Three hundred at once, a few times; no thread is left."""
    before = set(threading.enumerate())
    for number in range(300):
        supervisor.add(make(idle, name=f"agent-{number:03}", interval_s=3_600))
    for _ in range(3):
        supervisor.start()
        assert set(states(supervisor).values()) == {LoopState.RUNNING}
        assert supervisor.stop(PATIENCE)
        assert set(states(supervisor).values()) == {LoopState.STOPPED}
        assert set(threading.enumerate()) <= before
    assert supervisor.get_metrics().ticks >= 300
    assert [loop.name for loop in supervisor.loops][:2] == ["agent-000", "agent-001"]


def test_rapid_starts_and_stops_leave_no_thread(
    supervisor: LoopSupervisor, make: MakeLoop
) -> None:
    """A hundred times, with ten loops."""
    before = set(threading.enumerate())
    for number in range(10):
        supervisor.add(make(idle, name=f"agent-{number}", interval_s=3_600))
    for _ in range(100):
        supervisor.start()
        assert supervisor.stop(PATIENCE)
    assert set(threading.enumerate()) <= before


def test_a_loop_that_fails_is_restarted_and_given_up(
    supervisor: LoopSupervisor, make: MakeLoop
) -> None:
    """And its neighbours notice nothing."""
    failing = supervisor.add(make(fail, name="failing"))
    sound = supervisor.add(make(idle, name="sound", interval_s=0.001))
    with supervisor:
        eventually(lambda: failing.state == LoopState.FAILED)
        ticks = sound.get_metrics().ticks
        eventually(lambda: sound.get_metrics().ticks > ticks)
        assert sound.state == LoopState.RUNNING
    metrics = supervisor.get_metrics()
    assert (metrics.failures, metrics.restarts) == (3, 2)
    assert sound.get_metrics().failures == 0
    assert metrics.states == {LoopState.FAILED: 1, LoopState.STOPPED: 1}


def test_a_loop_with_a_policy_of_its_own(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """Its own counts, and not the supervisor's."""
    own = RestartPolicy(first_pause_s=0, most_failures=7)
    loop = supervisor.add(make(fail, restarts=own))
    supervisor.start()
    assert supervisor.join(PATIENCE)
    assert loop.get_metrics().failures == 7


def test_leaving_ends_one_loop_only(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """A step that calls `sys.exit` stops its own loop, and is not restarted."""

    def leave(_: Tick) -> None:
        raise SystemExit

    supervisor.add(make(leave, name="leaving"))
    supervisor.add(make(idle, name="staying", interval_s=3_600))
    with supervisor:
        eventually(lambda: states(supervisor)["leaving"] == LoopState.STOPPED)
        assert states(supervisor)["staying"] == LoopState.RUNNING


def test_loops_come_and_go_while_others_run(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """One that is added is started, one that is removed is stopped, and can be added again."""
    with supervisor:
        loop = supervisor.add(make(idle, name="scout"))
        assert loop.is_running
        assert supervisor.remove("scout", PATIENCE)
        assert (loop.state, supervisor.loops) == (LoopState.STOPPED, [])
        supervisor.add(loop)
        assert loop.is_running
    assert supervisor.stop()
    supervisor.remove("scout")
    loop.start()
    with pytest.raises(LoopError, match="is running, and has started without a supervisor"):
        supervisor.add(loop)


def test_what_cannot_be_added(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """A name that is taken, a loop that has a supervisor, and what is no loop."""
    loop = supervisor.add(make(idle, name="scout"))
    with pytest.raises(InvalidInputError, match="there is a loop 'scout' already"):
        supervisor.add(make(idle, name="scout"))
    for other in (supervisor, LoopSupervisor()):
        with pytest.raises(LoopError, match="has a supervisor already"):
            other.add(loop)
    nothing: Any = None
    policy: Any = 3
    with pytest.raises(InvalidInputError, match="None is no AgentLoop"):
        supervisor.add(nothing)
    assert supervisor.loops == [loop]
    with pytest.raises(InvalidInputError, match="is no RestartPolicy"):
        LoopSupervisor(restarts=policy)


@pytest.mark.parametrize("name", ["nobody", "", None, ["scout"]], ids=str)
def test_removing_whom_nobody_knows(supervisor: LoopSupervisor, name: Any) -> None:
    """It is refused."""
    with pytest.raises(InvalidInputError, match="no loop here has the name"):
        supervisor.remove(name)


def test_a_stuck_loop_stays(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """It is not removed before its step has ended, and stopping says that it has not."""
    free = threading.Event()

    def stick(_: Tick) -> None:
        free.wait(PATIENCE)

    stuck = supervisor.add(make(stick, name="stuck"))
    supervisor.add(make(idle, name="sound", interval_s=3_600))
    supervisor.start()
    eventually(lambda: stuck.get_metrics().ticks)
    assert not supervisor.remove("stuck", 0.01)
    assert not supervisor.stop(0.01)
    eventually(lambda: states(supervisor)["sound"] == LoopState.STOPPED)
    assert states(supervisor)["stuck"] == LoopState.STOPPING
    with pytest.raises(LoopError, match="the loop stuck was told to stop"):
        supervisor.start()
    assert states(supervisor)["sound"] == LoopState.STOPPED
    free.set()
    assert supervisor.remove("stuck", PATIENCE)
    assert supervisor.stop(PATIENCE)


def test_stopping_all_from_inside_a_step(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """Two steps do so at once, neither waits for the other, and all end."""
    both = threading.Barrier(2, timeout=PATIENCE)
    said: list[bool] = []

    def step(_: Tick) -> None:
        both.wait()
        said.append(supervisor.stop())

    for name in ("one", "two"):
        supervisor.add(make(step, name=name))
    supervisor.add(make(idle, name="three", interval_s=3_600))
    supervisor.start()
    assert supervisor.join(PATIENCE)
    assert said == [False, False]
    assert set(states(supervisor).values()) == {LoopState.STOPPED}


def test_stopping_all_from_inside_waits_for_nobody(
    supervisor: LoopSupervisor, make: MakeLoop
) -> None:
    """Not even for a loop that waits for the one that asks."""
    free = threading.Event()

    def wait(_: Tick) -> None:
        assert free.wait(PATIENCE)

    def step(_: Tick) -> None:
        assert not supervisor.stop()
        assert not supervisor.join()
        free.set()

    supervisor.add(make(wait, name="a-waiting"))
    supervisor.add(make(step, name="b-asking"))
    supervisor.start()
    assert supervisor.join(PATIENCE)
    assert supervisor.get_metrics().failures == 0


def test_removing_itself(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """A loop that removes itself ends after its step, and stays until it is removed."""
    said: list[bool] = []

    def step(tick: Tick) -> None:
        said.append(supervisor.remove(tick.loop))

    loop = supervisor.add(make(step))
    supervisor.start()
    assert loop.join(PATIENCE)
    assert (said, loop.state, supervisor.loops) == ([False], LoopState.STOPPED, [loop])


def test_starting_and_stopping_twice(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """Starting twice is refused; stopping what is stopped is nothing."""
    assert supervisor.stop()
    supervisor.start()
    supervisor.add(make(idle))
    with pytest.raises(LoopError, match="the supervisor is started already"):
        supervisor.start()
    assert supervisor.is_running
    assert supervisor.stop(PATIENCE)
    assert supervisor.stop()
    assert not supervisor.is_running


def test_no_thread_for_one_of_them(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """None is started then, and one that is added is not held."""
    for number in range(5):
        supervisor.add(make(idle, name=f"agent-{number}", interval_s=3_600))
    start, count = threading.Thread.start, iter(range(10))

    def scarce(thread: threading.Thread) -> None:
        if next(count) >= 3:
            raise RuntimeError("can't start new thread")
        start(thread)

    with (
        patch.object(threading.Thread, "start", scarce),
        pytest.raises(LoopError, match="the system gives no thread"),
    ):
        supervisor.start()
    assert supervisor.join(PATIENCE)
    assert not supervisor.is_running
    supervisor.start()
    with (
        patch.object(threading.Thread, "start", scarce),
        pytest.raises(LoopError, match="the system gives no thread"),
    ):
        supervisor.add(make(idle, name="late"))
    assert "late" not in states(supervisor)
    assert supervisor.post_to_all("hello") == 5


def test_what_one_tells_another(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """Messages go between loops and from outside, and make the collaboration graph."""
    heard: list[tuple[str | None, Any]] = []

    def scout(tick: Tick) -> None:
        heard.extend((message.sender, message.payload) for message in tick.messages)
        if tick.number == 1:
            tick.post("risk", {"level": 3})
        if heard:
            tick.stopping.set()

    def risk(tick: Tick) -> None:
        for message in tick.messages:
            if message.sender is not None:
                tick.post(message.sender, {"seen": message.payload})
                tick.stopping.set()

    supervisor.add(make(scout, name="scout"))
    supervisor.add(make(risk, name="risk"))
    assert supervisor.post("risk", "from outside")
    supervisor.start()
    assert supervisor.join(PATIENCE)
    assert heard == [("risk", {"seen": {"level": 3}})]
    graph = supervisor.get_collaboration()
    assert graph.exchanges == [
        Exchange(sender="risk", target="scout", sent=1, acted_on=1),
        Exchange(sender="scout", target="risk", sent=1, acted_on=1),
    ]
    assert symbiosis_score(graph) == 1
    with pytest.raises(UnknownTargetError, match="'nobody'"):
        supervisor.post("nobody", 1)


def test_a_failed_step_has_acted_on_nothing(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """What it received counts as received, and as not acted on."""

    def scout(tick: Tick) -> None:
        tick.post("risk", 1)
        tick.stopping.set()

    def risk(tick: Tick) -> None:
        if tick.messages:
            tick.stopping.set()
            raise OSError("no")

    supervisor.add(make(scout, name="scout"))
    supervisor.add(make(risk, name="risk"))
    supervisor.start()
    assert supervisor.join(PATIENCE)
    (exchange,) = supervisor.get_collaboration().exchanges
    assert (exchange.sent, exchange.acted_on) == (1, 0)
    assert supervisor.get_metrics().messages.received == 1


def test_metrics_add_up(supervisor: LoopSupervisor, make: MakeLoop) -> None:
    """Those of all are the sums of each, while the loops are at it, too."""

    def step(tick: Tick) -> None:
        tick.post_to_all(tick.number)
        tick.remember(tick.number)
        tick.stopping.wait(0.001)

    for number in range(5):
        supervisor.add(make(step, name=f"agent-{number}", inbox=3))
    with supervisor:
        for _ in range(50):
            metrics = supervisor.get_metrics()
            messages = metrics.messages
            assert messages.sent == messages.received + messages.dropped + messages.waiting
            assert metrics.ticks == sum(each.ticks for each in metrics.loops)
            for kind in ("sent", "received", "dropped", "waiting"):
                each = [getattr(loop.messages, kind) for loop in metrics.loops]
                assert getattr(messages, kind) == sum(each)
    metrics = supervisor.get_metrics()
    assert metrics.memory.entries == metrics.ticks > 0
    assert metrics.step_ms.p99 is not None
    assert repr(supervisor) == "<LoopSupervisor of 5 loops>"
