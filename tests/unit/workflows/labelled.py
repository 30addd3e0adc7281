"""Requests with the types that a person gave them; every third is held out.

Written before the weights were tuned, which was by the others alone.
"""

from pathlib import Path
from typing import NamedTuple

from daybook import TaskType

_FILE = Path(__file__).parent / "requests.txt"
_HELD_OUT = 3


class Labelled(NamedTuple):
    """Requests with their types: those to tune by, and those held out."""

    tuning: list[tuple[str, TaskType]]
    held_out: list[tuple[str, TaskType]]


def read_labelled() -> Labelled:
    """Return the labelled requests."""
    found = Labelled([], [])
    kind, place = TaskType.GENERAL, 0
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind, place = TaskType(line.strip("[]")), 0
        else:
            place += 1
            (found.held_out if place % _HELD_OUT == 0 else found.tuning).append((line, kind))
    return found
