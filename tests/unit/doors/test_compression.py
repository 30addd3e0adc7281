"""Bodies on the wire."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.doors.compression import WORTHWHILE, compressed, decompressed
from daybook.errors import BodyTooLargeError, InvalidInputError


@given(st.binary(max_size=100).map(lambda part: part * 2_000))
def test_what_is_compressed_reads_back(body: bytes) -> None:
    """Compression loses nothing, and never makes a body larger."""
    packed = compressed(body)
    if packed is None:
        assert len(body) < WORTHWHILE or len(gzip.compress(body)) >= len(body)
    else:
        assert len(packed) < len(body)
        assert decompressed(packed, "gzip") == body


def test_plain_bodies_pass() -> None:
    """No encoding, or the identity, changes nothing."""
    assert decompressed(b"{}", "") == decompressed(b"{}", "identity") == b"{}"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", "gzip"),
        (gzip.compress(b"{}" * 9, mtime=0)[:-4], "gzip"),
        (b"", "gzip"),
        (b"{}", "br"),
    ],
)
def test_damaged_bodies(body: bytes, encoding: str) -> None:
    """What is no gzip, or ends too early, or is encoded otherwise, is told."""
    with pytest.raises(InvalidInputError):
        decompressed(body, encoding)


def test_a_bomb_is_refused() -> None:
    """A small body that becomes a very large one is stopped on its way."""
    bomb = gzip.compress(bytes(65 * 1024 * 1024))
    assert len(bomb) < 100_000
    with pytest.raises(BodyTooLargeError, match="a reference to it"):
        decompressed(bomb, "gzip")
