"""Listening: adaptive polling, bounded claiming ahead, and an orderly end."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daybook import (
    AWSClientManager,
    Claim,
    ClaimExpiredError,
    InvalidInputError,
    MemoryManager,
    StorageError,
)
from daybook.settings import Settings
from daybook.testing import local_aws


@dataclass
class Time:
    """A clock and a timer that only go on when somebody sleeps or works."""

    seconds: float = 0.0
    naps: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        """Return the time."""
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def timer(self) -> float:
        """Return the seconds that have passed."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass, idle."""
        self.naps.append(seconds)
        self.seconds += seconds


@pytest.fixture
def time() -> Time:
    """Give the time."""
    return Time()


@pytest.fixture
def manager(time: Time) -> Iterator[AWSClientManager]:
    """Give a client manager on moto, on that clock."""
    with local_aws(settings=Settings(), clock=time.clock) as made:
        yield made


@pytest.fixture
def memory(manager: AWSClientManager) -> MemoryManager:
    """Give an agent that can send itself signals."""
    made = MemoryManager("scout", manager)
    made.register()
    return made


def send(memory: MemoryManager, count: int) -> None:
    """Send signals to the agent itself."""
    for number in range(count):
        memory.publish_signal("request", {"n": number}, [memory.agent_id])


def listen(memory: MemoryManager, time: Time, **more: Any) -> Iterator[Claim]:
    """Listen on that clock."""
    return memory.listen(sleep=time.sleep, timer=time.timer, **more)


def test_everything_comes_one_by_one(memory: MemoryManager, time: Time) -> None:
    """Each signal once, acknowledged, until the time is over."""
    send(memory, 25)
    seen = []
    for claim in listen(memory, time, timeout=30):
        with claim as signal:
            seen.append(signal.payload["n"])
    assert sorted(seen) == list(range(25))
    assert time.seconds == pytest.approx(30)


def test_naps_grow_with_jitter_and_shrink_after_a_signal(
    memory: MemoryManager, time: Time
) -> None:
    """Doubling from the shortest to the longest; short again once something came."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if len(time.naps) == 8:
            send(memory, 1)

    claims = memory.listen(sleep=sleep, timer=time.timer, idle_min=1.0, idle_max=8.0, timeout=200)
    next(claims).ack()
    ceilings = [1, 2, 4, 8, 8, 8, 8, 8]
    assert all(top / 2 <= nap <= top for nap, top in zip(time.naps, ceilings, strict=True))
    assert len(set(time.naps)) == 8
    list(claims)
    assert 0.5 <= time.naps[8] <= 1.0


def test_slow_workers_claim_one_at_a_time(memory: MemoryManager, time: Time) -> None:
    """What takes longer than a quarter of the visibility is not claimed ahead: none lapses."""
    send(memory, 6)
    attempts: list[int] = []
    for claim in listen(memory, time, visibility_seconds=60, timeout=400):
        assert len(memory.pending_signals()) == 5 - len(attempts)
        time.seconds += 50
        claim.ack()
        attempts.append(claim.attempt)
    assert attempts == [1] * 6


def test_fast_workers_claim_whole_batches(memory: MemoryManager, time: Time) -> None:
    """After the first, as many as `batch` allows."""
    send(memory, 12)
    left = []
    for claim in listen(memory, time, batch=4, timeout=10):
        claim.ack()
        left.append(len(memory.pending_signals()))
    assert left == [11, 7, 7, 7, 7, 3, 3, 3, 3, 0, 0, 0]


def test_what_was_not_handed_out_is_given_back(memory: MemoryManager, time: Time) -> None:
    """At once, and without counting as an attempt; what was handed out stays claimed."""
    send(memory, 10)
    claims = listen(memory, time, timeout=100)
    next(claims).ack()
    held = next(claims)
    assert memory.pending_signals() == []
    claims.close()  # type: ignore[attr-defined]
    assert len(memory.pending_signals()) == 8
    assert {claim.attempt for claim in memory.claim_signals(100)} == {1}
    held.ack()


def test_a_worker_that_slows_down_extends(memory: MemoryManager, time: Time) -> None:
    """What was claimed ahead has half its time left when handed out, or somebody else has it."""
    send(memory, 5)
    claims = listen(memory, time, visibility_seconds=60, timeout=1000)
    next(claims).ack()
    next(claims).ack()
    time.seconds += 40
    third = next(claims)
    assert third.visible_until == time.clock() + timedelta(seconds=60)
    third.ack()
    time.seconds += 61
    others = memory.claim_signals(visibility_seconds=10)
    assert len(others) == 2
    late = next(claims)
    assert late.attempt == 3
    with pytest.raises(ClaimExpiredError):
        others[0].ack()


def test_stop_ends_it(memory: MemoryManager, time: Time) -> None:
    """Between two claims; whatever was claimed ahead is given back."""
    send(memory, 5)
    stop = threading.Event()
    for number, claim in enumerate(listen(memory, time, stop=stop)):
        claim.ack()
        if number == 2:
            stop.set()
    assert len(memory.pending_signals()) == 2
    assert list(memory.listen(stop=stop)) == []


def test_clocks_that_differ(
    memory: MemoryManager, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims made by the clock of another machine are handed out: only time passed counts."""
    send(memory, 3)
    monkeypatch.setattr(memory, "clock", lambda: time.clock() + timedelta(hours=1))
    assert [claim.attempt for claim in listen(memory, time, timeout=10)] == [1] * 3


def test_one_that_is_not_given_back_holds_up_no_other(
    memory: MemoryManager, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails while claims are given back, the others are, and nothing is raised."""
    send(memory, 8)
    claims = listen(memory, time, timeout=100)
    next(claims).ack()
    next(claims).ack()
    release = memory._release  # noqa: SLF001
    faults = iter([StorageError("no"), ClaimExpiredError("late")])

    def failing(*args: Any, **more: Any) -> None:
        for fault in faults:
            raise fault
        release(*args, **more)

    monkeypatch.setattr(memory, "_release", failing)
    claims.close()  # type: ignore[attr-defined]
    assert len(memory.pending_signals()) == 4


def test_a_claim_that_could_not_be_extended_is_given_back(
    memory: MemoryManager, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As are those behind it: nobody has tried to deal with any of them."""
    send(memory, 5)
    claims = listen(memory, time, visibility_seconds=60, timeout=1000)
    next(claims).ack()
    next(claims).ack()
    time.seconds += 40

    def fail(*_: Any) -> None:
        raise StorageError("no")

    monkeypatch.setattr(memory, "_extend", fail)
    with pytest.raises(StorageError):
        next(claims)
    assert [claim.attempt for claim in memory.claim_signals()] == [1] * 3


@pytest.mark.parametrize(
    "bad",
    [
        {"batch": 0},
        {"batch": True},
        {"visibility_seconds": 0.5},
        {"idle_min": 0},
        {"idle_min": float("nan")},
        {"idle_min": True},
        {"idle_min": 30.0},
        {"idle_max": float("inf")},
        {"idle_max": "1"},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": "soon"},
    ],
)
def test_bad_arguments_are_refused_at_once(memory: MemoryManager, bad: dict[str, Any]) -> None:
    """When it is called, not when it is first iterated."""
    with pytest.raises(InvalidInputError):
        memory.listen(**bad)
