"""The archive's job: write the days that have closed, and rewrite those that something came for.

A day is closed two minutes after its end. Archiving it then, and not when it is about to
expire, leaves a year for whatever goes wrong, and gives analysts yesterday.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby

from daybook.archive.days import Written, write_day
from daybook.archive.notes import DAY, Notes, midnight
from daybook.archive.rows import live_rows
from daybook.errors import BodyCorruptError
from daybook.models import DecisionId
from daybook.models.identity import microseconds
from daybook.progress import LAG, Head, Position, commit
from daybook.store import DECISIONS, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import between, equals
from daybook.store.requests import Write

MOST_DAYS = 64
MOST_DECISIONS = 50_000
"""One call stops after so many; a day is never cut, however many it has."""

BEAT_ITEMS = 1000


@dataclass(frozen=True)
class Archived:
    """What a call of the job did.

    `head` is the job's head now, `days` those whose file was written, oldest first, and
    `decisions` how many were looked at. `damaged` are days with something that cannot be read
    (a body, or the file that stands); the job goes on without it and tries again tomorrow.
    With `more` there is more to do at once.
    """

    head: Head
    days: tuple[date, ...] = ()
    decisions: int = 0
    damaged: tuple[date, ...] = ()
    more: bool = False


def archive_days(
    store: Store,
    head: Head,
    now: datetime,
    also: Sequence[Write] = (),
    beat: Callable[[], None] = lambda: None,
) -> Archived:
    """Archive what has closed since the last call, and the days that are due for a rewrite.

    Without a bucket, and when nothing has closed or is due, it sends no request; one when
    nothing was decided since. `also` goes into the transaction that moves the head: a check
    of the lease. `beat` is called every thousand items, so that it can be prolonged.

    Whatever stops it, the next call does the rest: files come first and never lose a row, the
    head comes last. Raises OvertakenError when another worker has gone on meanwhile.
    """
    if store.bucket is None:
        return Archived(head)
    before = Notes.read(head.notes)
    run = _Run(store, head.agent_id, now, beat, before)
    is_all = run.rewrite_due() and run.archive_closed()
    done = Archived(head, tuple(run.changed), run.decisions, tuple(run.damaged), not is_all)
    if run.notes == before:
        return done
    # of what has arrived before the first run, all is in the files: nobody has to follow it
    is_first = before.archived_until is None
    position = Position(settled=microseconds(now - LAG)) if is_first else head.position
    moved = commit(store, head, position=position, notes=run.notes.document, also=also)
    return replace(done, head=moved)


@dataclass
class _Run:
    """One call of the job, as far as it has come."""

    store: Store
    agent_id: str
    now: datetime
    beat: Callable[[], None]
    notes: Notes
    changed: list[date] = field(default_factory=list)
    damaged: list[date] = field(default_factory=list)
    days: int = 0
    decisions: int = 0

    def rewrite_due(self) -> bool:
        """Rewrite the days that are due; return whether that was all of them."""
        for day in self.notes.due(self.now, self.store.retention):
            if self._is_spent():
                return False
            self._write(day, self._items(midnight(day), midnight(day) + DAY), is_new=False)
        return True

    def archive_closed(self) -> bool:
        """Write the days that have closed; return whether that was all of them.

        One query runs over all of them, so a stretch without decisions costs nothing.
        """
        closed = (self.now - LAG).date() - DAY
        until = self.notes.archived_until
        if until is not None and until >= closed:
            return True
        since = None if until is None else midnight(until) + DAY
        for day, together in groupby(self._items(since, midnight(closed) + DAY), key=_day):
            if self._is_spent():
                return False
            self._write(day, together, is_new=True)
            self.notes = replace(self.notes, archived_until=day)
        if self.notes.archived_until != until:
            self.notes = replace(self.notes, archived_until=closed)
        return True

    def _is_spent(self) -> bool:
        return self.days >= MOST_DAYS or self.decisions >= MOST_DECISIONS

    def _write(self, day: date, found: Iterable[Item], *, is_new: bool) -> None:
        self.days += 1
        self.notes = self.notes.written(day, self.now)
        live = live_rows(self.store, found)
        try:
            written = write_day(self.store, self.agent_id, day, live, is_new=is_new)
        except BodyCorruptError:
            written = Written(0, is_damaged=True, changed=False)
        if written.is_damaged:
            self.damaged.append(day)
            self.notes = self.notes.marked(day, self.now)
        if written.changed:
            self.changed.append(day)
        self.decisions += written.decisions

    def _items(self, since: datetime | None, until: datetime) -> Iterator[Item]:
        condition = equals("pk", self.agent_id) & between("sk", *keys.log_range(since, until))
        found = self.store.query(DECISIONS, condition, consistent=True, expired=True)
        for number, item in enumerate(found, start=1):
            yield item
            if number % BEAT_ITEMS == 0:
                self.beat()


def _day(item: Item) -> date:
    return DecisionId(keys.uuid_of(str(item["sk"])), str(item["pk"])).decided_at.date()
