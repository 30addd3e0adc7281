"""Sessions: what an agent keeps in mind while it works on something, and what became of it."""

from typing import Annotated

from pydantic import Field

from daybook.models.base import Record
from daybook.models.decisions import Label
from daybook.models.identity import Moment
from daybook.models.json_values import Json
from daybook.models.key_parts import SessionId

Count = Annotated[int, Field(ge=0)]


class SessionMemory(Record, title="the memory"):
    """One memory of a session: any JSON. `memory_id` sorts as the memories were made."""

    session_id: SessionId
    memory_id: Label
    content: Json
    made_at: Moment


class SessionHead(Record, title="the session"):
    """A session that is there.

    `touched_at` is when something was last remembered in it, within ten minutes; `settled_at` when
    `compact_closed` last dealt with it.
    """

    session_id: SessionId
    touched_at: Moment
    closed_at: Moment | None = None
    settled_at: Moment | None = None


class SessionMetrics(Record, title="the session's metrics"):
    """A compacted session: what its memories take as JSON, and as the one body that holds them.

    `compression_ratio` is 1 - compressed / original (0 for a session without memories; below 0
    where a few small memories take more with their ids than without). `memories` counts all that
    are in the body, `compacted` those that this compaction put there. `duration` in seconds.
    """

    session_id: SessionId
    namespace: Label
    original_bytes: Count
    compressed_bytes: Count
    compression_ratio: Annotated[float, Field(le=1)]
    memories: Count
    compacted: Count
    bytes_saved: int
    patterns_extracted: Count = 0
    duration: Annotated[float, Field(ge=0)]
