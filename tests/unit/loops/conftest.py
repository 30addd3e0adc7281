"""What the tests of loops start, and end in any case."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from daybook import AgentLoop

MakeLoop = Callable[..., AgentLoop]
PATIENCE = 30
"""Seconds after which a test gives up; a machine under load is slow."""


@dataclass
class Timer:
    """Seconds that only go on when a test, or a step, says so."""

    seconds: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


@pytest.fixture
def timer() -> Timer:
    """Give a timer."""
    return Timer()


@pytest.fixture
def make() -> Iterator[MakeLoop]:
    """Give a function that makes a loop without a memory manager; all are stopped in the end."""
    made: list[AgentLoop] = []

    def loop(step: Any, **settings: Any) -> AgentLoop:
        made.append(AgentLoop(None, step, **{"interval_s": 0} | settings))
        return made[-1]

    yield loop
    for each in made:
        each.stop(PATIENCE)


def eventually(is_so: Callable[[], object]) -> None:
    """Wait until something is so; fail if it takes too long."""
    ends = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.002)
