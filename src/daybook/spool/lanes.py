"""Lanes: threads that deliver what waits, the entries of each agent in their order."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from daybook.errors import SpoolError, StorageError
from daybook.spool.backlog import Backlog
from daybook.spool.entries import Deliver, Delivery, Entry, Refusal
from daybook.spool.file import Waiting, removing, sending, setting_aside
from daybook.spool.group_commit import GroupCommit

LINGER_SECONDS = 0.1
"""How long entries wait for others to share their request."""
AHEAD = 500
"""Entries to come that are noted as sent before they are, to note it less often."""

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
        try:
            while self._backlog.wait():
                if not self._backlog.has_a_run():
                    self._backlog.hurried.wait(LINGER_SECONDS)
                if taken := self._backlog.claim():
                    self._deliver_run(taken)
            with suppress(Exception):  # it stays in the file
                self._progress.settle()
        finally:
            self.is_at_work = False
            self._tell_ended()

    def _deliver_run(self, taken: Sequence[Waiting]) -> None:
        """Deliver what was claimed, and note what became of it, on the disk and here."""
        result, missing = self._tried(taken)
        gone = missing | {entry.number for entry in result.delivered}
        gone |= {refusal.entry.number for refusal in result.refused}
        stay = {each.agent_id for each in taken if each.number not in gone}
        errors: dict[str, Exception | None] = {each.agent_id: None for each in taken}
        errors |= {agent_id: result.held.get(agent_id, result.fault) for agent_id in stay}
        errors[EVERYTHING] = None
        try:
            self._progress.settle(result.delivered, result.refused)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the lane goes on
            # they are not sent again: only the file has yet to hear of it
            errors[EVERYTHING] = _told(fault)
        with self._progress.changed:
            self._backlog.settle(
                taken,
                gone,
                doubtful=result.uncertain,
                held=result.held.keys(),
                stopped=result.fault is not None,
            )
        for refusal in result.refused:
            _log.warning(
                "an entry of %s was set aside, and is kept in the spool: %s",
                refusal.entry.agent_id,
                refusal.reason,
            )
        self._progress.tell(errors, len(result.refused))

    def _tried(self, taken: Sequence[Waiting]) -> tuple[Delivery, set[int]]:
        """Deliver entries; return what became of them, and the numbers of those that are gone."""
        try:
            self._progress.settle()
            run, damaged = self._read(taken)
            if run:
                self._progress.note_sending(max(entry.number for entry in run))
        except Exception as fault:  # noqa: BLE001
            return Delivery(fault=_told(fault)), set()
        known = {each.number for each in (*run, *(refusal.entry for refusal in damaged))}
        missing = {each.number for each in taken} - known
        if missing:
            _log.error("the entries %s are no longer in the spool's file", sorted(missing))
        try:
            result = self._deliver(run) if run else Delivery()
        except Exception as fault:  # noqa: BLE001
            result = Delivery(fault=_told(fault), uncertain=True)
        return replace(result, refused=[*damaged, *result.refused]), missing

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


def _told(fault: Exception) -> StorageError:
    """Return a fault as one of ours; log what is none, for then it is a defect."""
    if isinstance(fault, StorageError):
        return fault
    _log.error("delivering from the spool failed", exc_info=fault)
    return SpoolError(str(fault) or repr(fault))
