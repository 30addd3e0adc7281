"""The three jobs that follow an agent's log, and whether there is anything for them to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from daybook.analytics import rolling
from daybook.archive import notes as archive_notes
from daybook.archive.notes import DAY, midnight
from daybook.memory import learning_head
from daybook.memory.learning_head import Notes
from daybook.models.identity import microseconds
from daybook.progress import LAG, Arrival, Head, read_arrivals, read_heads
from daybook.store import DECISIONS, Store, keys
from daybook.store.expressions import between, equals


@dataclass
class Followers:
    """The heads of the jobs. There is none of the archive where no bucket is configured."""

    store: Store
    agent_id: str
    rollups: Head
    learning: Head
    archive: Head | None

    @classmethod
    def read(cls, store: Store, agent_id: str) -> "Followers":
        """Read all heads. One request."""
        heads = read_heads(store, agent_id)

        def head(job: str) -> Head:
            return heads.get(job, Head(agent_id, job))

        return cls(
            store=store,
            agent_id=agent_id,
            rollups=head(rolling.JOB),
            learning=head(learning_head.JOB),
            archive=head(archive_notes.JOB) if store.bucket else None,
        )

    @property
    def heads(self) -> list[Head]:
        """The heads there are."""
        return [self.rollups, self.learning, *([self.archive] if self.archive else [])]

    @property
    def look_again_at(self) -> datetime | None:
        """When the archive has days to write anew, None if there are none."""
        if self.archive is None:
            return None
        return archive_notes.Notes.read(self.archive.notes).next_rewrite

    def unseen(self, now: datetime) -> Iterator[Arrival]:
        """Iterate what has arrived up to now and is not done by every job, oldest first."""
        positions = [head.position for head in self.heads]
        since = min(position.settled for position in positions)
        last = microseconds(now)
        arrived = takewhile(
            lambda arrival: arrival.arrived_at <= last,
            read_arrivals(self.store, self.agent_id, since),
        )
        return (
            arrival
            for arrival in arrived
            if not all(position.is_done(arrival) for position in positions)
        )

    def have_work(self, now: datetime) -> bool:
        """Whether a job has something to do although nothing has arrived. One request at most."""
        if Notes.read(self.learning).pending:
            return True
        if self.archive and any(
            archive_notes.Notes.read(self.archive.notes).due(now, self.store.retention)
        ):
            return True
        return self._has_decisions(now)

    def _has_decisions(self, now: datetime) -> bool:
        """Whether something was decided in an hour to be closed or a day to be archived."""
        closed = rolling.closed_until(self.rollups)
        windows = [(closed, rolling.hour_of(now - rolling.CLOSED_AFTER))]
        if self.archive and closed is not None:
            until = archive_notes.Notes.read(self.archive.notes).archived_until
            since = None if until is None else midnight(until) + DAY
            # what was decided has been rolled up by then, so there is nothing after that
            windows.append((since, min(closed, midnight((now - LAG).date()))))
        ahead = [(since, end) for since, end in windows if since is None or since < end]
        if not ahead:
            return False
        since = None if any(s is None for s, _ in ahead) else min(s for s, _ in ahead if s)
        window = keys.log_range(since, max(end for _, end in ahead))
        condition = equals("pk", self.agent_id) & between("sk", *window)
        found = self.store.query(DECISIONS, condition, consistent=True, page_size=1)
        return next(found, None) is not None
