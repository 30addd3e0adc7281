"""Group commit: of the threads that write at once, one commits for all, in one sync."""

import threading
from collections.abc import Callable, Sequence

from daybook.errors import SpoolError
from daybook.spool.file import Change, SpoolFile


class _Ticket:
    """Changes that a thread waits for; `done` is called in the order of the commits."""

    __slots__ = ("changes", "done", "fault", "settled")

    def __init__(self, changes: Sequence[Change], done: Callable[[], None] | None) -> None:
        self.changes = changes
        self.done = done
        self.settled = False
        self.fault: SpoolError | None = None


class GroupCommit:
    """Lets threads write to one file."""

    def __init__(self, file: SpoolFile) -> None:
        self.file = file
        self.lock = threading.Lock()
        """Held by whoever uses the file."""
        self._queue = threading.Lock()
        self._waiting: list[_Ticket] = []

    def commit(
        self, make: Callable[[], Sequence[Change]], done: Callable[[], None] | None = None
    ) -> None:
        """Make changes, and return when they are on disk. Raises SpoolError if they are not.

        `make` is called in the order in which the changes are committed, and so is `done`.
        """
        with self._queue:
            ticket = _Ticket(make(), done)
            self._waiting.append(ticket)
        with self.lock:
            if not ticket.settled:
                self._commit_all(ticket)
        if ticket.fault:
            raise SpoolError(str(ticket.fault)) from ticket.fault

    def _commit_all(self, own: _Ticket) -> None:
        with self._queue:
            batch, self._waiting = self._waiting, []
        try:
            try:
                self.file.transact([change for ticket in batch for change in ticket.changes])
            except SpoolError as fault:
                for ticket in batch:
                    ticket.fault, ticket.settled = fault, True
                return
            for ticket in batch:
                if ticket.done:
                    ticket.done()
                ticket.settled = True
        except BaseException:
            # interrupted, perhaps after the commit: the others commit theirs again, and changes
            # made twice are made once
            with self._queue:
                left = [each for each in batch if not each.settled and each is not own]
                self._waiting[:0] = left
            raise
