"""Lanes: threads that deliver what waits, the entries of each agent in their order."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from daybook.errors import StorageError
from daybook.spool.backlog import Backlog
from daybook.spool.entries import Deliver, Delivery, Entry, Refusal
from daybook.spool.file import Waiting, removing, sending, setting_aside
from daybook.spool.group_commit import GroupCommit

RUN = 100
"""Entries that are delivered at once: four batches of 25 decisions, or two and outcomes."""
LINGER_SECONDS = 0.1
"""How long entries wait for others to share their request."""
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
        self._errors: dict[str, str] = {}
        self._sent = sent
        self._newest = newest
        self._sending = threading.Lock()

    @property
    def last_error(self) -> str | None:
        """Why the last try of some lane failed; None if the last of each went well."""
        return next(reversed(self._errors.values()), None)

    def note_sending(self, number: int) -> None:
        """Note on disk, before it is sent, that this entry may have been; rarely for one alone."""
        with self._sending:
            if number > self._sent:
                ahead = self._newest() + AHEAD
                self.commits.commit(lambda: [sending(ahead)])
                self._sent = ahead

    def settle(self, delivered: Sequence[Entry], refused: Sequence[Refusal]) -> None:
        """Forget what was delivered, and set aside what was refused."""
        changes = [removing(delivered), *setting_aside(refused)]
        self.commits.commit(lambda: changes)
        for refusal in refused:
            _log.warning(
                "an entry of %s was set aside, and is kept in the spool: %s",
                refusal.entry.agent_id,
                refusal.reason,
            )

    def tell(self, lane: str, error: str | None, refused: int = 0) -> None:
        """Let those who wait look again, and say when delivering begins to fail and when it ends.

        `error` is why the lane's last try failed.
        """
        with self.changed:
            failed = bool(self._errors)
            self._errors.pop(lane, None)
            if error:
                self._errors[lane] = error
            self.set_aside += refused
            self.changed.notify_all()
        if error and not failed:
            _log.warning("what is logged waits in the spool: %s", error)
        elif failed and not self._errors:
            _log.warning("the spool delivers again")


class _Held(NamedTuple):
    """Until when an agent is held back, and why."""

    until: float
    fault: StorageError


class Lane(threading.Thread):
    """Delivers the entries of some agents, in order. A daemon: the file keeps what it leaves."""

    def __init__(
        self, name: str, progress: Progress, deliver: Deliver, ended: Callable[[], None]
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.is_at_work = True
        self.backlog = Backlog()
        self._progress = progress
        self._deliver = deliver
        self._tell_ended = ended
        self._uncertain: set[int] = set()
        self._held: dict[str, _Held] = {}
        self._unsettled: tuple[list[Entry], list[Refusal]] = ([], [])
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._ended = threading.Event()

    def add(self, waiting: Sequence[Waiting]) -> None:
        """Put entries at the end of the lane."""
        self.backlog.add(waiting)
        if not self._wake.is_set():
            self._wake.set()

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
            # before the look: what comes after it wakes the lane
            self._wake.clear()
            if not self.backlog.first(1, self._held_now()):
                if not self.backlog:
                    self._hurry.clear()
                self._wake.wait(self._until_released())
                continue
            if len(self.backlog) < RUN:
                self._hurry.wait(LINGER_SECONDS)
            failures = 0 if self._deliver_run() else failures + 1
            if failures:
                self._pause(failures)
        self.is_at_work = False
        self._tell_ended()

    def _held_now(self) -> set[str]:
        now = time.monotonic()
        return {agent_id for agent_id, held in self._held.items() if held.until > now}

    def _until_released(self) -> float | None:
        soonest = min((held.until for held in self._held.values()), default=None)
        return None if soonest is None else max(0.0, soonest - time.monotonic())

    def _pause(self, failures: int) -> None:
        # jitter: other lanes, and agents elsewhere, come back at other moments
        longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**failures)
        interrupted_by = self._ended if self._hurry.is_set() else self._hurry
        interrupted_by.wait(random.uniform(longest / 2, longest))  # noqa: S311 - no secret

    def _deliver_run(self) -> bool:
        """Deliver what is first in the lane; False if nothing would go through at present."""
        try:
            self._settle()
            taken = self.backlog.first(RUN, self._held_now())
            run, damaged = self._read(taken)
            if run:
                self._progress.note_sending(max(entry.number for entry in run))
            result = self._deliver([self._with_care(entry) for entry in run])
        except Exception as fault:  # noqa: BLE001 - whatever it is, the lane goes on
            if not isinstance(fault, StorageError):
                _log.exception("delivering from the spool failed")
            self._progress.tell(self.name, str(fault) or repr(fault))
            self._uncertain.update(each.number for each in self.backlog.first(RUN))
            return False
        self._take(taken, run, replace(result, refused=[*damaged, *result.refused]))
        return result.fault is None

    def _take(self, taken: Sequence[Waiting], run: Sequence[Entry], result: Delivery) -> None:
        """Note what became of a run, here and on the disk."""
        gone = {entry.number for entry in result.delivered}
        gone |= {refusal.entry.number for refusal in result.refused}
        stay = {entry.number for entry in run} - gone
        self._uncertain -= gone
        if result.uncertain:
            self._uncertain |= stay
        until = time.monotonic() + LONGEST_PAUSE
        for agent_id in {each.agent_id for each in taken}:
            self._held.pop(agent_id, None)
        self._held |= {agent_id: _Held(until, fault) for agent_id, fault in result.held.items()}
        self._unsettled[0].extend(result.delivered)
        self._unsettled[1].extend(result.refused)
        error = result.fault or next((held.fault for held in self._held.values()), None)
        try:
            self._settle()
        except StorageError as fault:
            # they are not sent again: only the file has yet to hear of it
            error = fault
        with self._progress.changed:
            self.backlog.take(taken, stay)
        self._progress.tell(self.name, str(error) if error else None, len(result.refused))

    def _settle(self) -> None:
        """Bring the file up to what is known here."""
        delivered, refused = self._unsettled
        if delivered or refused:
            self._progress.settle(delivered, refused)
            self._unsettled = ([], [])

    def _read(self, waiting: Sequence[Waiting]) -> tuple[list[Entry], list[Refusal]]:
        """Return entries in order, and those that are damaged on the disk."""
        known = [each.entry for each in waiting if each.entry]
        if len(known) == len(waiting):
            return known, []
        return self._progress.commits.read([each.number for each in waiting])

    def _with_care(self, entry: Entry) -> Entry:
        doubtful = entry.number <= self._progress.sent_before or entry.number in self._uncertain
        return entry._replace(careful=True) if doubtful and not entry.careful else entry
