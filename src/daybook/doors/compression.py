"""Bodies on the wire: gzip where it pays, since Lambda carries no more than 6 MB a request."""

import gzip
import zlib

from daybook.errors import BodyTooLargeError, InvalidInputError
from daybook.store.codec import LARGEST_BODY

WORTHWHILE = 16 * 1024
"""Bytes from which a body is compressed."""

_LEVEL = 6


def compressed(body: bytes) -> bytes | None:
    """Return a body compressed, or None where that is not worth while."""
    if len(body) < WORTHWHILE:
        return None
    # without the time, equal bodies are equal bytes
    packed = gzip.compress(body, _LEVEL, mtime=0)
    return packed if len(packed) < len(body) else None


def decompressed(body: bytes, encoding: str) -> bytes:
    """Return a body as it was before `encoding`, a Content-Encoding ("" is none).

    Raises InvalidInputError for another encoding or a damaged body, and BodyTooLargeError for
    one that becomes larger than 64 MB.
    """
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise InvalidInputError(f"the body is encoded as {encoding!r:.40}: use gzip, or nothing")
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = stream.decompress(body, LARGEST_BODY + 1)
    except zlib.error as fault:
        raise InvalidInputError(f"the body is not gzip: {fault}") from None
    if len(plain) > LARGEST_BODY:
        raise BodyTooLargeError(
            f"the body becomes more than {LARGEST_BODY:,} bytes: keep what is large elsewhere, "
            "and a reference to it here"
        )
    if not stream.eof:
        raise InvalidInputError("the body is not gzip: it ends too early")
    return plain
