"""Group commit: of the threads that write at once, one commits for all, in one sync."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from daybook.errors import SpoolError
from daybook.spool.entries import Entry, Refusal
from daybook.spool.file import Change, SpoolFile

STALLED_SECONDS = 1.0


class _Ticket:
    """Changes that a thread waits for.

    Its turn comes when another thread has settled it, or has left it to commit what waits.
    """

    __slots__ = ("changes", "done", "fault", "settled", "turn")

    def __init__(self, changes: Sequence[Change], done: Callable[[], None] | None) -> None:
        self.changes = changes
        self.done = done
        self.settled = False
        self.fault: SpoolError | None = None
        self.turn = threading.Lock()
        self.turn.acquire()

    def wake(self) -> None:
        """Say that its turn has come; saying it twice changes nothing."""
        with suppress(RuntimeError):
            self.turn.release()


class GroupCommit:
    """Lets threads write to one file."""

    def __init__(self, file: SpoolFile) -> None:
        self.file = file
        self.lock = threading.Lock()
        """Held by whoever uses the file."""
        self._queue = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._is_led = False

    def read(self, numbers: Sequence[int]) -> tuple[list[Entry], list[Refusal]]:
        """Return entries in order, and those that are damaged on the disk."""
        with self.lock:
            return self.file.read(numbers)

    def close(self) -> None:
        """Close the file, when nobody uses it."""
        with self.lock:
            self.file.close()

    def commit(
        self, make: Callable[[], Sequence[Change]], done: Callable[[], None] | None = None
    ) -> None:
        """Make changes, and return when they are on disk. Raises SpoolError if they are not.

        `make` is called in the order in which the changes are committed, and so is `done`.
        """
        with self._queue:
            ticket = _Ticket(make(), done)
            self._waiting.append(ticket)
            leads, self._is_led = not self._is_led, True
        if not leads:
            self._wait_for_turn(ticket)
        if not ticket.settled:
            self._lead(ticket)
        if ticket.fault:
            raise SpoolError(str(ticket.fault)) from ticket.fault
        if not ticket.settled:
            raise SpoolError("writing to the spool was interrupted: log it again")

    def _wait_for_turn(self, ticket: _Ticket) -> None:
        while not ticket.turn.acquire(timeout=STALLED_SECONDS):
            if not self.lock.locked():
                return  # whoever was to lead was interrupted before it did

    def _lead(self, own: _Ticket) -> None:
        """Commit what waits, and leave what has come meanwhile to the first who waits."""
        try:
            with self.lock:
                self._commit_all(own)
        finally:
            with self._queue:
                self._is_led = bool(self._waiting)
                for ticket in self._waiting[:1]:
                    ticket.wake()

    def _commit_all(self, own: _Ticket) -> None:
        batch: list[_Ticket] = []
        try:
            with self._queue:
                batch, self._waiting = self._waiting, []
            fault = self._made([change for ticket in batch for change in ticket.changes])
            for ticket in batch:
                if ticket.done and fault is None:
                    ticket.done()
                ticket.fault, ticket.settled = fault, True
        finally:
            # if this thread is interrupted, perhaps after the commit, the others commit theirs
            # again: changes made twice are made once
            with self._queue:
                self._waiting[:0] = [
                    each for each in batch if not each.settled and each is not own
                ]
            for ticket in batch:
                if ticket.settled and ticket is not own:
                    ticket.wake()

    def _made(self, changes: Sequence[Change]) -> SpoolError | None:
        try:
            self.file.transact(changes)
        except SpoolError as fault:
            return fault
        return None
