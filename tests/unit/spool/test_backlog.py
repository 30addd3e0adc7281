"""The order of what waits: agents in turn, each by one lane at a time, and pauses after faults."""

import pytest

from daybook.spool.backlog import (
    BATCH,
    LONGEST_PAUSE,
    MOST_REMEMBERED,
    RUN,
    RUN_BYTES,
    SHORTEST_PAUSE,
    Backlog,
)
from daybook.spool.entries import Entry
from daybook.spool.file import LARGEST_KNOWN, Waiting


class Time:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


class Waits:
    """Makes entries with ascending numbers."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, agent_id: str, count: int = 1, size: int = 10) -> list[Waiting]:
        """Make so many entries of an agent."""
        made = []
        for _ in range(count):
            self.number += 1
            entry = Entry(self.number, agent_id, "decision", b"x" * size, logged_at=0)
            made.append(Waiting.of(entry))
        return made


@pytest.fixture
def time() -> Time:
    """Give a clock."""
    return Time()


@pytest.fixture
def backlog(time: Time) -> Backlog:
    """Give a backlog of four lanes, whose pauses have no jitter."""
    return Backlog(4, time, lambda: 1.0)


@pytest.fixture
def waits() -> Waits:
    """Give a maker of entries."""
    return Waits()


def numbers(taken: list[Waiting]) -> list[int]:
    """Return the numbers."""
    return [each.number for each in taken]


def done(backlog: Backlog, taken: list[Waiting]) -> None:
    """Say that all was delivered."""
    backlog.settle(taken, set(numbers(taken)), doubtful=False)


def test_an_agent_is_with_one_lane_at_a_time(backlog: Backlog, waits: Waits) -> None:
    """What comes meanwhile waits until the lane is through."""
    backlog.add(waits("a", 2))
    first = backlog.claim()
    backlog.add(waits("a"))
    assert backlog.claim() == []
    done(backlog, first)
    assert numbers(backlog.claim()) == [3]


def test_lanes_share(backlog: Backlog, waits: Waits) -> None:
    """Each takes its fair share, a batch at least, a run at most."""
    backlog.add([each for n in range(4) for each in waits(f"agent-{n}", 40)])
    assert [len(backlog.claim()) for _ in range(5)] == [40, 40, 40, 40, 0]
    small = Backlog(4)
    small.add([each for n in range(40) for each in Waits()(f"agent-{n}")][:1])
    assert len(small.claim()) == 1
    large = Backlog(4)
    large.add(Waits()("a", 1000))
    assert len(large.claim()) == RUN
    even = Backlog(4)
    own = Waits()
    even.add([each for n in range(60) for each in own(f"agent-{n}")])
    assert len(even.claim()) == BATCH


def test_agents_take_turns(backlog: Backlog, waits: Waits) -> None:
    """Whose turn it was comes last, however much of it waits."""
    backlog.add(waits("a", 500))
    backlog.add(waits("b"))
    done(backlog, backlog.claim())
    assert backlog.claim()[0].agent_id == "b"


def test_what_stays_keeps_its_place(backlog: Backlog, waits: Waits) -> None:
    """Before what came later, and in doubt for as long as it is there."""
    backlog.add(waits("a", 3))
    taken = backlog.claim()
    backlog.add(waits("a"))
    backlog.settle(taken, {1, 3}, doubtful=True)
    again = backlog.claim()
    assert [(each.number, each.doubtful) for each in again] == [(2, True), (4, False)]
    backlog.settle(again, {4}, doubtful=False)
    assert [(each.number, each.doubtful) for each in backlog.claim()] == [(2, True)]


def test_an_agent_that_is_held_is_tried_again_by_itself(
    backlog: Backlog, waits: Waits, time: Time
) -> None:
    """After pauses that double; others go on, and never share a run with it."""
    backlog.add([*waits("a"), *waits("b")])
    taken = backlog.claim()
    backlog.settle(taken, {2}, doubtful=True, held=["a"])
    backlog.add([*waits("b"), *waits("c")])
    assert numbers(backlog.claim()) == [3, 4]
    pause = SHORTEST_PAUSE * 2
    for _ in range(9):
        time.now += pause * 0.99
        assert backlog.claim() == []
        time.now += pause * 0.02
        taken = backlog.claim()
        assert numbers(taken) == [1]
        backlog.settle(taken, (), doubtful=True, held=["a"])
        pause = min(pause * 2, LONGEST_PAUSE)
    time.now += LONGEST_PAUSE
    backlog.add(waits("d"))
    both = [backlog.claim(), backlog.claim()]
    assert sorted(map(numbers, both)) == [[1], [5]]
    for each in both:
        done(backlog, each)
    backlog.add([*waits("a"), *waits("d")])
    assert len(backlog.claim()) == 2


def test_one_lane_tries_for_all(backlog: Backlog, waits: Waits, time: Time) -> None:
    """While nothing goes through; then all go on at once."""
    backlog.add([*waits("a", 200), *waits("b", 200)])
    backlog.settle(backlog.claim(), (), doubtful=True, stopped=True)
    assert backlog.claim() == []
    time.now += SHORTEST_PAUSE * 2
    first = backlog.claim()
    assert first
    assert backlog.claim() == []
    done(backlog, first)
    assert backlog.claim()
    assert backlog.claim()


def test_hurry_cuts_pauses(backlog: Backlog, waits: Waits) -> None:
    """Both of an agent and of all, once."""
    backlog.add([*waits("a"), *waits("b")])
    backlog.settle(backlog.claim(), (), doubtful=False, held=["a"], stopped=True)
    assert backlog.claim() == []
    backlog.hurry()
    assert backlog.hurried.is_set()
    assert backlog.claim()


def test_a_run_is_bounded_in_bytes(backlog: Backlog, waits: Waits) -> None:
    """But for one entry, which is taken however large it is."""
    large = [each._replace(size=RUN_BYTES // 3) for each in waits("a", 10)]
    backlog.add(large)
    taken = backlog.claim()
    assert len(taken) == 3
    done(backlog, taken)
    huge = Backlog(4)
    huge.add([large[0]._replace(size=RUN_BYTES * 2)])
    assert len(huge.claim()) == 1


def test_what_is_remembered_is_bounded(backlog: Backlog, waits: Waits) -> None:
    """Large bodies, and what is over the bound, are read from the file in their turn."""
    backlog.add(waits("a", size=LARGEST_KNOWN + 1))
    most = MOST_REMEMBERED // LARGEST_KNOWN
    backlog.add(waits("b", most + 5, size=LARGEST_KNOWN))
    assert backlog.size == (most + 5) * LARGEST_KNOWN + LARGEST_KNOWN + 1
    known = []
    while taken := backlog.claim():
        known += [each.entry is not None for each in taken]
        done(backlog, taken)
    assert known.count(True) == most + 1
    assert not known[0]
    assert (len(backlog), backlog.size) == (0, 0)
    backlog.add(waits("b", size=LARGEST_KNOWN))
    assert backlog.claim()[0].entry


def test_added_twice_is_added_once(backlog: Backlog, waits: Waits) -> None:
    """As after an interrupt between two threads' commits."""
    entries = waits("a", 2)
    backlog.add(entries)
    backlog.add(entries)
    assert len(backlog) == 2
    assert numbers(backlog.claim()) == [1, 2]


def test_nothing_is_claimed_after_the_end(backlog: Backlog, waits: Waits) -> None:
    """What waits stays in the file."""
    backlog.add(waits("a"))
    backlog.end()
    assert backlog.claim() == []
    assert not backlog.wait()
