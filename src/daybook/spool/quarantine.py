"""A damaged spool: its file is moved out of the way, and what can be read of it is saved."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from daybook.errors import SpoolError
from daybook.spool.entries import Entry, Refusal
from daybook.spool.file import (
    COLUMNS,
    SpoolFile,
    adding,
    connect,
    refusal,
    setting_aside,
    sorted_out,
)

_log = logging.getLogger("daybook")

_MAGIC = b"SQLite format 3\0"
"""How every database of SQLite begins."""
_BESIDE = ("", "-wal", "-shm")
"""SQLite's files, by what their names add."""


def open_or_save(
    path: Path, file: Callable[[Path], SpoolFile], *, was_spool: bool = True
) -> SpoolFile:
    """Open a spool's file; if it is damaged, a new one with all that can be saved.

    What is no database is a damaged spool only if it `was_spool` once. Raises SpoolError when the
    disk, and not the file, is at fault, or the file is no spool.
    """
    _make_private(path)
    try:
        return file(path)
    except SpoolError as fault:
        cause = fault.__cause__
        if not isinstance(cause, sqlite3.DatabaseError) or isinstance(
            cause, sqlite3.OperationalError
        ):
            raise
        if not was_spool and not _is_database(path):
            raise SpoolError(
                f"{path} is a file of something else, and no spool; it is left as it is"
            ) from fault
        # before anything is moved: whatever goes wrong here, the next try finds it as it was
        entries, refused = _saved(path)
        moved = _moved(path)
        _make_private(path)
        fresh = file(path)
        fresh.transact([adding(entries), *setting_aside(refused)])
        _log.error(
            "the spool %s is damaged (%s). It was moved to %s; %d entries were saved from it, and "
            "what else it may have held is there",
            path,
            cause,
            moved,
            len(entries) + len(refused),
        )
        return fresh


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _make_private(path: Path) -> None:
    """Make the file if it is not there, for this user's eyes, so that a power cut leaves it."""
    if path.is_dir():
        raise SpoolError(f"{path} is a folder, and a spool is a file: name one in it")
    try:
        path.touch(mode=0o600)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as fault:
        raise SpoolError(f"the spool {path} cannot be opened: {fault}") from fault


def count_quarantined(path: Path) -> int:
    """Return how many damaged files of this spool lie beside it."""
    beside = path.parent.glob(f"{path.name}.damaged-*")
    return sum(not name.name.endswith(_BESIDE[1:]) for name in beside)


def _moved(path: Path) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            path.with_name(f"{path.name}{suffix}").rename(
                path.with_name(f"{path.name}.damaged-{moment}{suffix}")
            )
    return path.with_name(f"{path.name}.damaged-{moment}")


def _saved(path: Path) -> tuple[list[Entry], list[Refusal]]:
    """Return what can be read of a damaged file; it may have been sent before."""
    with closing(connect(path)) as connection:
        # or SQLite reads nothing of a file that was cut off
        connection.execute("PRAGMA writable_schema=ON")
        entries, damaged = sorted_out(_rows(connection, "entries", COLUMNS))
        refused = [refusal(row) for row in _rows(connection, "set_aside", f"{COLUMNS}, reason")]
    return [entry._replace(careful=True) for entry in entries], damaged + refused


def _rows(connection: sqlite3.Connection, table: str, columns: str) -> Iterator[Any]:
    """Yield the rows that can be read, from both ends towards what is damaged."""
    seen = set()
    for direction in ("ASC", "DESC"):
        with suppress(sqlite3.Error):
            query = f"SELECT {columns} FROM {table} ORDER BY number {direction}"  # noqa: S608 - ours
            for row in connection.execute(query):
                if row[0] in seen:
                    break
                seen.add(row[0])
                if None not in row:  # of a page that is gone
                    yield row
