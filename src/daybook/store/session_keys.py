"""The keys of sessions, and of the runs of workflows: as `store/keys.py` has the others.

An id that stands in a key holds no `#`, so none can reach into another's keys.
"""

import hashlib

from daybook.store.attributes import Item
from daybook.store.keys import BODIES

_RUN_ID = "WF#"
_SESSION = "SESSION#"
_MEMORY = "SM#"
_COMPACTED = "SC#"


def workflow_key(agent_id: str, task_type: str) -> str:
    """Return the partition of `DecisionTypeIndex` that lists runs of workflows by their outcomes.

    No decision type has a name with a `#`, so it is no type's own.
    """
    return f"{agent_id}#workflow_selection#{task_type}"


def run_id(agent_id: str, text: str) -> Item:
    """Return the key of the item that says which decision a run of this id is."""
    return {"pk": agent_id, "sk": f"{_RUN_ID}{text}"}


def session(agent_id: str, session_id: str) -> Item:
    """Return the key of a session's head: that it is there, and since when it is closed."""
    return {"pk": agent_id, "sk": f"{_SESSION}{session_id}"}


def sessions() -> str:
    """Return what the sort keys of all sessions' heads start with."""
    return _SESSION


def session_of(sort_key: str) -> str:
    """Return the session's id from the sort key of its head."""
    return sort_key.removeprefix(_SESSION)


def session_memory(agent_id: str, session_id: str, uuid: str) -> Item:
    """Return the key of one memory of a session; they sort as they were made."""
    return {"pk": agent_id, "sk": f"{session_memories(session_id)}{uuid}"}


def session_memories(session_id: str) -> str:
    """Return what the sort keys of a session's memories start with."""
    return f"{_MEMORY}{session_id}#"


def compacted_session(agent_id: str, session_id: str) -> Item:
    """Return the key of the item that holds what was compacted of a session."""
    return {"pk": agent_id, "sk": f"{_COMPACTED}{session_id}"}


def session_bodies(agent_id: str, session_id: str) -> str:
    """Return the folder of the objects that hold what a session's items cannot.

    By a checksum, for an id may be longer than an object's name can be.
    """
    folder = hashlib.sha256(session_id.encode()).hexdigest()
    return f"{BODIES}{agent_id}/sessions/{folder}"
