"""`Spool`: an entry is on the disk when the call returns, and is delivered in the background."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import TIMEOUT_MAX

from daybook.errors import SpoolClosedError, SpoolFullError
from daybook.spool.backlog import Backlog
from daybook.spool.config import SpoolConfig, SpoolStatus, checked_seconds
from daybook.spool.entries import Deliver, Entry, Kept
from daybook.spool.file import Change, SpoolFile, Waiting, adding
from daybook.spool.group_commit import GroupCommit
from daybook.spool.lanes import Lane, Progress
from daybook.spool.ownership import Ownership
from daybook.spool.quarantine import count_quarantined, open_or_save

LANES = 4
"""Requests under way at once."""


class Spool:
    """A durable queue on a local disk, which this process owns.

    Raises SpoolInUseError, or SpoolError when the file cannot be opened.
    """

    def __init__(
        self,
        config: SpoolConfig,
        deliver: Deliver,
        *,
        file: Callable[[Path], SpoolFile] = SpoolFile,
    ) -> None:
        self.config = config
        self.path = config.file
        self._process = os.getpid()
        self._ownership = Ownership(self.path)
        try:
            self._file = open_or_save(self.path, file, was_spool=self._ownership.was_owned)
            self._number = self._file.last_number()
            waiting = self._file.waiting()
            self._commits = GroupCommit(self._file)
            self._progress = Progress(
                self._commits,
                sent=self._file.sent(),
                newest=lambda: self._number,
                set_aside=self._file.count_set_aside(),
            )
        except BaseException:
            self._ownership.give_up()
            raise
        names = [f"daybook-spool-{number}" for number in range(LANES)]
        self._backlog = Backlog(LANES)
        self._backlog.add(waiting)
        self._lanes = [
            Lane(name, self._backlog, self._progress, deliver, self._release) for name in names
        ]
        self._closing = threading.Event()
        self._released = threading.Lock()
        for lane in self._lanes:
            lane.start()

    def append(self, agent_id: str, new: Sequence[Kept]) -> None:
        """Keep entries of an agent, all or none; they are on disk when this returns.

        Raises SpoolFullError, SpoolClosedError, or SpoolError when the disk refuses them; then
        none is kept.
        """
        self._check_usable()
        size = sum(len(each.body) for each in new)
        if not self._has_room(len(new), size):
            self._wait_for_room(len(new), size)
        entries: list[Entry] = []

        def make() -> list[Change]:
            now = time.time_ns() // 1000
            for each in new:
                self._number += 1
                entries.append(
                    Entry(self._number, agent_id, each.kind, each.body, now, each.careful)
                )
            return [adding(entries)]

        def done() -> None:
            self._backlog.add([Waiting.of(entry) for entry in entries])

        self._commits.commit(make, done)

    def flush(self, timeout: float | None = None) -> bool:
        """Deliver what waits now; False if some of it still does after `timeout` seconds.

        None waits for as long as it takes. What was set aside does not wait.
        """
        self._check_usable()
        return self._drained(None if timeout is None else checked_seconds(timeout, "timeout"))

    def close(self, timeout: float | None = None) -> bool:
        """Deliver what waits, for up to `timeout` seconds (`drain_s`), and close the file.

        False if some entries stay in it; they are delivered when it is opened again. A request
        that is under way is waited for a second longer; after that the spool is let go when it
        ends.
        """
        asked = self.config.drain_s if timeout is None else timeout
        seconds = checked_seconds(asked, "timeout")
        if self.is_foreign or self._closing.is_set():
            return True
        self._closing.set()
        deadline = time.monotonic() + seconds
        try:
            return self._drained(seconds)
        finally:
            self._backlog.end()
            deadline = max(deadline, time.monotonic() + 1.0)
            for lane in self._lanes:
                lane.join(min(TIMEOUT_MAX, max(0.0, deadline - time.monotonic())))

    def status(self) -> SpoolStatus:
        """Return how the spool is doing."""
        oldest = self._backlog.oldest()
        return SpoolStatus(
            depth=len(self._backlog),
            oldest_age_s=time.time() - oldest.logged_at / 1_000_000 if oldest else 0.0,
            last_error=self._progress.last_error,
            set_aside=self._progress.set_aside,
            quarantined=count_quarantined(self.path),
        )

    @property
    def is_foreign(self) -> bool:
        """Whether this process is a child of the one that opened the spool."""
        return self._process != os.getpid()

    def _check_usable(self) -> None:
        if self.is_foreign:
            raise SpoolClosedError(
                f"the spool {self.path} belongs to process {self._process}, from which this one "
                "was forked: make the handle in the child, with a spool of its own"
            )
        if self._closing.is_set():
            raise SpoolClosedError(f"the spool {self.path} is closed: make a new handle")

    def _has_room(self, count: int, size: int) -> bool:
        config, backlog = self.config, self._backlog
        return (
            len(backlog) + count <= config.max_entries and backlog.size + size <= config.max_bytes
        )

    def _wait_for_room(self, count: int, size: int) -> None:
        config, backlog = self.config, self._backlog
        if count > config.max_entries or size > config.max_bytes:
            raise SpoolFullError(
                f"{count:,} entries of {size:,} bytes at once are more than the spool {self.path} "
                f"may ever hold, which is {config.max_entries:,} of {config.max_bytes:,} bytes: "
                "hand in fewer, or raise max_entries and max_bytes"
            )
        patience = 0.0
        if config.when_full == "wait":
            patience = checked_seconds(config.patience_s, "patience_s")
        with self._progress.changed:
            if not self._progress.changed.wait_for(lambda: self._has_room(count, size), patience):
                raise SpoolFullError(
                    f"{len(backlog):,} entries wait in the spool {self.path}, of {backlog.size:,} "
                    "bytes, which is as many as it may hold; the last error in delivering: "
                    f"{self._progress.last_error}"
                )
        self._check_usable()

    def _drained(self, timeout: float | None) -> bool:
        last = self._number
        self._backlog.hurry()

        def is_done() -> bool:
            oldest = self._backlog.oldest()
            return oldest is None or oldest.number > last

        with self._progress.changed:
            return self._progress.changed.wait_for(is_done, timeout)

    def _release(self) -> None:
        """Close the file, once no lane is at work."""
        is_last = not any(lane.is_at_work for lane in self._lanes)
        if is_last and self._released.acquire(blocking=False):
            self._commits.close()
            self._ownership.release()
