"""Lanes: threads that deliver what waits, the entries of each agent in their order."""

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from daybook.errors import StorageError
from daybook.spool.backlog import Backlog
from daybook.spool.entries import Deliver, Delivery, Entry, Refusal
from daybook.spool.file import Waiting, removing, sending, setting_aside
from daybook.spool.group_commit import GroupCommit

LINGER_SECONDS = 0.1
"""How long entries wait for others to share their request."""
AHEAD = 500
"""Entries to come that are noted as sent before they are, to note it less often."""
LONGEST_PAUSE = 5.0
"""Seconds between tries while delivering fails: pauses double up to it, with jitter."""
SHORTEST_PAUSE = 0.05

EVERYTHING = ""
"""In the place of an agent's id."""

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
        self._unsettled: tuple[list[Entry], list[Refusal]] = ([], [])
        self._settling = threading.Lock()

    @property
    def last_error(self) -> str | None:
        """Why the last try failed, of all or of an agent's entries; None if it went well."""
        return next(reversed(self._errors.values()), None)

    def note_sending(self, number: int) -> None:
        """Note on disk, before it is sent, that this entry may have been; rarely for one alone."""
        with self._sending:
            if number > self._sent:
                ahead = self._newest() + AHEAD
                self.commits.commit(lambda: [sending(ahead)])
                self._sent = ahead

    def settle(self, delivered: Sequence[Entry] = (), refused: Sequence[Refusal] = ()) -> None:
        """Forget what was delivered, and set aside what was refused.

        If the file cannot be written they are remembered here, for the next time.
        """
        with self._settling:
            done = [*self._unsettled[0], *delivered], [*self._unsettled[1], *refused]
            self._unsettled = ([], [])
        if not any(done):
            return
        try:
            self.commits.commit(lambda: [removing(done[0]), *setting_aside(done[1])])
        except BaseException:
            with self._settling:
                self._unsettled[0].extend(done[0])
                self._unsettled[1].extend(done[1])
            raise

    def tell(self, errors: Mapping[str, Exception | None], refused: int = 0) -> None:
        """Let those who wait look again, and say when delivering begins to fail and when it ends.

        `errors` is why the last try failed, or None: of agents, and of `EVERYTHING`.
        """
        with self.changed:
            failed = bool(self._errors)
            for whose, error in errors.items():
                self._errors.pop(whose, None)
                if error:
                    self._errors[whose] = str(error) or repr(error)
            self.set_aside += refused
            self.changed.notify_all()
        if self._errors and not failed:
            _log.warning("what is logged waits in the spool: %s", self.last_error)
        elif failed and not self._errors:
            _log.warning("the spool delivers again")


class Lane(threading.Thread):
    """Delivers the entries of some agents, in order. A daemon: the file keeps what it leaves."""

    def __init__(
        self,
        name: str,
        backlog: Backlog,
        progress: Progress,
        deliver: Deliver,
        ended: Callable[[], None],
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.is_at_work = True
        self._backlog = backlog
        self._progress = progress
        self._deliver = deliver
        self._tell_ended = ended

    def run(self) -> None:
        """Deliver until the end."""
        failures = 0
        while self._backlog.wait():
            if not self._backlog.has_a_run():
                self._backlog.hurried.wait(LINGER_SECONDS)
            taken = self._backlog.claim()
            if taken and self._deliver_run(taken):
                failures = 0
            elif taken:
                failures += 1
                self._pause(failures)
        with suppress(StorageError):
            self._progress.settle()
        self.is_at_work = False
        self._tell_ended()

    def _pause(self, failures: int) -> None:
        # jitter: other lanes, and agents elsewhere, come back at other moments
        longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**failures)
        backlog = self._backlog
        interrupted_by = backlog.ended if backlog.hurried.is_set() else backlog.hurried
        interrupted_by.wait(random.uniform(longest / 2, longest))  # noqa: S311 - no secret

    def _deliver_run(self, taken: Sequence[Waiting]) -> bool:
        """Deliver what was claimed; False if nothing would go through at present."""
        try:
            self._progress.settle()
            run, damaged = self._read(taken)
            if run:
                self._progress.note_sending(max(entry.number for entry in run))
            result = self._deliver(run)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the lane goes on
            if not isinstance(fault, StorageError):
                _log.exception("delivering from the spool failed")
            self._progress.tell({EVERYTHING: fault})
            self._backlog.settle(taken, (), doubtful=True)
            return False
        self._take(taken, replace(result, refused=[*damaged, *result.refused]))
        return result.fault is None

    def _take(self, taken: Sequence[Waiting], result: Delivery) -> None:
        """Note what became of a run, on the disk and here."""
        gone = {entry.number for entry in result.delivered}
        gone |= {refusal.entry.number for refusal in result.refused}
        errors: dict[str, Exception | None] = {each.agent_id: None for each in taken}
        errors |= {**result.held, EVERYTHING: result.fault}
        try:
            self._progress.settle(result.delivered, result.refused)
        except StorageError as fault:
            # they are not sent again: only the file has yet to hear of it
            errors[EVERYTHING] = fault
        with self._progress.changed:
            self._backlog.settle(
                taken, gone, doubtful=result.uncertain, held=result.held, seconds=LONGEST_PAUSE
            )
        for refusal in result.refused:
            _log.warning(
                "an entry of %s was set aside, and is kept in the spool: %s",
                refusal.entry.agent_id,
                refusal.reason,
            )
        self._progress.tell(errors, len(result.refused))

    def _read(self, taken: Sequence[Waiting]) -> tuple[list[Entry], list[Refusal]]:
        """Return entries in order, and those that are damaged on the disk."""
        unknown = [each.number for each in taken if each.entry is None]
        read, damaged = self._progress.commits.read(unknown) if unknown else ([], [])
        found = {each.number: each for each in read}
        found |= {each.number: each.entry for each in taken if each.entry is not None}
        run = [self._with_care(found[each.number], each) for each in taken if each.number in found]
        return run, damaged

    def _with_care(self, entry: Entry, waiting: Waiting) -> Entry:
        doubtful = waiting.doubtful or entry.number <= self._progress.sent_before
        return entry._replace(careful=True) if doubtful and not entry.careful else entry
