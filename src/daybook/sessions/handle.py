"""The verbs of sessions on an agent's handle: thin, over the functions of this room."""

import secrets
from datetime import datetime
from functools import cached_property
from typing import Any

from daybook.doors import Handle, verb
from daybook.models.json_values import Json
from daybook.models.key_parts import checked_session_id
from daybook.models.sessions import SessionHead, SessionMemory, SessionMetrics
from daybook.sessions import closing, compaction, remembering
from daybook.sessions.compaction import SettlingReport
from daybook.sessions.remembering import MemoryIds, SessionContent, Touches

RANDOM_BITS = 32
"""Of an id: they tell writers of one microsecond apart, and take room in what is compacted."""


class SessionVerbs(Handle):
    """What an agent keeps in mind during a session."""

    @cached_property
    def _memory_ids(self) -> MemoryIds:
        return MemoryIds()

    @cached_property
    def _touches(self) -> Touches:
        return Touches()

    def remember(self, session_id: str, content: Any) -> SessionMemory:
        """Remember any JSON in a session; sessions begin by it. Return the memory.

        Raises InvalidInputError for what is not JSON, or for an id that is empty, over 512
        bytes, or holds `#` or controls; and BodyTooLargeError.
        """
        checked_session_id(session_id)
        # made here, so that a request that is sent again is the same memory
        memory_id = self._memory_ids.next(self.clock(), secrets.randbits(RANDOM_BITS))
        return self._remember(session_id, content, memory_id)

    @verb("POST", "/sessions/memories", creates=True)
    def _remember(self, session_id: str, content: Json, memory_id: str) -> SessionMemory:
        return remembering.remember(
            self.store, self.agent_id, session_id, content, memory_id, self._touches
        )

    def read_session(self, session_id: str) -> list[SessionMemory]:
        """Return all memories of a session in order, compacted or not; [] if there are none."""
        return self.session_content(session_id).memories

    @verb("GET", "/sessions/memories")
    def session_content(self, session_id: str) -> SessionContent:
        """Return a session's memories, and how long it took to decompress them."""
        return remembering.read(self.store, self.agent_id, session_id)

    @verb("GET", "/sessions", lists="sessions")
    def list_sessions(self) -> list[SessionHead]:
        """Return this agent's sessions, by their ids."""
        return closing.list_sessions(self.store, self.agent_id)

    @verb("POST", "/sessions/close")
    def close_session(self, session_id: str) -> SessionHead:
        """Note that a session is over. Raises SessionNotFoundError."""
        self._touches.forget(session_id)
        return closing.close_session(self.store, self.agent_id, session_id)

    @verb("POST", "/sessions/compact")
    def compact_session(self, session_id: str, namespace: str = "default") -> SessionMetrics:
        """Put a session's memories into one compressed item. Nothing is lost, at no moment.

        Doing it again changes nothing, or takes in what came later. Raises SessionBusyError or
        BodyTooLargeError; the session is as it was then.
        """
        return compaction.compact(
            self.store, self.agent_id, session_id, secrets.token_hex(8), namespace
        )

    @verb("POST", "/sessions/compact-closed")
    def compact_closed(
        self, now: datetime | None = None, namespace: str = "default"
    ) -> SettlingReport:
        """Compact the sessions that are closed, or in which nothing happened for a day."""
        return compaction.compact_closed(
            self.store, self.agent_id, secrets.token_hex(8), now, namespace=namespace
        )
