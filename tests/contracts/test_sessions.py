"""What every backend must do for sessions: memories in order, compacted without loss."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from daybook import InvalidInputError, MemoryManager, SessionNotFoundError
from tests.clocks import Clock


def contents(memory: MemoryManager, session_id: str = "s") -> list[Any]:
    """Return what a session's memories say, in order."""
    return [each.content for each in memory.read_session(session_id)]


def test_200_memories_read_back_equal(memory: MemoryManager) -> None:
    """After compaction as before: ids, times, order, floats, any JSON."""
    draw = random.Random(1)  # noqa: S311 - no secrets here
    # straight into the tables: what is tested is what comes after
    direct = MemoryManager(memory.agent_id, memory.client_manager, door="tables")
    for number in range(200):
        said = [{"n": number, "x": draw.random()}, f"thought {number}", [number, None]]
        direct.remember("s", draw.choice(said))
    before = memory.read_session("s")
    assert len(before) == 200
    done = memory.compact_session("s")
    assert (done.memories, done.compacted) == (200, 200)
    assert memory.read_session("s") == before
    plain = sum(len(json.dumps(e.content, separators=(",", ":")).encode()) for e in before)
    assert done.original_bytes == plain
    assert done.compression_ratio == 1 - done.compressed_bytes / done.original_bytes
    assert done.bytes_saved == done.original_bytes - done.compressed_bytes


def test_compacting_again_changes_nothing(memory: MemoryManager) -> None:
    """The same sizes, nothing new, and nothing saved twice."""
    for number in range(10):
        memory.remember("s", {"n": number})
    first, before = memory.compact_session("s"), contents(memory)
    again = memory.compact_session("s")
    same = {"original_bytes", "compressed_bytes", "compression_ratio", "memories"}
    assert again.model_dump(include=same) == first.model_dump(include=same)
    assert (again.compacted, again.bytes_saved) == (0, 0)
    assert contents(memory) == before


def test_later_memories_come_after(memory: MemoryManager, clock: Clock) -> None:
    """Read after the compacted ones, also by a clock that runs behind; then taken in."""
    memory.remember("s", 1)
    memory.compact_session("s")
    memory.remember("s", 2)
    clock.advance(hours=-1)
    behind = MemoryManager(memory.agent_id, memory.client_manager)
    behind.remember("s", "late")
    assert contents(memory) == [1, "late", 2]
    assert memory.compact_session("s").compacted == 2
    assert contents(memory) == [1, "late", 2]
    memory.remember("s", 3)
    assert contents(memory) == [1, "late", 2, 3]


def test_sessions_do_not_mix(memory: MemoryManager) -> None:
    """Nor do those whose ids start alike."""
    for name in ("s", "s 1", "s/1", "S", "s:1"):
        memory.remember(name, name)
    memory.compact_session("s")
    for name in ("s", "s 1", "s/1", "S", "s:1"):
        assert contents(memory, name) == [name]
    assert [each.session_id for each in memory.list_sessions()] == sorted(
        ["s", "s 1", "s/1", "S", "s:1"]
    )


def test_what_is_not_there(memory: MemoryManager) -> None:
    """Has no memories, compacts to nothing, and cannot be closed."""
    assert memory.read_session("never") == []
    done = memory.compact_session("never")
    assert (done.memories, done.original_bytes, done.compression_ratio) == (0, 0, 0.0)
    assert memory.list_sessions() == []
    with pytest.raises(SessionNotFoundError, match="never"):
        memory.close_session("never")


def test_closed_and_idle_ones_are_compacted(memory: MemoryManager, clock: Clock) -> None:
    """By the job for a schedule: those, once, and no others; what comes later opens one again."""
    for name in ("closed", "idle", "busy"):
        memory.remember(name, name)
    closed = memory.close_session("closed").closed_at
    assert closed == clock()
    assert [each.session_id for each in memory.compact_closed().settled] == ["closed"]
    clock.advance(hours=23)
    memory.remember("busy", "still")
    clock.advance(hours=2)
    assert {each.session_id for each in memory.compact_closed().settled} == {"closed", "idle"}
    assert memory.compact_closed().settled == []
    memory.remember("closed", "again")
    assert {h.session_id: h.closed_at for h in memory.list_sessions()}["closed"] is None
    assert memory.compact_closed().settled == []
    clock.advance(days=1, minutes=1)
    settled = {each.session_id: each.memories for each in memory.compact_closed().settled}
    assert settled == {"busy": 2, "closed": 2}
    assert contents(memory, "closed") == ["closed", "again"]


def test_the_moment_can_be_given(memory: MemoryManager, clock: Clock) -> None:
    """A job says what its `now` is."""
    memory.remember("s", 1)
    assert memory.compact_closed(clock() + timedelta(hours=23)).settled == []
    assert len(memory.compact_closed(clock() + timedelta(hours=25)).settled) == 1


def test_memories_expire(memory: MemoryManager, clock: Clock) -> None:
    """After the retention: compacted ones a year after that, and none is read any more."""
    memory.remember("s", 1)
    memory.remember("loose", 1)
    clock.advance(days=300)
    memory.compact_session("s")
    clock.advance(days=66)
    assert (contents(memory), contents(memory, "loose")) == ([1], [])
    clock.advance(days=300)
    assert contents(memory) == []
    assert memory.list_sessions() == []
    # what has expired, and may still be there, is in nobody's way
    memory.remember("s", 2)
    assert memory.compact_session("s").memories == 1
    assert contents(memory) == [2]


def test_several_megabytes(memory: MemoryManager, has_bucket: bool) -> None:
    """Memories too large for items, and a body that is: all through the bucket."""
    if not has_bucket:
        pytest.skip("DynamoDB Local has no bucket")
    draw = random.Random(2)  # noqa: S311 - no secrets here
    for number in range(4):
        memory.remember("s", {"n": number, "noise": draw.randbytes(500_000).hex()})
    before = memory.read_session("s")
    done = memory.compact_session("s")
    assert done.original_bytes > 3_500_000
    assert done.compressed_bytes > 350 * 1024
    assert memory.read_session("s") == before
    memory.remember("s", "small")
    assert memory.compact_session("s").memories == 5
    assert [each.content for each in memory.read_session("s")][-1] == "small"


def test_bad_sessions(memory: MemoryManager) -> None:
    """An id that cannot be in a key is refused by every verb."""
    bad_ids: list[Any] = ["", "a#b", "a\nb", "x" * 513, None, 7]
    for bad in bad_ids:
        with pytest.raises(InvalidInputError):
            memory.remember(bad, 1)
        for verb in (memory.read_session, memory.close_session, memory.compact_session):
            with pytest.raises(InvalidInputError):
                verb(bad)


def test_bad_memories(memory: MemoryManager) -> None:
    """What is not JSON is refused, and no session begins by it."""
    for bad in (float("nan"), {1: 2}, object(), {"a": b"x"}):
        with pytest.raises(InvalidInputError):
            memory.remember("s", bad)
    assert memory.list_sessions() == []
