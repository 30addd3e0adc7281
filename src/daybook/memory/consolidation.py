"""Consolidation: whatever has arrived since the last run is rolled up, archived and learned.

Three jobs follow one agent's arrivals, each with a head of its own, so each outcome takes
effect once in each of them, whoever runs them, however often, and wherever they die.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING

from daybook import archive
from daybook.analytics import rolling
from daybook.archive import Archived
from daybook.errors import InvalidInputError
from daybook.memory import knowledge_items, learning_head, patterns, runs
from daybook.memory.classroom import Classroom
from daybook.memory.followers import Followers
from daybook.memory.learning_head import Notes
from daybook.memory.reports import ConsolidationReport, report
from daybook.memory.runs import Change, Run
from daybook.models.identity import CLOCK_SKEW, EPOCH, aware, uuid_at
from daybook.progress import LAG, Arrival, Lease, Position, commit, leased
from daybook.store import Store, keys

if TYPE_CHECKING:
    from daybook.memory.learning import LearningSettings

BATCH = 1000
"""Arrivals that are held at a time, with their decisions."""

LIMIT = 100_000
"""Arrivals that one run deals with; its report says when there are more."""

_EARLIEST = EPOCH + timedelta(days=365)


def consolidate(
    store: Store,
    agent_id: str,
    *,
    now: datetime | None = None,
    dry_run: bool = False,
    wait: timedelta = timedelta(),
    settings: "LearningSettings | None" = None,
    limit: int = LIMIT,
) -> ConsolidationReport:
    """Deal with everything that has arrived in an agent's log up to `now`.

    `now` (default: the clock) lies between 1971 and the clock; raises InvalidInputError.
    Three requests at most when there is nothing to do. A dry run writes nothing and tells what
    would be learned. Another consolidation of the agent is waited for, up to `wait`; raises
    ConsolidationBusyError, or OvertakenError when another worker took this one for dead.
    """
    moment = _moment(store, now)
    followers = Followers.read(store, agent_id)
    arrivals = followers.unseen(moment)
    first = next(arrivals, None)
    waiting: Iterator[Arrival] = chain([first] if first else [], arrivals)
    if dry_run:
        return _rehearse(followers, islice(waiting, limit), moment, settings, limit)
    if first is None and not followers.have_work(moment):
        return report(
            followers.agent_id,
            _new_run_id(moment),
            caught_up_to=moment - LAG,
            look_again_at=followers.look_again_at,
        )
    with leased(store, agent_id, wait=wait) as lease:
        # read again: the heads may have moved while the lease was waited for
        current = Followers.read(store, agent_id)
        if current != followers:
            waiting = current.unseen(moment)
        run = _Consolidation(store, lease, current, moment, settings)
        return run.carry_out(islice(waiting, limit), limit)


@dataclass
class _Consolidation:
    """One run, under the lease."""

    store: Store
    lease: Lease
    followers: Followers
    now: datetime
    settings: "LearningSettings | None"

    def carry_out(self, arrivals: Iterator[Arrival], limit: int) -> ConsolidationReport:
        """Do all three jobs. `arrivals` are what is not done yet, at most `limit` of them."""
        self.followers.learning = runs.finish(self.store, self.lease, self.followers.learning)
        learning = self.followers.learning
        if self.lease.inherited:
            knowledge_items.sweep(self.store, learning.agent_id, learning.version + 1)
        classroom = Classroom(
            self.store, learning.agent_id, Notes.read(learning).knowledge, self.settings
        )
        learned_to = learning.position
        more = False
        while not more and (batch := list(islice(arrivals, BATCH))):
            limit -= len(batch)
            self._renew()
            learned_to = _learn(classroom, learned_to, batch, self.now)
            self._roll(batch)
            self._note_for_archive(batch)
            # what the position had no room to name waits, and so does all that came after it
            more = limit <= 0 or not all(map(learned_to.is_done, batch))
        self._close_hours()
        archived = self._archive()
        run_id, changes = self._conclude(classroom, learned_to)
        return report(
            learning.agent_id,
            run_id,
            changes=changes,
            outcomes_learned=classroom.outcomes,
            outcomes_damaged=classroom.damaged,
            outcomes_left_out=classroom.left_out,
            days_archived=len(archived.days) if archived else 0,
            days_damaged=len(archived.damaged) if archived else 0,
            more=more or bool(archived and archived.more),
            caught_up_to=self._caught_up_to(more),
            look_again_at=self.followers.look_again_at,
        )

    def _roll(self, batch: Sequence[Arrival]) -> None:
        head = self.followers.rollups
        fresh = list(head.position.new_among(batch, self.now))
        if fresh:
            check = [self.lease.check]
            self.followers.rollups = rolling.roll_arrivals(
                self.store, head, fresh, self.now, check
            )

    def _note_for_archive(self, batch: Sequence[Arrival]) -> None:
        head = self.followers.archive
        if head is None:
            return
        fresh = list(head.position.new_among(batch, self.now))
        if fresh:
            noted = archive.note_arrivals(head, fresh, self.now)
            self.followers.archive = commit(self.store, noted, also=[self.lease.check])

    def _close_hours(self) -> None:
        self._renew()
        self.followers.rollups = rolling.close_hours(
            self.store, self.followers.rollups, self.now, [self.lease.check]
        )

    def _archive(self) -> Archived | None:
        head = self.followers.archive
        if head is None:
            return None
        self._renew()
        done = archive.archive_days(self.store, head, self.now, [self.lease.check], self._renew)
        self.followers.archive = done.head
        return done

    def _renew(self) -> None:
        self.lease = self.lease.renewed()

    def _conclude(
        self, classroom: Classroom, learned_to: Position
    ) -> tuple[str, tuple[Change, ...]]:
        """Write down what was learned, and change the patterns accordingly."""
        head = self.followers.learning
        run_id = _new_run_id(self.now)
        if learned_to == head.position:
            return run_id, ()
        self._renew()
        notes = Notes.read(head)
        if not classroom.outcomes:
            learning_head.move(self.store, self.lease, head, notes, learned_to)
            return run_id, ()
        standings = patterns.every_standing(self.store, head.agent_id)
        changes = classroom.changes(standings, self.now)
        stamp = keys.knowledge_stamp(head.version + 1, self.lease.fence)
        known = classroom.save(stamp)
        was = {"position": head.position.document, "knowledge": notes.knowledge}
        runs.write(self.store, Run(head.agent_id, run_id, self.now, changes, was))
        replaced = knowledge_items.superseded(notes.knowledge, known)
        moved = notes.with_run(run_id, known, replaced)
        head = learning_head.move(self.store, self.lease, head, moved, learned_to)
        self.followers.learning = runs.finish(self.store, self.lease, head)
        return run_id, changes

    def _caught_up_to(self, more: bool) -> datetime:
        if not more:
            return self.now - LAG
        return min(head.position.settled_at for head in self.followers.heads)


def _rehearse(
    followers: Followers,
    arrivals: Iterator[Arrival],
    now: datetime,
    settings: "LearningSettings | None",
    limit: int,
) -> ConsolidationReport:
    """Find out what would be learned. Writes nothing."""
    store, head = followers.store, followers.learning
    classroom = Classroom(store, head.agent_id, Notes.read(head).knowledge, settings)
    learned_to, more = head.position, False
    while not more and (batch := list(islice(arrivals, BATCH))):
        limit -= len(batch)
        learned_to = _learn(classroom, learned_to, batch, now)
        more = limit <= 0 or not all(map(learned_to.is_done, batch))
    changes: tuple[Change, ...] = ()
    if classroom.outcomes:
        changes = classroom.changes(patterns.every_standing(store, head.agent_id), now)
    return report(
        head.agent_id,
        _new_run_id(now),
        dry_run=True,
        changes=changes,
        outcomes_learned=classroom.outcomes,
        outcomes_damaged=classroom.damaged,
        outcomes_left_out=classroom.left_out,
        more=more,
        caught_up_to=head.position.settled_at,
    )


def _learn(
    classroom: Classroom, position: Position, batch: Sequence[Arrival], now: datetime
) -> Position:
    """Learn what is new of a batch, as far as a position can name it, and return the position."""
    fresh = list(position.new_among(batch, now))
    classroom.learn(fresh)
    return position.after(fresh, now)


def _moment(store: Store, now: datetime | None) -> datetime:
    """Return the moment up to which arrivals count: no hour may be closed before its end."""
    clock = store.clock()
    if now is None:
        return clock
    moment = aware(now, "now")
    if not _EARLIEST <= moment <= clock + CLOCK_SKEW:
        raise InvalidInputError(
            f"now is {moment.isoformat()}, and the clock says {clock.isoformat()}: consolidate up "
            "to a moment that has come, from 1971 on, or leave `now` out"
        )
    return min(moment, clock)


def _new_run_id(now: datetime) -> str:
    return uuid_at(now, secrets.randbits(62))
