"""A record's body: JSON text, or the same compressed where that costs fewer write units.

One attribute holds the whole body. Nested attribute maps would cost about 30 µs of client
CPU an item, forbid floats, and could not be compressed.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import zstandard
from pydantic_core import to_json

from daybook.errors import BodyCorruptError, BodyTooLargeError
from daybook.models.json_values import JsonObject
from daybook.store.attributes import write_units

LARGEST_INLINE = 350 * 1024
"""Bodies above this go to S3; DynamoDB takes items of 400 KB, keys and indexes included."""

LARGEST_BODY = 64 * 1024 * 1024
"""No body is larger than this, uncompressed: it has to fit into a function's memory."""

_LEVEL = 3  # 8 KB of ordinary JSON in 20 µs; level 9 saves 5% more, and takes five times as long
_compressors = threading.local()

Upcaster = Callable[[JsonObject], JsonObject]


@dataclass(frozen=True)
class Codec:
    """Encodes the bodies of one kind of record, and reads every version ever written.

    `upcasters[n]` turns a body of version n into one of version n + 1. A body that becomes more
    than `largest` bytes of JSON is not inflated: for what others write and everybody reads.
    """

    version: int
    upcasters: Mapping[int, Upcaster] = field(default_factory=dict)
    largest: int | None = None

    def encode(self, document: JsonObject, *, beside: int) -> str | bytes:
        """Return the body, given the size in bytes of the attributes beside it.

        A body over 350 KB of JSON is always compressed, so what goes to S3 is bytes. Raises
        BodyTooLargeError over 64 MB of JSON.
        """
        plain = to_json(document)
        if len(plain) > LARGEST_BODY:
            raise BodyTooLargeError(
                f"the body is {len(plain):,} bytes of JSON; the limit is {LARGEST_BODY:,}: "
                "keep what is large elsewhere, and a reference to it here"
            )
        if write_units(beside + len(plain)) == 1:
            return plain.decode()
        packed = deflated(plain)
        cheaper = write_units(beside + len(packed)) < write_units(beside + len(plain))
        return packed if cheaper or len(plain) > LARGEST_INLINE else plain.decode()

    def decode(self, body: str | bytes, version: int) -> JsonObject:
        """Return the document, brought up to this version. Raises BodyCorruptError."""
        try:
            plain = inflated(body, self.largest) if isinstance(body, bytes) else body
            document: object = json.loads(plain)
        except (zstandard.ZstdError, ValueError, RecursionError) as fault:
            raise BodyCorruptError(f"a stored body does not decode: {fault}") from fault
        if not isinstance(document, dict):
            raise BodyCorruptError(f"a stored body is a {type(document).__name__}, not an object")
        if version < 1:
            raise BodyCorruptError(f"a stored body has version {version}; the first is 1")
        if version > self.version:
            raise BodyCorruptError(
                f"a stored body has version {version}, and this Daybook reads up to "
                f"{self.version}: upgrade daybook-aws"
            )
        for step in range(version, self.version):
            document = self.upcasters[step](document)
        return document


def deflated(plain: bytes) -> bytes:
    """Return bytes compressed, as a binary attribute keeps them."""
    try:
        compressor: zstandard.ZstdCompressor = _compressors.mine
    except AttributeError:
        # one for each thread: making it takes as long as a kilobyte, and threads cannot share it
        compressor = _compressors.mine = zstandard.ZstdCompressor(level=_LEVEL)
    return compressor.compress(plain)


def inflated(packed: bytes, largest: int | None = None) -> bytes:
    """Return what `deflated` was given. Raises ValueError over `largest` (64 MB), or ZstdError."""
    claimed = zstandard.frame_content_size(packed)
    if not 0 <= claimed <= (LARGEST_BODY if largest is None else largest):
        raise ValueError(f"it claims {claimed:,} bytes")
    return zstandard.ZstdDecompressor().decompress(packed)
