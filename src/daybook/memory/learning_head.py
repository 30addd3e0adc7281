"""The head of the learning job: what is known, the runs that can be undone, what is pending."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from daybook.memory.knowledge_items import Address, Manifest
from daybook.models.json_values import JsonObject
from daybook.progress import Head, Lease, commit
from daybook.progress.positions import Position
from daybook.store import Store

JOB = "learning"
UNDO_DEPTH = 5
"""Runs, the latest first, that can be undone; what they replaced is kept as long."""


@dataclass(frozen=True)
class Notes:
    """What the learning job must remember.

    `runs` are the latest runs with the parts of knowledge that each replaced; `pending` is the
    run whose changes may not all be made yet, and `undoing` when it began to be undone, None if
    it is not; `garbage` are parts that nothing names any more, and `forgotten` runs that cannot
    be undone any more.
    """

    knowledge: Manifest = field(default_factory=dict)
    runs: tuple[tuple[str, tuple[Address, ...]], ...] = ()
    pending: str | None = None
    undoing: datetime | None = None
    garbage: tuple[Address, ...] = ()
    forgotten: tuple[str, ...] = ()

    @classmethod
    def read(cls, head: Head) -> "Notes":
        """Return the notes of a head."""
        stored: dict[str, Any] = head.notes
        undoing = stored.get("undoing")
        return cls(
            knowledge=stored.get("knowledge", {}),
            runs=tuple((run, _addresses(parts)) for run, parts in stored.get("runs", ())),
            pending=stored.get("pending"),
            undoing=datetime.fromisoformat(undoing) if undoing else None,
            garbage=_addresses(stored.get("garbage", ())),
            forgotten=tuple(stored.get("forgotten", ())),
        )

    @property
    def document(self) -> JsonObject:
        """The notes as JSON."""
        return {
            "knowledge": self.knowledge,
            "runs": [[run, list(map(list, parts))] for run, parts in self.runs],
            "pending": self.pending,
            "undoing": self.undoing.isoformat() if self.undoing else None,
            "garbage": list(map(list, self.garbage)),
            "forgotten": list(self.forgotten),
        }

    def with_run(self, run_id: str, knowledge: Manifest, replaced: list[Address]) -> "Notes":
        """Return the notes once a run's changes are about to be made."""
        runs = (*self.runs, (run_id, tuple(replaced)))
        forgotten = runs[:-UNDO_DEPTH]
        return Notes(
            knowledge=knowledge,
            runs=runs[-UNDO_DEPTH:],
            pending=run_id,
            garbage=tuple(address for _, parts in forgotten for address in parts),
            forgotten=tuple(run for run, _ in forgotten),
        )

    def without_last_run(
        self, knowledge: Manifest, replaced: list[Address], now: datetime
    ) -> "Notes":
        """Return the notes once the latest run is about to be undone."""
        run_id = self.runs[-1][0]
        return Notes(
            knowledge=knowledge,
            runs=self.runs[:-1],
            pending=run_id,
            undoing=now,
            garbage=tuple(replaced),
            forgotten=(run_id,),
        )

    @property
    def settled(self) -> "Notes":
        """The notes once nothing is pending."""
        return replace(self, pending=None, undoing=None, garbage=(), forgotten=())


def move(
    store: Store, lease: Lease, head: Head, notes: Notes, position: Position | None = None
) -> Head:
    """Write the head's next version. Raises OvertakenError."""
    return commit(store, head, position=position, notes=notes.document, also=[lease.check])


def _addresses(stored: Any) -> tuple[Address, ...]:
    return tuple((stamp, kind, part) for stamp, kind, part in stored)
