"""Several byte strings and a few notes as one: how checkpoints and writes become a body."""

import json
from collections.abc import Sequence

from daybook.errors import BodyCorruptError
from daybook.models.json_values import JsonValue

_LENGTH_BYTES = 4


def join(notes: JsonValue, blobs: Sequence[bytes]) -> bytes:
    """Return the notes (JSON) and the blobs as one byte string."""
    head = json.dumps([notes, [len(blob) for blob in blobs]], separators=(",", ":")).encode()
    return len(head).to_bytes(_LENGTH_BYTES, "big") + head + b"".join(blobs)


def split(joined: bytes) -> tuple[JsonValue, list[bytes]]:
    """Return what `join` was given. Raises BodyCorruptError."""
    start = _LENGTH_BYTES + int.from_bytes(joined[:_LENGTH_BYTES], "big")
    try:
        notes, lengths = json.loads(joined[_LENGTH_BYTES:start])
    except ValueError as fault:
        raise BodyCorruptError(f"a stored checkpoint does not decode: {fault}") from fault
    blobs: list[bytes] = []
    for length in lengths:
        blobs.append(joined[start : start + length])
        start += length
    if start != len(joined):
        raise BodyCorruptError(
            f"a stored checkpoint has {len(joined):,} bytes where {start:,} were written"
        )
    return notes, blobs
