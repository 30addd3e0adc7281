"""Lanes: threads that deliver what waits, the entries of each agent in their order."""

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from daybook.errors import SpoolError, StorageError
from daybook.spool.entries import Deliver, Delivery, Entry, Refusal
from daybook.spool.file import Change, Waiting, removing, sending, setting_aside
from daybook.spool.group_commit import GroupCommit

RUN = 50
"""Entries that are delivered at once: mostly a batch of 25 decisions, and their outcomes."""
LINGER_SECONDS = 0.1
"""How long entries wait for others to share their request."""
REMEMBERED = 500
"""Entries of a lane that need not be read from the file."""
AHEAD = 500
"""Entries to come that are noted as sent before they are, to note it less often."""
LONGEST_PAUSE = 5.0
"""Seconds between tries while delivering fails: pauses double up to it, with jitter."""
SHORTEST_PAUSE = 0.05

_log = logging.getLogger("daybook")


class Progress:
    """What the lanes have in common: which entries may have been sent, and news for who waits."""

    def __init__(
        self, commits: GroupCommit, *, sent: int, newest: Callable[[], int], set_aside: int
    ) -> None:
        self.commits = commits
        self.sent_before = sent
        self.set_aside = set_aside
        self.changed = threading.Condition()
        self.last_error: str | None = None
        self._sent = sent
        self._newest = newest
        self._sending = threading.Lock()

    def note_sending(self, number: int) -> None:
        """Note on disk, before it is sent, that this entry may have been; rarely for one alone."""
        with self._sending:
            if number > self._sent:
                ahead = self._newest() + AHEAD
                self.commits.commit(lambda: [sending(ahead)])
                self._sent = ahead

    def settle(self, delivered: Sequence[Entry], refused: Sequence[Refusal]) -> None:
        """Forget what was delivered, and set aside what was refused."""
        changes: list[Change] = [removing(delivered)] if delivered else []
        if refused:
            changes += setting_aside(refused)
        self.commits.commit(lambda: changes)
        for refusal in refused:
            _log.warning(
                "an entry of %s was set aside, and is kept in the spool: %s",
                refusal.entry.agent_id,
                refusal.reason,
            )

    def tell(self, *, error: str | None, refused: int = 0) -> None:
        """Let those who wait look again."""
        with self.changed:
            self.last_error = error
            self.set_aside += refused
            self.changed.notify_all()


class Lane(threading.Thread):
    """Delivers the entries of some agents, in order. A daemon: the file keeps what it leaves."""

    def __init__(
        self, name: str, progress: Progress, deliver: Deliver, ended: Callable[[], None]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.is_at_work = True
        self._progress = progress
        self._deliver = deliver
        self._tell_ended = ended
        self._waiting: deque[Waiting] = deque()
        self._uncertain: set[int] = set()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._ended = threading.Event()

    def add(self, waiting: Waiting) -> None:
        """Put an entry at the end of the lane. Of a few the lane remembers all."""
        is_short = len(self._waiting) < REMEMBERED
        self._waiting.append(waiting if is_short else waiting._replace(entry=None))
        if not self._wake.is_set():
            self._wake.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def head(self) -> Waiting | None:
        """Return the entry that has waited longest."""
        try:
            return self._waiting[0]
        except IndexError:
            return None

    def hurry(self) -> None:
        """Wait for nothing until the lane is empty."""
        self._hurry.set()
        self._wake.set()

    def end(self) -> None:
        """Take up no further entry."""
        self._ended.set()
        self.hurry()

    def run(self) -> None:
        """Deliver until the end."""
        failures = 0
        while not self._ended.is_set():
            if not self._waiting:
                self._hurry.clear()
                self._wake.wait()
                self._wake.clear()
                continue
            if len(self._waiting) < RUN:
                self._hurry.wait(LINGER_SECONDS)
            failures = 0 if self._deliver_run() else failures + 1
            if failures:
                self._pause(failures)
        self.is_at_work = False
        self._tell_ended()

    def _pause(self, failures: int) -> None:
        # jitter: other lanes, and agents elsewhere, come back at other moments
        longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**failures)
        interrupted_by = self._ended if self._hurry.is_set() else self._hurry
        interrupted_by.wait(random.uniform(longest / 2, longest))  # noqa: S311 - no secret

    def _deliver_run(self) -> bool:
        """Deliver what is first in the lane; False if some of it has to be tried again."""
        first = [self._waiting[place] for place in range(min(RUN, len(self._waiting)))]
        numbers = [each.number for each in first]
        try:
            run, damaged = self._read(first)
            self._progress.note_sending(numbers[-1])
            result = self._delivered([self._told(entry) for entry in run])
            refused = [*damaged, *result.refused]
            self._progress.settle(result.delivered, refused)
        except SpoolError as fault:
            self._uncertain.update(numbers)
            self._progress.tell(error=str(fault))
            return False
        stay = {entry.number for entry in run}
        stay -= {entry.number for entry in result.delivered}
        stay -= {refusal.entry.number for refusal in result.refused}
        self._uncertain.difference_update(numbers)
        if result.uncertain:
            self._uncertain.update(stay)
        with self._progress.changed:
            # what stays is at the head again: an entry that is held up holds up those behind it
            for _ in first:
                self._waiting.popleft()
            self._waiting.extendleft(each for each in reversed(first) if each.number in stay)
        self._progress.tell(
            error=str(result.fault) if result.fault else None, refused=len(refused)
        )
        return result.fault is None

    def _read(self, waiting: Sequence[Waiting]) -> tuple[list[Entry], list[Refusal]]:
        """Return entries in order, and those that are damaged on the disk."""
        known = [each.entry for each in waiting if each.entry]
        if len(known) == len(waiting):
            return known, []
        with self._progress.commits.lock:
            return self._progress.commits.file.read([each.number for each in waiting])

    def _told(self, entry: Entry) -> Entry:
        doubtful = entry.number <= self._progress.sent_before or entry.number in self._uncertain
        return replace(entry, careful=True) if doubtful and not entry.careful else entry

    def _delivered(self, run: Sequence[Entry]) -> Delivery:
        try:
            return self._deliver(run)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the lane goes on
            _log.exception("delivering from the spool failed")
            told = StorageError(f"delivering failed: {fault!r}")
            return Delivery(fault=told, uncertain=True)
