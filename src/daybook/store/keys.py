"""Every key that Daybook writes, in one place.

`#` separates the parts; an agent id cannot contain it, so no id can reach into another's
keys. Decisions and outcomes share the id's order, so a time window is a range of sort keys.
"""

import re
from datetime import date, datetime
from urllib.parse import quote

from daybook.models.identity import EPOCH, DecisionId, uuid_at
from daybook.models.signal_ids import SignalId
from daybook.store.attributes import Item

_DECISION = "D#"
_OUTCOME = "#O"
_LATE = "LATE#"
_HEAD = "HEAD#"
_HOUR = "HOUR#"
_PATTERN = "P#"
_PATTERN_VERSION = "PV#"
_SHARE = "SHARE#"
_KNOWLEDGE = "KNOWN#"
_SIGNAL = "S#"
_DELIVERY = "IN#"
_CHECKPOINT = "CP#"
_CHECKPOINT_DATA = "CPDATA#"
_AFTER_ALL = "~"  # sorts after every character of a key

CURRENT_STATE = "CURRENT"
"""The sort key of an agent's state as it stands."""

ARRIVING = (_DECISION, _LATE)
"""What the sort keys start with of whatever arrives in the log: decisions, outcomes, marks."""

ROUTED = _SIGNAL
"""What the sort keys start with of what a router has to deliver."""

DELIVERED = _DELIVERY
"""What the sort keys of deliveries start with."""

WATCHED = "#agents"
"""The partition of the watch list: the agents that the jobs on a schedule look after."""

REGISTRY = "#registry"
"""The partition of `RegistryIndex`, which lists the agents that are there."""

# what the names of objects start with; the id of the agent whose they are comes next
BODIES = "bodies/"  # the log's: a rule of the bucket ends these, and no others
MEMORY_BODIES = "memory/"
STATE_BODIES = "state/"
THREAD_BODIES = "langgraph/"
REPLAY_BODIES = "replay/"
ARCHIVE = "archive/agent="
OWN_FOLDERS = (BODIES, MEMORY_BODIES, STATE_BODIES, THREAD_BODIES, REPLAY_BODIES, ARCHIVE)

_STATE_BODY = re.compile(rf"{STATE_BODIES}[^/]+/([0-9]{{10}})-[0-9a-f]{{12}}/[^/]+")


def decision(decision_id: DecisionId) -> Item:
    """Return the key of a decision."""
    return {"pk": decision_id.agent_id, "sk": f"{_DECISION}{decision_id.uuid}"}


def outcome(decision_id: DecisionId) -> Item:
    """Return the key of a decision's outcome, which sorts right after the decision."""
    return {"pk": decision_id.agent_id, "sk": f"{_DECISION}{decision_id.uuid}{_OUTCOME}"}


def late_mark(decision_id: DecisionId, arrived_at: int) -> Item:
    """Return the key of the mark that a late decision leaves; microseconds since 1970."""
    return {"pk": decision_id.agent_id, "sk": f"{_LATE}{arrived_at:017d}#{decision_id.uuid}"}


def uuid_of(sort_key: str) -> str:
    """Return the decision's UUID from the sort key of a decision or an outcome."""
    return sort_key.removeprefix(_DECISION).removesuffix(_OUTCOME)


def is_outcome(sort_key: str) -> bool:
    """Whether a sort key of the log is an outcome's rather than a decision's."""
    return sort_key.endswith(_OUTCOME)


def is_late_mark(sort_key: str) -> bool:
    """Whether a sort key of the log is a late mark's."""
    return sort_key.startswith(_LATE)


def marked_uuid(sort_key: str) -> str:
    """Return the UUID of the late decision from the sort key of its mark."""
    return sort_key.rpartition("#")[2]


def type_key(agent_id: str, decision_type: str) -> str:
    """Return the partition of `DecisionTypeIndex`."""
    return f"{agent_id}#{decision_type}"


def success_key(agent_id: str, *, success: bool) -> str:
    """Return the partition of `SuccessIndex`."""
    return f"{agent_id}#{'true' if success else 'false'}"


def parent_key(parent: DecisionId) -> str:
    """Return the partition of `ParentIndex`: the parent's log, then its id."""
    return f"{parent.agent_id}#{parent.uuid}"


def log_range(
    since: datetime | None, until: datetime | None, before_uuid: str | None = None
) -> tuple[str, str]:
    """Return the first and last sort key of a window of the log, outcomes included.

    `since` is inclusive and `until` exclusive; `before_uuid` is the decision at which an
    earlier page stopped. The window is empty when the first sorts after the last.
    """
    first = _DECISION if since is None or since < EPOCH else f"{_DECISION}{uuid_at(since)}"
    ends = [f"{_DECISION}{_AFTER_ALL}"]
    if until is not None:
        ends.append(_just_before(f"{_DECISION}{uuid_at(until) if until > EPOCH else ''}"))
    if before_uuid is not None:
        ends.append(_just_before(f"{_DECISION}{before_uuid}"))
    return first, min(ends)


def _just_before(key: str) -> str:
    """Return a bound that everything before `key` stays under, for BETWEEN includes its end."""
    return f"{key[:-1]}{chr(ord(key[-1]) - 1)}{_AFTER_ALL}"


def decision_bodies(decision_id: DecisionId) -> str:
    """Return the folder of the objects that hold a decision's bodies too large for items."""
    return f"{BODIES}{decision_id.agent_id}/decisions/{decision_id.uuid}"


def head(agent_id: str, job: str) -> Item:
    """Return the key of the item that says how far a job has followed an agent."""
    return {"pk": agent_id, "sk": f"{_HEAD}{job}"}


def heads() -> str:
    """Return what the sort keys of all heads start with."""
    return _HEAD


def head_job(sort_key: str) -> str:
    """Return the job from the sort key of its head."""
    return sort_key.removeprefix(_HEAD)


def lease(agent_id: str) -> Item:
    """Return the key of the lease on an agent."""
    return {"pk": agent_id, "sk": "LEASE"}


def head_bodies(agent_id: str) -> str:
    """Return the folder of the objects that hold what a head's item cannot."""
    return f"{memory_bodies(agent_id)}/heads"


def hour(agent_id: str, start: datetime) -> Item:
    """Return the key of the rollup of the hour that starts then (UTC)."""
    return {"pk": agent_id, "sk": f"{_HOUR}{start:%Y-%m-%dT%H}"}


def hour_of(sort_key: str) -> datetime:
    """Return the start of the hour from the sort key of its rollup."""
    return datetime.fromisoformat(f"{sort_key.removeprefix(_HOUR)}:00+00:00")


def hour_range(first: datetime, last: datetime) -> tuple[str, str]:
    """Return the first and last sort key of the rollups of these hours, both included."""
    return str(hour("", first)["sk"]), str(hour("", last)["sk"])


def pattern(agent_id: str, pattern_id: str) -> Item:
    """Return the key of a pattern as it stands."""
    return {"pk": agent_id, "sk": f"{_PATTERN}{pattern_id}"}


def patterns() -> str:
    """Return what the sort keys of all patterns start with."""
    return _PATTERN


def pattern_version(agent_id: str, pattern_id: str, version: int) -> Item:
    """Return the key of an earlier version of a pattern."""
    return {"pk": agent_id, "sk": f"{pattern_versions(pattern_id)}{version:08d}"}


def pattern_versions(pattern_id: str) -> str:
    """Return what the sort keys of a pattern's earlier versions start with."""
    return f"{_PATTERN_VERSION}{pattern_id}#"


def share(owner: str, pattern_id: str, recipient: str) -> Item:
    """Return the key of the item that shows a pattern to another agent."""
    return {"pk": owner, "sk": f"{_SHARE}{pattern_id}#{recipient}"}


def shared_pattern(share_key: Item) -> Item:
    """Return the key of the pattern that a share names: always one of the share's owner."""
    pattern_id, _, _ = str(share_key["sk"]).removeprefix(_SHARE).rpartition("#")
    return pattern(str(share_key["pk"]), pattern_id)


def is_share(sort_key: str) -> bool:
    """Whether a sort key of the memory is a share's."""
    return sort_key.startswith(_SHARE)


def recall_key(decision_type: str, owner: str = "", pattern_id: str = "") -> str:
    """Return the sort key of `SharedPatternIndex`; with the type alone, how they start."""
    return f"{decision_type}#{owner}#{pattern_id}" if owner else f"{decision_type}#"


def run(agent_id: str, run_id: str) -> Item:
    """Return the key of the record of a consolidation run."""
    return {"pk": agent_id, "sk": f"RUN#{run_id}"}


def knowledge(agent_id: str, stamp: str, decision_type: str, part: str) -> Item:
    """Return the key of a part of what is known of a decision type.

    `stamp` names who wrote it and when, so that no writer overwrites another's.
    """
    return {"pk": agent_id, "sk": f"{_KNOWLEDGE}{stamp}#{decision_type}#{part}"}


def knowledge_stamp(version: int, fence: int) -> str:
    """Return the stamp of a writer: the head's version that it goes for, its fencing token."""
    return f"{version:012d}-{fence:012d}"


def knowledge_for(version: int) -> str:
    """Return how the sort keys start of whatever was written for a version of the head."""
    return f"{_KNOWLEDGE}{version:012d}-"


def memory_bodies(agent_id: str) -> str:
    """Return the folder of the objects that hold memory too large for items."""
    return f"{MEMORY_BODIES}{agent_id}"


def archive_day(agent_id: str, day: date) -> str:
    """Return the name of the object that holds an agent's decisions of a day (UTC).

    Partitions are named as Hive does it, so that query engines know them; a colon is escaped.
    """
    return f"{ARCHIVE}{quote(agent_id, safe='@')}/day={day.isoformat()}/decisions.parquet"


def current_state(agent_id: str) -> Item:
    """Return the key of an agent's state as it stands."""
    return {"pk": agent_id, "sk": CURRENT_STATE}


def checkpoint(agent_id: str, checkpoint_id: str) -> Item:
    """Return the key of what a checkpoint is, without its data."""
    return {"pk": agent_id, "sk": f"{_CHECKPOINT}{checkpoint_id}"}


def checkpoint_data(agent_id: str, checkpoint_id: str) -> Item:
    """Return the key of the data of a checkpoint."""
    return {"pk": agent_id, "sk": f"{_CHECKPOINT_DATA}{checkpoint_id}"}


def checkpoints() -> str:
    """Return what the sort keys of all checkpoints start with, and those of their data do not."""
    return _CHECKPOINT


def checkpoint_id_of(sort_key: str) -> str:
    """Return the id of a checkpoint from its sort key."""
    return sort_key.removeprefix(_CHECKPOINT)


def state_body(agent_id: str, version: int, token: str) -> str:
    """Return the folder of the object that holds a version too large for its item.

    It is that of one try to write this version, so that no other writer's object is in it.
    """
    return f"{state_bodies(agent_id)}{version:010d}-{token}"


def state_bodies(agent_id: str) -> str:
    """Return what the names of all bodies of an agent's state start with."""
    return f"{STATE_BODIES}{agent_id}/"


def version_of_body(name: str) -> int | None:
    """Return the version that an object was written for; None: it is no body of a state."""
    found = _STATE_BODY.fullmatch(name)
    return int(found[1]) if found else None


def watched_agent(agent_id: str) -> Item:
    """Return the key of an agent in the watch list.

    Its partition is no agent's: an id cannot hold `#`, so no role that is confined to an
    agent's own partitions reaches it.
    """
    return {"pk": WATCHED, "sk": agent_id}


def signal(signal_id: SignalId) -> Item:
    """Return the key of a signal, in its sender's partition."""
    return {"pk": signal_id.sender, "sk": f"{_SIGNAL}{signal_id.uuid}"}


def delivery(target: str, signal_id: SignalId) -> Item:
    """Return the key of a signal's delivery, in its target's partition."""
    return {"pk": target, "sk": f"{_DELIVERY}{signal_id}"}


def signal_of(key: Item) -> str:
    """Return the id of the signal from the key of a signal or of a delivery."""
    sort_key = str(key["sk"])
    if sort_key.startswith(_SIGNAL):
        return f"{sort_key.removeprefix(_SIGNAL)}@{key['pk']!s}"
    return sort_key.removeprefix(_DELIVERY)


def due_key(priority: int, created_at: int, signal_id: SignalId) -> str:
    """Return the sort key of `TargetAgentIndex`; the time in microseconds since 1970."""
    return f"{priority}#{created_at:017d}#{signal_id}"


def due_priority(due: str) -> str:
    """Return the priority from a due key."""
    return due.partition("#")[0]


def sent_key(signal_id: SignalId) -> str:
    """Return the partition of `SentIndex`: the sender, then its signal."""
    return f"{signal_id.sender}#{signal_id.uuid}"


def registration(agent_id: str) -> Item:
    """Return the key of what an agent says of itself."""
    return {"pk": agent_id, "sk": "REGISTRATION"}


def signal_bodies(sender: str) -> str:
    """Return the folder for bodies of signals; they are limited to what fits into an item."""
    return f"{BODIES}{sender}/signals"


def is_own_object(partition: str, name: str) -> bool:
    """Whether the name of an object is one of the agent's whose partition this is."""
    agent_id = partition.partition("#")[0]
    return name.startswith(tuple(f"{folder}{agent_id}/" for folder in OWN_FOLDERS))
