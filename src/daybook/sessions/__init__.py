"""Sessions: what an agent remembers while it works, and its compaction."""

from daybook.sessions.closing import close_session, list_sessions
from daybook.sessions.compaction import SettlingReport, compact, compact_closed
from daybook.sessions.handle import SessionVerbs
from daybook.sessions.remembering import SessionContent, read, remember

__all__ = [
    "SessionContent",
    "SessionVerbs",
    "SettlingReport",
    "close_session",
    "compact",
    "compact_closed",
    "list_sessions",
    "read",
    "remember",
]
