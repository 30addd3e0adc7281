"""Streams across a restart, which ministack forgets by half.

It saves how far each function has read a table's stream, and not the stream, which starts
empty. A function would sleep through as many records as it had read before.
"""

import json
from pathlib import Path

_SAVED_BY = "lambda.json"
_POSITIONS = "dynamodb_stream_positions"


def rewind(state: Path) -> bool:
    """Let every function read its stream from the beginning; True if one would have slept.

    For a server that does not run. What the state is like otherwise is none of our business.
    """
    path = state / _SAVED_BY
    try:
        saved = json.loads(path.read_bytes())
        positions = saved["payload"][_POSITIONS]["data"]
    except (OSError, ValueError, LookupError, TypeError):
        return False
    if not positions:
        return False
    positions.clear()
    # whole or not at all: it also holds the functions
    new = path.with_suffix(".new")
    new.write_text(json.dumps(saved))
    new.replace(path)
    return True
