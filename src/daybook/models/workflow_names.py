r"""A workflow's name: made of its steps, the same for the same steps, and mostly readable back.

Of plain steps it is `fetch > clean > report`; of others, JSON; of long ones a cut of that and
a checksum. The choices that memory learns about are these names, so that a pattern that comes
from elsewhere says by its choice what to do.

>>> name_of(["fetch", "clean", "report"])
'fetch > clean > report'
>>> steps_in("fetch > clean > report")
['fetch', 'clean', 'report']
"""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

LONGEST_NAME = 512
"""Bytes of UTF-8: with a name so long, what an index carries of a run still is one unit."""

_BETWEEN = " > "
_CUT = re.compile(r".* #[0-9a-f]{16}", re.DOTALL)
_SHOWN = 120


def name_of(steps: Sequence[Any]) -> str:
    """Return the name of a workflow with these steps, texts or JSON objects."""
    exact = json.dumps(list(steps), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    name = _BETWEEN.join(steps) if all(isinstance(step, str) for step in steps) else exact
    if steps_in(name) != list(steps):
        name = exact
    if len(name.encode()) <= LONGEST_NAME and steps_in(name) == list(steps):
        return name
    return f"{name[:_SHOWN]}… #{hashlib.sha256(exact.encode()).hexdigest()[:16]}"


def steps_in(name: str) -> list[Any] | None:
    """Return the steps that a name says, or None if it was too long to say them."""
    if _CUT.fullmatch(name):
        return None
    if name.startswith("["):
        try:
            steps = json.loads(name)
        except (ValueError, RecursionError):
            steps = None
        if isinstance(steps, list):
            return steps
    return name.split(_BETWEEN)


def session_mark(session_id: str | None) -> str | None:
    """Return what an index carries of a session's id: enough to tell it from others."""
    if session_id is None:
        return None
    return hashlib.sha256(session_id.encode()).hexdigest()[:12]
