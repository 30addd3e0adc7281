"""A hundred and twenty loops in one process: all live, nothing is dropped that need not be.

`pytest -m campaign tests/faults/test_loops.py -s` runs a minute of it and prints its figures.
"""

import logging
import threading
import time
from uuid import uuid4

import pytest

from daybook import (
    AgentLoop,
    AWSClientManager,
    DecisionLogger,
    LoopState,
    LoopSupervisor,
    MemoryManager,
    RestartPolicy,
    SupervisorMetrics,
    Tick,
    WorkingMemoryConfig,
    symbiosis_score,
)

LOOPS = 120
PATIENCE = 60
NAMES = [f"agent-{number:03}" for number in range(LOOPS)]
AGAIN = RestartPolicy(first_pause_s=0.01, longest_pause_s=0.1, most_failures=10**6)


def neighbourly(tick: Tick) -> None:
    """Do what an agent does: answer, ask a neighbour, think for a little, remember."""
    for message in tick.messages:
        if message.sender and message.payload["ask"]:
            tick.post(message.sender, {"ask": False, "n": tick.number})
    own = NAMES.index(tick.loop)
    tick.post(NAMES[(own + tick.number) % LOOPS], {"ask": True, "n": tick.number})
    thought = sum(number * number for number in range(2_000))
    tick.remember({"tick": tick.number, "thought": thought, "heard": len(tick.messages)})


def failing_now_and_then(tick: Tick) -> None:
    """Do so, and raise in one tick of ten."""
    neighbourly(tick)
    if tick.number % 10 == 0:
        raise OSError("the exchange does not answer")


def adds_up(metrics: SupervisorMetrics) -> bool:
    """Whether every message is accounted for."""
    messages = metrics.messages
    return messages.sent == messages.received + messages.dropped + messages.waiting


def live(seconds: float, *, inbox: int = 1_000) -> SupervisorMetrics:
    """Let 120 loops beat every second or oftener, ten of which fail at times; check and return."""
    supervisor = LoopSupervisor(restarts=AGAIN)
    interval = min(1.0, seconds / 10)
    before = set(threading.enumerate())
    for number, name in enumerate(NAMES):
        step = failing_now_and_then if number % 12 == 0 else neighbourly
        memory = WorkingMemoryConfig(max_entries=5)
        loop = AgentLoop(
            None, step, name=name, interval_s=interval, inbox=inbox, working_memory=memory
        )
        supervisor.add(loop)
    with supervisor:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            assert adds_up(supervisor.get_metrics())
            time.sleep(0.2)
        at_work = supervisor.get_metrics()
        score = symbiosis_score(supervisor.get_collaboration())
    metrics = supervisor.get_metrics()
    assert set(at_work.states) <= {LoopState.RUNNING, LoopState.RESTARTING}
    assert sum(at_work.states.values()) == LOOPS
    assert metrics.states == {LoopState.STOPPED: LOOPS}
    assert all(each.ticks >= 5 for each in metrics.loops)
    assert metrics.failures == metrics.restarts > 0
    assert adds_up(metrics)
    assert set(threading.enumerate()) <= before
    print(  # noqa: T201 - the campaign's figures
        f"\n{LOOPS} loops, {seconds:g} s, every {interval:g} s: {metrics.ticks} ticks, "
        f"{metrics.failures} failures, {metrics.missed_beats} missed beats\n"
        f"step ms {metrics.step_ms}, delay ms {metrics.delay_ms}\n"
        f"messages {metrics.messages}\nmemory {metrics.memory}\nsymbiosis {score:.3f}"
    )
    return metrics


def check_all_is_well(metrics: SupervisorMetrics) -> None:
    """Check what holds under normal load."""
    assert metrics.messages.dropped == 0
    assert metrics.messages.sent > LOOPS * 5
    assert metrics.step_ms.p99 is not None
    assert metrics.delay_ms.p99 is not None
    assert metrics.memory.compression_ratio is not None
    assert metrics.memory.compression_ratio > 1
    assert metrics.memory.entries == metrics.ticks


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    # hundreds of failures on purpose: what is logged of one, the unit tests look at
    caplog.set_level(logging.CRITICAL, "daybook")


def test_a_few_seconds_of_120_loops() -> None:
    """None dies, none of their messages is dropped, and what was remembered is all there."""
    check_all_is_well(live(2.5))


def test_too_small_inboxes_drop_and_count() -> None:
    """The control: with room for one message each the same load drops, and each is counted."""
    metrics = live(1, inbox=1)
    assert metrics.messages.dropped > 0


@pytest.mark.campaign
def test_a_minute_of_120_loops() -> None:
    """A minute of one beat a second."""
    metrics = live(60)
    check_all_is_well(metrics)
    assert metrics.step_ms.p99
    assert metrics.step_ms.p99 < 100
    assert metrics.missed_beats == 0


def test_overload_is_counted_exactly() -> None:
    """Loops that shout at a few that sleep: what is sent is received, dropped or waits."""
    supervisor = LoopSupervisor()
    slow = NAMES[:3]

    def shout(tick: Tick) -> None:
        for name in slow:
            tick.post(name, tick.number)
        # so that the sleepers are reached, and the test does not only count its own noise
        tick.stopping.wait(0.001)

    def sleep(tick: Tick) -> None:
        tick.stopping.wait(0.1)

    for name in NAMES[:40]:
        step = sleep if name in slow else shout
        supervisor.add(AgentLoop(None, step, name=name, interval_s=0, inbox=50))
    with supervisor:
        ends = time.monotonic() + 1
        while time.monotonic() < ends:
            assert adds_up(supervisor.get_metrics())
    metrics = supervisor.get_metrics()
    assert adds_up(metrics)
    assert metrics.messages.dropped > metrics.messages.received > 0
    for loop in metrics.loops:
        assert (loop.messages.dropped > 0) == (loop.name in slow)
        assert loop.messages.waiting <= 50


def log_decisions(
    database: AWSClientManager, folder: str, loops: int, beats: int
) -> SupervisorMetrics:
    """Let loops decide once a second through a spool; check that all of it is in the log."""
    supervisor = LoopSupervisor()
    handles = [
        MemoryManager(f"agent-{uuid4().hex}", database, spool=f"{folder}/spool.db")
        for _ in range(loops)
    ]

    def step(tick: Tick) -> None:
        log = DecisionLogger(tick.memory)
        decision_id = log.log_decision("other", confidence=0.5, context={"tick": tick.number})
        log.log_outcome(decision_id, "other", success=True)
        if tick.number == beats:
            tick.stopping.set()

    for handle in handles:
        supervisor.add(AgentLoop(handle, step))
    supervisor.start()
    assert supervisor.join(PATIENCE + beats)
    for handle in handles:
        assert handle.flush(PATIENCE)
        logged = list(DecisionLogger(handle).query_decisions(success=True))
        assert sorted(each.context.as_dict()["tick"] for each in logged) == [*range(1, beats + 1)]
        handle.close()
    metrics = supervisor.get_metrics()
    assert (metrics.ticks, metrics.failures) == (loops * beats, 0)
    print(f"\n{loops} loops that log: step ms {metrics.step_ms}, delay {metrics.delay_ms}")  # noqa: T201
    return metrics


def test_120_loops_log_their_decisions(
    database: AWSClientManager, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Three decisions each, with their outcomes: none fails, and all are in the log."""
    log_decisions(database, str(tmp_path_factory.mktemp("spool")), LOOPS, 3)
