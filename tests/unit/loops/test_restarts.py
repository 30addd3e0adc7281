"""The pauses before a loop goes on after a failure."""

import math
from typing import Any

import pytest

from daybook import InvalidInputError, RestartPolicy


def test_pauses_double_to_a_bound_and_end() -> None:
    """1, 2, 4, 5, 5, and then it gives up."""
    policy = RestartPolicy(first_pause_s=1, longest_pause_s=5, most_failures=6, draw=lambda: 1.0)
    assert [policy.pause(row) for row in range(1, 8)] == [1, 2, 4, 5, 5, None, None]


def test_chance_takes_up_to_a_half() -> None:
    """So that loops which failed together come back one by one."""
    shortest = RestartPolicy(first_pause_s=8, draw=lambda: 0.0)
    assert [shortest.pause(row) for row in (1, 2)] == [4, 8]


def test_a_pause_can_always_be_waited_for() -> None:
    """A long row, and a bound that is none, still give a time that a thread can wait."""
    policy = RestartPolicy(first_pause_s=1, longest_pause_s=math.inf, most_failures=10**9)
    pause = policy.pause(10**8)
    assert pause is not None
    assert math.isfinite(pause)
    policy = RestartPolicy(first_pause_s=math.inf, longest_pause_s=math.inf)
    assert math.isfinite(policy.pause(1) or math.inf)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_pause_s", -1),
        ("first_pause_s", 61),
        ("longest_pause_s", math.nan),
        ("most_failures", 0),
        ("most_failures", 1.5),
        ("most_failures", True),
    ],
)
def test_policies_that_cannot_be(name: str, value: Any) -> None:
    """Each is refused, and the error names it."""
    with pytest.raises(InvalidInputError, match=name):
        RestartPolicy(**{name: value})
