"""Every key that Daybook writes, in one place.

`#` separates the parts; an agent id cannot contain it, so no id can reach into another's
keys. Decisions and outcomes share the id's order, so a time window is a range of sort keys.
"""

from datetime import datetime

from daybook.models.identity import EPOCH, DecisionId, uuid_at
from daybook.store.attributes import Item

_DECISION = "D#"
_OUTCOME = "#O"
_LATE = "LATE#"
_HEAD = "HEAD#"
_HOUR = "HOUR#"
_AFTER_ALL = "~"  # sorts after every character of a key


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
    return f"bodies/{decision_id.agent_id}/decisions/{decision_id.uuid}"


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
    return f"bodies/{agent_id}/heads"


def hour(agent_id: str, start: datetime) -> Item:
    """Return the key of the rollup of the hour that starts then (UTC)."""
    return {"pk": agent_id, "sk": f"{_HOUR}{start:%Y-%m-%dT%H}"}


def hour_of(sort_key: str) -> datetime:
    """Return the start of the hour from the sort key of its rollup."""
    return datetime.fromisoformat(f"{sort_key.removeprefix(_HOUR)}:00+00:00")


def hour_range(first: datetime, last: datetime) -> tuple[str, str]:
    """Return the first and last sort key of the rollups of these hours, both included."""
    return str(hour("", first)["sk"]), str(hour("", last)["sk"])
