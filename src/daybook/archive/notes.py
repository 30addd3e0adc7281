"""What the archive remembers of an agent: up to which day it goes, and which days to redo."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Self

from daybook.models.identity import microseconds, moment_of
from daybook.models.json_values import JsonObject
from daybook.progress import LAG, Arrival, Head

JOB = "archive"
DAY = timedelta(days=1)
MARGIN = 2 * DAY
"""This near to the end of a day's decisions in the log, nothing is left for tomorrow."""


class Marks(NamedTuple):
    """When a day was found to need a rewrite, first and last, in microseconds since 1970."""

    first: int
    last: int


@dataclass(frozen=True)
class Notes:
    """The archive's notes, which its head carries.

    Every day up to `archived_until`, included, has been archived (None: nothing has). To a
    `dirty` one something has come since.
    """

    archived_until: date | None = None
    dirty: Mapping[date, Marks] = field(default_factory=dict)

    @classmethod
    def read(cls, document: JsonObject) -> Self:
        """Return the notes from a head's JSON."""
        until = document.get("archived_until")
        dirty = document.get("dirty", {})
        return cls(
            date.fromisoformat(until) if until else None,
            {date.fromisoformat(day): Marks(*marks) for day, marks in dirty.items()},
        )

    @property
    def document(self) -> JsonObject:
        """The notes as JSON."""
        return {
            "archived_until": self.archived_until and self.archived_until.isoformat(),
            "dirty": {day.isoformat(): list(self.dirty[day]) for day in sorted(self.dirty)},
        }

    def is_archived(self, day: date) -> bool:
        """Whether the day has a file, if it had decisions."""
        return self.archived_until is not None and day <= self.archived_until

    def marked(self, day: date, now: datetime) -> Self:
        """Return the notes with the day marked for a rewrite."""
        at = microseconds(now)
        first = self.dirty[day].first if day in self.dirty else at
        return replace(self, dirty={**self.dirty, day: Marks(first, at)})

    def written(self, day: date, now: datetime) -> Self:
        """Return the notes once the day has been written at this moment.

        A mark of the last two minutes stands, for what it announced may not have been there:
        a late decision's mark is written before the decision.
        """
        left = {other: marks for other, marks in self.dirty.items() if other != day}
        if day in self.dirty and not _is_settled(self.dirty[day], now):
            left[day] = Marks(self.dirty[day].last, self.dirty[day].last)
        return replace(self, dirty=left)

    def due(self, now: datetime, retention: timedelta | None) -> Iterator[date]:
        """Iterate the days to be rewritten now, oldest first.

        That is once a UTC day, however often something comes for them; at once while their
        decisions may be about to expire.
        """
        for day in sorted(self.dirty):
            marks = self.dirty[day]
            waited = moment_of(marks.first).date() < now.date()
            if (
                self.is_archived(day)
                and _is_settled(marks, now)
                and (waited or _is_expiring(day, now, retention))
            ):
                yield day

    @property
    def next_rewrite(self) -> datetime | None:
        """The midnight (UTC) from which on the first of the days is due, None without any."""
        firsts = [marks.first for day, marks in self.dirty.items() if self.is_archived(day)]
        return midnight(moment_of(min(firsts)).date()) + DAY if firsts else None


def note_arrivals(head: Head, arrivals: Sequence[Arrival], now: datetime) -> Head:
    """Return the archive's head with what these arrivals mean for it. Pure; nothing is written.

    They are those that the head's position has not passed, oldest first; it passes them.
    `commit(store, note_arrivals(head, arrivals, now))` makes that last.
    """
    notes = Notes.read(head.notes)
    # a late decision may come after its mark and after the day was archived in between
    touched = {
        (arrival.decision_id(head.agent_id).decided_at.date(), arrival.outcome is None)
        for arrival in arrivals
    }
    for day, is_late in sorted(touched):
        if is_late or notes.is_archived(day):
            notes = notes.marked(day, now)
    return replace(head, position=head.position.after(arrivals, now), notes=notes.document)


def midnight(day: date) -> datetime:
    """Return the moment at which a day (UTC) begins."""
    return datetime.combine(day, time(), UTC)


def _is_settled(marks: Marks, now: datetime) -> bool:
    return marks.last <= microseconds(now - LAG)


def _is_expiring(day: date, now: datetime, retention: timedelta | None) -> bool:
    """Whether the decisions that arrived on their day are to expire, or have just done so."""
    if retention is None:
        return False
    ends = midnight(day) + retention
    return ends - MARGIN <= now <= ends + DAY + MARGIN
