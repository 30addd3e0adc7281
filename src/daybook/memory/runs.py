"""Runs of consolidation: what each meant to change, written down before it is changed.

The record of a run is put first; then the head of the learning job moves and names the run
as pending; then its changes are applied, each once; then the head lets go of it. Whoever finds
a pending run finishes it first, so a run that died half-way ends as it would have.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from daybook.errors import InvalidInputError, OvertakenError, RunNotFoundError
from daybook.memory import knowledge_items, learning_head, pattern_items, patterns
from daybook.memory.learning_head import Notes
from daybook.memory.pattern_items import Standing
from daybook.models import MemoryPattern
from daybook.models.json_values import JsonObject
from daybook.progress import Head, Lease
from daybook.store import MEMORY, Codec, Store, keys, pack, unpack
from daybook.store.schema import TTL_ATTRIBUTE

CODEC = Codec(version=1)

KEPT_FOR = timedelta(days=90)
"""How long the record of a run stays after the run can no more be undone."""

LONGEST_RUN_ID = 200
"""Characters; those that consolidation makes are far shorter."""

ChangeKind = Literal["created", "refreshed", "turned", "retired"]


@dataclass(frozen=True)
class Change:
    """One pattern before and after a run; `before` is None where there was none."""

    kind: ChangeKind
    before: MemoryPattern | None
    after: MemoryPattern
    reason: str

    @property
    def document(self) -> JsonObject:
        """The change as JSON."""
        return {
            "kind": self.kind,
            "before": pattern_items.document(self.before) if self.before else None,
            "after": pattern_items.document(self.after),
            "reason": self.reason,
        }

    @classmethod
    def read(cls, stored: JsonObject) -> "Change":
        """Return the change from its JSON."""
        before = stored["before"]
        return cls(
            kind=stored["kind"],
            before=pattern_items.from_document(before) if before else None,
            after=pattern_items.from_document(stored["after"]),
            reason=stored["reason"],
        )


@dataclass(frozen=True)
class Run:
    """The record of a run. `was` is the learning job's position and knowledge before it."""

    agent_id: str
    run_id: str
    at: datetime
    changes: tuple[Change, ...]
    was: JsonObject


def write(store: Store, run: Run) -> None:
    """Write a run's record. One request."""
    document = {
        "at": run.at.isoformat(),
        "changes": [change.document for change in run.changes],
        "was": run.was,
    }
    key = keys.run(run.agent_id, run.run_id)
    store.put(MEMORY, pack(store, CODEC, keys.memory_bodies(run.agent_id), key, document))


def check_run_id(run_id: str) -> None:
    """Raise InvalidInputError for what cannot be the id of a run, nor part of a key."""
    if not isinstance(run_id, str) or len(run_id) > LONGEST_RUN_ID or not run_id.isprintable():
        raise InvalidInputError(
            f"{ascii(run_id) if isinstance(run_id, str) else type(run_id).__name__:.80} is not "
            "the id of a run: pass the run_id of a report",
            [("run_id", f"is no text of at most {LONGEST_RUN_ID} characters")],
        )


def read(store: Store, agent_id: str, run_id: str) -> Run:
    """Return a run's record. Raises RunNotFoundError."""
    item = store.get(MEMORY, keys.run(agent_id, run_id))
    if item is None:
        raise RunNotFoundError(
            f"{agent_id!r} has no consolidation run {run_id!r:.80}: pass the run_id of a report "
            "that learned something and was no dry run"
        )
    document: dict[str, Any] = unpack(store, CODEC, item)
    return Run(
        agent_id=agent_id,
        run_id=run_id,
        at=datetime.fromisoformat(document["at"]),
        changes=tuple(Change.read(each) for each in document["changes"]),
        was=document["was"],
    )


def finish(store: Store, lease: Lease, head: Head) -> Head:
    """Make whatever changes are pending, and return the head that knows of none.

    Each change is made once, however often this is begun.
    """
    notes = Notes.read(head)
    if notes.pending is None:
        return head
    run = read(store, head.agent_id, notes.pending)
    for change in run.changes:
        if notes.undoing:
            author = f"undo {run.run_id}"
            _put(store, lease, change.after, _reverted(change, notes.undoing), author)
        else:
            _put(store, lease, change.before, change.after, run.run_id)
    knowledge_items.delete(store, head.agent_id, notes.garbage)
    for run_id in notes.forgotten:
        _let_expire(store, head.agent_id, run_id)
    return learning_head.move(store, lease, head, notes.settled)


def _let_expire(store: Store, agent_id: str, run_id: str) -> None:
    ends = int((store.clock() + KEPT_FOR).timestamp())
    store.update(MEMORY, keys.run(agent_id, run_id), {TTL_ATTRIBUTE: ends})


def _reverted(change: Change, at: datetime) -> MemoryPattern:
    """Return what a pattern becomes when a run is undone; its history only grows."""
    before, after = change.before, change.after
    if before is None:
        update = {"retired_at": at, "updated_at": at, "version": after.version + 1}
        return after.model_copy(update=update)
    if before.version == after.version:
        return before
    return before.model_copy(update={"version": after.version + 1})


def _put(
    store: Store,
    lease: Lease,
    expected: MemoryPattern | None,
    wanted: MemoryPattern,
    author: str,
) -> None:
    """Put a pattern in the place of what the run expects, unless a person has changed it."""
    for _ in range(patterns.TRIES):
        standing = patterns.find(store, lease.agent_id, wanted.pattern_id)
        if (standing and standing.run == author) or not _says(standing, expected):
            return
        # who may see it is a person's to say, also between the plan and now
        shared = standing.pattern.shared_with if standing else wanted.shared_with
        pattern = wanted.model_copy(update={"shared_with": shared})
        writes = pattern_items.writes(store, standing, pattern, author)
        if store.transact([*writes, lease.check]):
            return
    raise OvertakenError(
        f"the pattern {wanted.pattern_id!r} could not be changed: another worker holds the lease "
        f"on {lease.agent_id}, or the pattern keeps being changed. The next run goes on from here"
    )


def _says(standing: Standing | None, expected: MemoryPattern | None) -> bool:
    """Whether what stands is what was expected, but for those who share it."""
    if standing is None or expected is None:
        return standing is None and expected is None
    aside: dict[str, list[str]] = {"shared_with": []}
    found = standing.pattern.model_copy(update=aside)
    return found == expected.model_copy(update=aside)
