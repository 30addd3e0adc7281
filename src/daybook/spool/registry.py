"""The spools of this process: one for each file, shared by handles, drained when it ends."""

import atexit
import logging
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import FrameType

from daybook.errors import InvalidInputError, SpoolClosedError, SpoolInUseError
from daybook.spool.config import SpoolConfig
from daybook.spool.entries import Deliver
from daybook.spool.queue import Spool

TERMINATED = 128 + signal.SIGTERM
"""The exit code of a process that SIGTERM ended, as a shell tells it."""

ORDERLY_SECONDS = 5.0
"""How long a program may take to end in order after SIGTERM, before its spools are drained."""


_log = logging.getLogger("daybook")


class _Shared:
    def __init__(self, spool: Spool, destination: object) -> None:
        self.spool = spool
        self.destination = destination
        self.handles = 1


_shared: dict[Path, _Shared] = {}
_lock = threading.Lock()
_of_the_parent: list[object] = []


def acquire(
    asked: SpoolConfig | str | PathLike[str], destination: object, deliver: Deliver
) -> Spool:
    """Return the spool of this file for one more handle, opened if it is not.

    Whoever asks for a path only takes the settings as they are.

    `destination` is where its entries go: a file has one, and one set of settings. Raises
    SpoolInUseError, or InvalidInputError for settings that are not those it was opened with.
    """
    config = asked if isinstance(asked, SpoolConfig) else SpoolConfig(path=asked)
    path = config.file
    with _lock:
        shared = _shared.get(path)
        if shared is None:
            _watch_the_end()
            shared = _shared[path] = _Shared(Spool(config, deliver), destination)
        elif shared.destination != destination:
            raise SpoolInUseError(
                f"the spool {path} delivers for another client manager of this process: give "
                "each a spool of its own"
            )
        else:
            if config is asked:
                _check_same_settings(shared.spool.config, config)
            shared.handles += 1
        return shared.spool


def _check_same_settings(standing: SpoolConfig, asked: SpoolConfig) -> None:
    """Raise InvalidInputError for settings that would have no effect."""
    if asked != replace(standing, path=asked.path):
        raise InvalidInputError(
            f"the spool {standing.path} is open in this process as {standing}, and this handle "
            f"asks for {asked}: use the same settings, or only the path"
        )


def release(spool: Spool, timeout: float | None) -> bool:
    """Take note that a handle needs the spool no more; the last one closes it.

    Returns whether all that was logged has been delivered, or set aside.
    """
    with _lock:
        path, shared = next(
            ((path, each) for path, each in _shared.items() if each.spool is spool), (None, None)
        )
        if path is None or shared is None:
            return True
        shared.handles -= 1
        is_last = not shared.handles
        if is_last:
            del _shared[path]
    if is_last:
        return spool.close(timeout)
    # the others deliver on; there is nothing to wait for unless it is asked for
    with suppress(SpoolClosedError):
        return spool.flush(timeout or 0)
    return True


def _watch_the_end() -> None:
    """Drain the spools when the process ends, also by SIGTERM if nothing else handles it."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit)


def _exit(_signal: int, _frame: FrameType | None) -> None:
    # an orderly end: whatever the main thread holds is let go, and then the spools are drained.
    # Other threads may hold that up for ever, as SIGTERM by itself does not let them
    threading.Thread(target=_end_anyway, daemon=True).start()
    raise SystemExit(TERMINATED)


def _end_anyway() -> None:
    time.sleep(ORDERLY_SECONDS)
    _drain()
    os._exit(TERMINATED)


@atexit.register
def _drain() -> None:
    for shared in list(_shared.values()):
        try:
            shared.spool.close()
        except Exception:  # noqa: BLE001 - the others are drained all the same
            _log.exception(
                "the spool %s was not drained; what waits stays in it", shared.spool.path
            )


def _forget() -> None:
    """Leave the parent's spools alone: neither use them nor close their files."""
    global _lock  # noqa: PLW0603 - a thread that the child does not have may hold it
    _lock = threading.Lock()
    _of_the_parent.extend(_shared.values())
    _shared.clear()
    with suppress(ValueError):  # not in the main thread
        if signal.getsignal(signal.SIGTERM) is _exit:
            # the child has nothing to drain, and what the parent's blocks clean up is not its own
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


os.register_at_fork(after_in_child=_forget)
