"""Beats: no drift, no pile-up, and none that is missed goes uncounted."""

import math
from threading import TIMEOUT_MAX

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import InvalidInputError
from daybook.loops.beats import Beats, checked_interval

INTERVALS = st.floats(0.001, 3_600)
WORK = st.lists(st.floats(0, 10_000), min_size=1, max_size=30)


def test_beats_do_not_drift() -> None:
    """After a million beats the next is due at the million and first multiple of the interval."""
    beats = Beats(0.1, started=5.0)
    for _ in range(1_000_000):
        assert beats.advance(beats.due) == 0
    assert beats.due == 5.0 + 1_000_000 * 0.1


@given(INTERVALS, WORK)
def test_every_beat_is_run_or_missed(interval: float, work: list[float]) -> None:
    """Beats that ran and beats that were missed are all that came due, and none is made up for."""
    beats, now, missed = Beats(interval, started=1.0), 1.0, 0
    for took in work:
        now = max(now, beats.due) + took
        before = beats.number
        missed += beats.advance(now)
        assert beats.number > before
        assert beats.due >= now or math.isclose(beats.due, now)
        assert beats.due <= now + interval or math.isclose(beats.due, now + interval)
    assert beats.number == len(work) + missed


def test_a_slow_step_misses_what_came_due() -> None:
    """A step of 2.5 intervals misses two beats, and the third comes in time."""
    beats = Beats(1.0, started=0.0)
    assert beats.advance(2.5) == 2
    assert (beats.due, beats.wait(2.5), beats.delay(3.25)) == (3.0, 0.5, 0.25)


def test_a_step_that_ends_on_a_beat_misses_none() -> None:
    """What comes due as the step ends is run at once."""
    beats = Beats(1.0, started=0.0)
    assert beats.advance(1.0) == 0
    assert (beats.due, beats.wait(1.0)) == (1.0, 0.0)


def test_without_an_interval_nothing_is_missed() -> None:
    """The next beat is always due, and is never late."""
    beats = Beats(0.0, started=0.0)
    assert beats.advance(1e9) == 0
    assert (beats.number, beats.wait(1e9), beats.delay(1e9)) == (1, 0.0, None)


def test_the_longest_interval_can_be_waited_for() -> None:
    """No wait is longer than a thread can wait."""
    beats = Beats(checked_interval(math.inf), started=1e12)
    beats.advance(1e12)
    assert beats.wait(0.0) == TIMEOUT_MAX


@pytest.mark.parametrize("interval", [-1, math.nan, "1", None, True, 1e-9])
def test_intervals_that_cannot_be(interval: float) -> None:
    """What is no time, and what is shorter than a thread can keep, is refused."""
    with pytest.raises(InvalidInputError, match="interval_s is"):
        checked_interval(interval)
