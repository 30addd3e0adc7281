"""Sessions listed, and closed: what is closed is compacted by the next job that looks."""

from daybook.errors import SessionNotFoundError
from daybook.models.identity import microseconds
from daybook.models.key_parts import checked_session_id
from daybook.models.sessions import SessionHead
from daybook.sessions import session_items
from daybook.store import MEMORY, Store, session_keys
from daybook.store.expressions import begins_with, equals, present
from daybook.store.requests import Update
from daybook.store.schema import PARTITION_KEY


def list_sessions(store: Store, agent_id: str) -> list[SessionHead]:
    """Return an agent's sessions, by their ids. One request for every 7,000 or so."""
    mine = equals("pk", agent_id) & begins_with("sk", session_keys.sessions())
    return [session_items.read_head(item) for item in store.query(MEMORY, mine, consistent=True)]


def close_session(store: Store, agent_id: str, session_id: str) -> SessionHead:
    """Note that a session is over, and return its head. One request; closing it twice too.

    What is remembered in it later opens it again. Raises SessionNotFoundError.
    """
    checked_session_id(session_id)
    key = session_keys.session(agent_id, session_id)
    done, item = store.revise(
        Update(
            table=MEMORY,
            key=key,
            values={session_items.CLOSED: microseconds(store.clock())},
            condition=present(PARTITION_KEY),
        )
    )
    if not done or not store.is_live(item):
        raise SessionNotFoundError(
            f"{agent_id!r} has no session {session_id!r:.80}, or it has expired: list_sessions() "
            "tells which there are"
        )
    return session_items.read_head(item)
