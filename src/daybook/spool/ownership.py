"""One owner for each spool: a lock that ends with its process, however that ends."""

import fcntl
import os
from pathlib import Path

from daybook.errors import SpoolError, SpoolInUseError

_here: set[Path] = set()
"""What this process owns: from itself, a record lock protects nothing."""


class Ownership:
    """The lock on a spool's file, held from now until `release`.

    Raises SpoolInUseError, which names the process that holds it. A record lock and not `flock`:
    a child made by fork does not inherit it, so it ends with the process that took it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        if self._path in _here:
            raise SpoolInUseError(
                f"the spool {path} is open in this process, or still ends a request: make all "
                "handles on it with the same client manager"
            )
        self._lock = path.with_name(f"{path.name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = self._lock.open("a+")
        except OSError as fault:
            raise SpoolError(
                f"the spool {path} cannot be opened: {fault}. Its folder has to be writable, on a "
                "local disk"
            ) from fault
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            self._handle.seek(0)
            owner = self._handle.read().strip() or "another process"
            self._handle.close()
            raise SpoolInUseError(
                f"the spool {path} belongs to process {owner}, which runs: a spool has one owner. "
                "Give each process a spool of its own"
            ) from fault
        self.was_owned = os.fstat(self._handle.fileno()).st_size > 0
        """Whether there was an owner before, which means that the file is a spool."""
        self._handle.truncate(0)
        self._handle.write(f"{os.getpid()}\n")
        self._handle.flush()
        _here.add(self._path)

    def give_up(self) -> None:
        """Give up what could not be opened; what was no spool before has no trace of it."""
        if not self.was_owned:
            self._lock.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Give the spool up."""
        self._handle.close()
        # not before: a record lock ends when any handle on its file is closed
        _here.discard(self._path)


os.register_at_fork(after_in_child=_here.clear)
