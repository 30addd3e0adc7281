"""Bodies of bytes: inside their item, in parts beside it, or in the bucket.

A body over 350 KB goes to the bucket. Without a bucket it is cut into items that are written
in one transaction with the one they belong to, which DynamoDB takes up to 4 MB.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import zstandard

from daybook.errors import BodyCorruptError, BodyTooLargeError
from daybook.store import Store, objects
from daybook.store.attributes import Item, size, write_units
from daybook.store.bodies import BODY_OBJECT as OBJECT
from daybook.store.bodies import own_object
from daybook.store.codec import LARGEST_BODY, LARGEST_INLINE, deflated, inflated

BODY = "body"
PACKED = "z"
PARTS = "parts"
DIGEST = "digest"

MOST_PARTS = 11
"""Of 350 KB each, which with the few small items beside them is under 4 MB."""

_OVERHEAD = len(BODY) + len(PACKED) + 2

PartKey = Callable[[str, int], Item]
"""From a body's digest and a number to the key of that part."""


def pack(store: Store, folder: str, item: Item, body: bytes, part_key: PartKey) -> list[Item]:
    """Return the item with its body, and the items of the parts if there are any.

    Compressed where that costs fewer write units. What goes to the bucket is written here,
    before the item that points to it. Raises BodyTooLargeError.
    """
    if len(body) > LARGEST_BODY:
        raise BodyTooLargeError(
            f"the checkpoint takes {len(body):,} bytes; the limit is {LARGEST_BODY:,}. Keep what "
            "is large elsewhere, and a reference to it in the state"
        )
    without = size(item) + _OVERHEAD
    if write_units(without + len(body)) > 1:
        packed = deflated(body)
        cheaper = write_units(without + len(packed)) < write_units(without + len(body))
        if cheaper or len(packed) <= LARGEST_INLINE < len(body):
            item, body = item | {PACKED: 1}, packed
    if len(body) <= LARGEST_INLINE:
        return [item | {BODY: body}]
    if store.bucket is not None:
        name = f"{folder}/{objects.checksum(body)}"
        objects.put_body(store.s3(), store.bucket, name, body)
        return [item | {OBJECT: name}]
    return _in_parts(item, body, part_key)


def _in_parts(item: Item, body: bytes, part_key: PartKey) -> list[Item]:
    starts = range(0, len(body), LARGEST_INLINE)
    if len(starts) > MOST_PARTS:
        raise BodyTooLargeError(
            f"the checkpoint takes {len(body):,} bytes compressed, and one transaction takes "
            f"{MOST_PARTS * LARGEST_INLINE:,}. Deploy the stack and set DAYBOOK_PAYLOAD_BUCKET to "
            "its bucket, or keep less in the graph's state"
        )
    digest = _digest(body)
    parts = [
        part_key(digest, number) | {BODY: body[start : start + LARGEST_INLINE]}
        for number, start in enumerate(starts)
    ]
    return [item | {PARTS: len(parts), DIGEST: digest}, *parts]


def unpack(store: Store, item: Item, parts: Mapping[str, Item], part_key: PartKey) -> bytes | None:
    """Return the body of an item, given the parts beside it by sort key; None: one is missing.

    A part can be missing to a reader who comes while the checkpoint is deleted. Raises
    BodyMissingError or BodyCorruptError.
    """
    body = item.get(BODY)
    if OBJECT in item:
        body = own_object(store, item)
    elif PARTS in item:
        digest = str(item[DIGEST])
        names = [str(part_key(digest, number)["sk"]) for number in range(int(item[PARTS]))]
        if any(name not in parts for name in names):
            return None
        body = _whole([parts[name][BODY] for name in names], digest)
    if not isinstance(body, bytes):
        raise BodyCorruptError(f"the item {item.get('pk')!r} {item.get('sk')!r} has no body")
    try:
        return inflated(body) if PACKED in item else body
    except (zstandard.ZstdError, ValueError) as fault:
        raise BodyCorruptError(f"a stored checkpoint does not decode: {fault}") from fault


def _whole(parts: Sequence[object], digest: str) -> bytes:
    body = b"".join(part for part in parts if isinstance(part, bytes))
    if _digest(body) != digest:
        raise BodyCorruptError("the parts of a stored checkpoint do not match their checksum")
    return body


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
