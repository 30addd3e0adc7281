"""How much compaction saves, on sessions as agents leave them."""

import secrets

import pytest

from daybook import MemoryManager
from tests.unit.sessions.traces import trace

LEAST = 0.4


@pytest.mark.parametrize("seed", range(3))
def test_traces_shrink(
    daybook_memory: MemoryManager, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session of 200 memories takes at most six tenths; the ratio is printed."""
    memories = trace(seed, 200)
    assert len({str(each) for each in memories}) == 200
    for each in memories:
        daybook_memory.remember("s", each)
    done = daybook_memory.compact_session("s")
    with capsys.disabled():
        print(  # noqa: T201
            f"\n200 memories: {done.original_bytes:,} bytes to {done.compressed_bytes:,}, "
            f"ratio {done.compression_ratio:.3f}"
        )
    assert [each.content for each in daybook_memory.read_session("s")] == memories
    assert done.compression_ratio >= LEAST


def test_noise_does_not(daybook_memory: MemoryManager) -> None:
    """The control: what is random through and through falls short of that."""
    for _ in range(50):
        daybook_memory.remember("s", secrets.token_urlsafe(300))
    assert daybook_memory.compact_session("s").compression_ratio < LEAST
