"""The spool's file: SQLite in WAL mode, one connection, every commit on disk before it returns.

One connection, because SQLite 3.7.0 to 3.51.2 may corrupt a file that two of them write. The
caller lets one thread in at a time.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from daybook.errors import SpoolError
from daybook.spool.entries import Entry, Refusal

APPLICATION = 0x44415942  # "DAYB"
FORMAT = 1

_SCHEMA = (
    """CREATE TABLE entries (
        number INTEGER PRIMARY KEY, agent_id TEXT NOT NULL, kind TEXT NOT NULL,
        logged_at INTEGER NOT NULL, careful INTEGER NOT NULL, checksum INTEGER NOT NULL,
        body BLOB NOT NULL)""",
    """CREATE TABLE set_aside (
        number INTEGER PRIMARY KEY, agent_id TEXT NOT NULL, kind TEXT NOT NULL,
        logged_at INTEGER NOT NULL, careful INTEGER NOT NULL, checksum INTEGER NOT NULL,
        body BLOB NOT NULL, reason TEXT NOT NULL)""",
    # the number of the last entry that may have been sent
    "CREATE TABLE progress (sent INTEGER NOT NULL)",
    "INSERT INTO progress VALUES (0)",
    f"PRAGMA application_id={APPLICATION}",
    f"PRAGMA user_version={FORMAT}",
)
_TABLES = {"entries", "set_aside", "progress"}
COLUMNS = "number, agent_id, kind, logged_at, careful, checksum, body"

_NO_CHECKSUM = -1
MOST_ROWS = 100
"""Rows to a statement; SQLite before 3.32 takes 999 values."""


class Change(NamedTuple):
    """A statement for any number of rows: how it begins and ends, what stands for each row.

    One statement for all rows: at each that SQLite runs other threads may take the interpreter,
    and this one waits for it.
    """

    beginning: str
    row: str
    rows: Sequence[Sequence[Any]]
    end: str = ""

    def statements(self) -> Iterator[tuple[str, Sequence[Any]]]:
        """Iterate the statements, and their values."""
        for start in range(0, len(self.rows), MOST_ROWS):
            rows = self.rows[start : start + MOST_ROWS]
            marks = ",".join([self.row] * len(rows))
            yield f"{self.beginning}{marks}{self.end}", [value for row in rows for value in row]


def together(changes: Iterable[Change]) -> Iterator[Change]:
    """Iterate changes, in their order, as few: those of a kind that follow each other are one."""
    for (beginning, row, end), alike in groupby(changes, lambda each: (*each[:2], each.end)):
        yield Change(beginning, row, [row for each in alike for row in each.rows], end)


LARGEST_KNOWN = 16 * 1024
"""Bytes of a body that need not be read from the file again."""


class Waiting(NamedTuple):
    """An entry as the lanes know it; all of it is in the file, and `entry` here if it is new.

    `size` is that of its body, in bytes. A `doubtful` one may have arrived already.
    """

    number: int
    agent_id: str
    logged_at: int
    size: int
    entry: Entry | None = None
    doubtful: bool = False

    @classmethod
    def of(cls, entry: Entry) -> "Waiting":
        """Return an entry that has just been written; a large one is read again in its turn."""
        known = entry if len(entry.body) <= LARGEST_KNOWN else None
        return cls(entry.number, entry.agent_id, entry.logged_at, len(entry.body), known)


def connect(path: Path) -> sqlite3.Connection:
    """Open a file. Transactions are our own, and threads take turns under a lock of ours."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.text_factory = _readable
    return connection


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a file that another process may own, and change nothing."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    connection.text_factory = _readable
    return connection


def _readable(text: bytes) -> str:
    """Read text that may be damaged."""
    return text.decode(errors="replace")


class SpoolFile:
    """The entries on disk. Raises SpoolError for what SQLite or the disk refuses.

    `synchronous` is FULL: with anything less a power cut loses what was acknowledged before it.
    """

    def __init__(
        self, path: Path, connect: Callable[[Path], Any] = connect, synchronous: str = "FULL"
    ) -> None:
        self.path = path
        with self._as_spool_error("opened"):
            self._connection = connect(path)
            try:
                self._prepare(synchronous)
            except BaseException:
                self.close()
                raise

    def _prepare(self, synchronous: str) -> None:
        tables = {name for (name,) in self._run("SELECT name FROM sqlite_schema")}
        application = self._value("PRAGMA application_id")
        found = self._value("PRAGMA user_version")
        is_new = not tables and not application and not found
        if application != APPLICATION and not is_new:
            raise SpoolError(f"{self.path} is a database of another program, and no spool")
        if found > FORMAT:
            raise SpoolError(
                f"the spool {self.path} has format {found}, and this Daybook reads up to "
                f"{FORMAT}: upgrade daybook-aws"
            )
        # from here on the file is changed
        self._run("PRAGMA journal_mode=WAL")
        self._run(f"PRAGMA synchronous={synchronous}")
        self._run("PRAGMA fullfsync=1")  # on macOS no other sync reaches the disk itself
        if is_new:
            self._run("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                self._run(statement)
            self._run("COMMIT")
        elif not tables >= _TABLES or self._value("SELECT count(*) FROM progress") != 1:
            raise sqlite3.DatabaseError("a part of it is missing")
        damage = self._value("PRAGMA quick_check(1)")
        if damage != "ok":
            raise sqlite3.DatabaseError(damage)

    def transact(self, changes: Sequence[Change]) -> None:
        """Make these changes, all or none. When this returns they are on disk."""
        with self._as_spool_error("written"):
            statements = [each for change in together(changes) for each in change.statements()]
            if len(statements) == 1:
                # a transaction by itself, in one call instead of three
                self._run(*statements[0])
                return
            try:
                self._run("BEGIN IMMEDIATE")
                for statement, values in statements:
                    self._run(statement, values)
                self._run("COMMIT")
            except BaseException:
                with suppress(Exception):
                    self._run("ROLLBACK")
                raise

    def waiting(self) -> list[Waiting]:
        """Return all that is to be delivered, in order."""
        with self._as_spool_error("read"):
            rows = self._run(
                "SELECT number, agent_id, logged_at, length(body) FROM entries ORDER BY number"
            )
            return [
                Waiting(number, str(agent_id), at if isinstance(at, int) else 0, size)
                for number, agent_id, at, size in rows
            ]

    def read(self, numbers: Sequence[int]) -> tuple[list[Entry], list[Refusal]]:
        """Return these entries in order, and those that are damaged on the disk."""
        marks = ",".join("?" * len(numbers))
        query = f"SELECT {COLUMNS} FROM entries WHERE number IN ({marks}) ORDER BY number"  # noqa: S608 - question marks
        with self._as_spool_error("read"):
            return sorted_out(self._run(query, numbers).fetchall())

    def count_set_aside(self) -> int:
        """Return how many entries were refused."""
        with self._as_spool_error("read"):
            return int(self._value("SELECT count(*) FROM set_aside"))

    def last_number(self) -> int:
        """Return the largest number that was ever given."""
        with self._as_spool_error("read"):
            return int(
                self._value(
                    "SELECT max((SELECT sent FROM progress), "
                    "(SELECT coalesce(max(number), 0) FROM entries), "
                    "(SELECT coalesce(max(number), 0) FROM set_aside))"
                )
            )

    def sent(self) -> int:
        """Return the number up to which entries may have been sent."""
        with self._as_spool_error("read"):
            return int(self._value("SELECT sent FROM progress"))

    def close(self) -> None:
        """Close the file; what the WAL holds goes into it."""
        with suppress(Exception):
            self._connection.close()

    def _run(self, statement: str, values: Sequence[Any] = ()) -> Any:
        return self._connection.execute(statement, values)

    def _value(self, query: str) -> Any:
        return self._run(query).fetchone()[0]

    @contextmanager
    def _as_spool_error(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as fault:
            advice = "make room, or mend the disk, and try again; this was not kept"
            if what != "written":
                advice = "opening it anew, with a handle, saves what can be"
            raise SpoolError(
                f"the spool {self.path} could not be {what}: {fault}; {advice}"
            ) from fault


def adding(entries: Sequence[Entry]) -> Change:
    """Return the change that keeps entries; made twice it is made once."""
    return Change(
        f"INSERT OR REPLACE INTO entries ({COLUMNS}) VALUES ",  # noqa: S608 - ours
        "(?,?,?,?,?,?,?)",
        [_row(entry) for entry in entries],
    )


def removing(entries: Sequence[Entry]) -> Change:
    """Return the change that forgets entries that were delivered."""
    gone = [(entry.number,) for entry in entries]
    return Change("DELETE FROM entries WHERE number IN (", "?", gone, ")")


def setting_aside(refused: Sequence[Refusal]) -> list[Change]:
    """Return the changes that take entries out of the way and keep them, with the reasons."""
    rows = [(*_row(each.entry, is_damaged=each.is_damaged), each.reason) for each in refused]
    return [
        Change(
            f"INSERT OR REPLACE INTO set_aside ({COLUMNS}, reason) VALUES ",  # noqa: S608 - ours
            "(?,?,?,?,?,?,?,?)",
            rows,
        ),
        removing([refusal.entry for refusal in refused]),
    ]


def taking_back(refused: Sequence[Refusal]) -> list[Change]:
    """Return the changes that put entries back that were set aside, to be looked at first."""
    gone = [(each.entry.number,) for each in refused]
    return [
        adding([each.entry._replace(careful=True) for each in refused]),
        Change("DELETE FROM set_aside WHERE number IN (", "?", gone, ")"),
    ]


def sending(number: int) -> Change:
    """Return the change that notes that entries up to a number may be sent from now on."""
    return Change("UPDATE progress SET sent = max(sent, ", "?", [(number,)], ")")


def sorted_out(rows: Iterable[Sequence[Any]]) -> tuple[list[Entry], list[Refusal]]:
    """Return the entries of rows that are whole, and those that are not."""
    whole, damaged = [], []
    for row in rows:
        entry = _entry(row)
        if row[5] == _checksum(entry):
            whole.append(entry)
        else:
            reason = "it is damaged on the disk"
            damaged.append(Refusal(entry=entry, reason=reason, is_damaged=True))
    return whole, damaged


def refusals(connection: sqlite3.Connection) -> Iterator[Refusal]:
    """Iterate the entries that were set aside, in order, with the reasons."""
    query = f"SELECT {COLUMNS}, reason FROM set_aside ORDER BY number"  # noqa: S608 - ours
    return map(refusal, connection.execute(query))


def refusal(row: Sequence[Any]) -> Refusal:
    """Return the refusal of a row that was set aside."""
    *columns, reason = row
    entry = _entry(columns)
    return Refusal(entry=entry, reason=str(reason), is_damaged=columns[5] != _checksum(entry))


def _row(entry: Entry, *, is_damaged: bool = False) -> tuple[Any, ...]:
    return (
        entry.number,
        entry.agent_id,
        entry.kind,
        entry.logged_at,
        int(entry.careful),
        # what was damaged stays so, wherever it is put
        _NO_CHECKSUM if is_damaged else _checksum(entry),
        entry.body,
    )


def _entry(row: Sequence[Any]) -> Entry:
    # of a damaged row anything may be anything; the checksum tells
    number, agent_id, kind, logged_at, careful, _, body = row
    return Entry(
        number=int(number),
        agent_id=str(agent_id),
        kind=str(kind),
        logged_at=logged_at if isinstance(logged_at, int) else 0,
        careful=bool(careful),
        body=body if isinstance(body, bytes) else str(body).encode(),
    )


def _checksum(entry: Entry) -> int:
    return zlib.crc32(entry.body, zlib.crc32(f"{entry.agent_id} {entry.kind}".encode()))
