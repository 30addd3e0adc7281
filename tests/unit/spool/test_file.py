"""Disks that are full, files that are damaged: told of, and nothing that is whole is lost."""

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daybook import InvalidInputError, SpoolError
from daybook.spool import Entry, Kept, Refusal, Spool, SpoolConfig, look, take_back
from daybook.spool.file import SpoolFile, adding, connect, setting_aside
from daybook.spool.ownership import Ownership
from tests.unit.spool.conftest import MakeSpool
from tests.unit.spool.sinks import Sink

COUNT = 400


def entry(number: int) -> Entry:
    """Make an entry."""
    body = f"{number:0500}".encode()
    return Entry(number=number, agent_id="scout", kind="decision", body=body, logged_at=number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a spool's file in which 400 entries wait and one is set aside, and its lock."""
    path = tmp_path / "spool.db"
    Ownership(path).release()
    file = SpoolFile(path)
    file.transact([adding([entry(number) for number in range(1, COUNT + 1)])])
    file.transact(setting_aside([Refusal(entry=entry(COUNT + 1), reason="no")]))
    file.close()
    return path


def overwrite(path: Path, start: int, size: int) -> None:
    """Damage a part of a file."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * size)


def truncate(path: Path, share: float) -> None:
    """Cut a file off."""
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))


@pytest.mark.parametrize(
    ("harm", "least"),
    [
        (lambda path: overwrite(path, 0, 4096), 0),
        (lambda path: overwrite(path, 40 * 4096, 4096), COUNT // 2),
        (lambda path: truncate(path, 0.6), 1),
        (lambda path: path.write_bytes(b"no database at all, but some text" * 100), 0),
    ],
    ids=["first page", "a page in the middle", "cut off", "another file"],
)
def test_a_damaged_file(
    path: Path,
    make: MakeSpool,
    sink: Sink,
    harm: Callable[[Path], Any],
    least: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is moved away, what can be read is delivered with care, and the rest is told of."""
    harm(path)
    with caplog.at_level(logging.ERROR, "daybook"):
        spool = make()
    assert spool.flush(10)
    delivered = [int(body) for _, body in sink.got]
    assert len(delivered) >= least
    assert delivered == sorted(set(delivered))
    assert len(sink.careful) == len(delivered)
    assert spool.status().quarantined == 1
    assert "is damaged" in caplog.text
    assert f"{len(delivered) + spool.status().set_aside} entries were saved" in caplog.text
    spool.append("scout", [Kept("decision", b"1000")])
    assert spool.flush(10)
    assert sink.got[-1] == ("scout", b"1000")
    spool.close()
    assert make().status().quarantined == 1


def test_a_part_that_is_missing(path: Path, make: MakeSpool, sink: Sink) -> None:
    """Is damage, too."""
    with closing(connect(path)) as file:
        file.execute("DROP TABLE progress")
    spool = make()
    assert spool.flush(10)
    assert len(sink.got) == COUNT
    assert spool.status().quarantined == 1


def test_a_damaged_entry_is_set_aside(path: Path, make: MakeSpool, sink: Sink) -> None:
    """Where SQLite notices nothing, the checksum does; and what is taken back is whole."""
    content = path.read_bytes()
    assert content.count(f"{7:0500}".encode()) == 1
    path.write_bytes(content.replace(f"{7:0500}".encode(), f"{9:0500}".encode()))
    spool = make()
    assert spool.flush(10)
    assert [int(body) for _, body in sink.got] == [n for n in range(1, COUNT + 1) if n != 7]
    assert spool.status().set_aside == 2
    assert spool.status().quarantined == 0
    spool.close()
    with pytest.raises(InvalidInputError, match="7 is damaged"):
        take_back(path, [7])
    assert take_back(path) == 1
    assert [each.entry.number for each in look(path).set_aside] == [7]


def test_an_empty_file_is_a_new_spool(tmp_path: Path, make: MakeSpool) -> None:
    """As of a program that was killed while it made one."""
    (tmp_path / "spool.db").touch()
    assert make().status().depth == 0


def test_only_the_user_may_read_it(make: MakeSpool) -> None:
    """What agents decide is nobody else's business, on the disk either."""
    spool = make()
    spool.append("scout", [Kept("decision", b"1")])
    for file in spool.path.parent.glob("spool.db*"):
        if not file.name.endswith(".lock"):
            assert file.stat().st_mode & 0o077 == 0, file


def test_the_file_of_another_program(tmp_path: Path, make: MakeSpool) -> None:
    """Is left as it is, and nothing is left beside it."""
    theirs = tmp_path / "spool.db"
    with closing(sqlite3.connect(theirs)) as other:
        other.execute("CREATE TABLE customers (name)")
    before = theirs.read_bytes()
    for _ in range(2):
        with pytest.raises(SpoolError, match="a database of another program"):
            make()
    assert theirs.read_bytes() == before
    assert list(tmp_path.iterdir()) == [theirs]


@pytest.mark.parametrize("pragma", ["application_id=5", "user_version=9"])
def test_an_empty_database_of_another_program(
    tmp_path: Path, make: MakeSpool, pragma: str
) -> None:
    """Is no new spool."""
    with closing(sqlite3.connect(tmp_path / "spool.db")) as other:
        other.execute(f"PRAGMA {pragma}")
    with pytest.raises(SpoolError, match="a database of another program"):
        make()


def test_a_file_that_never_was_a_spool(tmp_path: Path, make: MakeSpool) -> None:
    """As when a path is mistyped: nothing is moved, at the second try neither."""
    notes = tmp_path / "spool.db"
    notes.write_text("milk, bread")
    for _ in range(2):
        with pytest.raises(SpoolError, match="left as it is"):
            make()
    assert notes.read_text() == "milk, bread"
    assert list(tmp_path.iterdir()) == [notes]


def test_a_file_of_a_later_version(path: Path, make: MakeSpool) -> None:
    """Is left as it is, too."""
    with closing(connect(path)) as file:
        file.execute("PRAGMA user_version=2")
    with pytest.raises(SpoolError, match="has format 2"):
        make()


@pytest.mark.parametrize("where", ["/proc/spool.db", "/dev/null/spool.db"])
def test_a_place_that_cannot_be_written(where: str, sink: Sink) -> None:
    """The error names it."""
    with pytest.raises(SpoolError, match=where):
        Spool(SpoolConfig(path=where), sink)


def test_a_folder_is_no_spool(tmp_path: Path, sink: Sink) -> None:
    """The error says what to name instead."""
    (tmp_path / "spools").mkdir()
    with pytest.raises(SpoolError, match="is a folder, and a spool is a file"):
        Spool(SpoolConfig(path=tmp_path / "spools"), sink)


def test_a_full_disk(tmp_path: Path, sink: Sink) -> None:
    """What does not fit is not acknowledged; what was is delivered; then there is room again."""

    def small(path: Path) -> SpoolFile:
        def connected(path: Path) -> sqlite3.Connection:
            made = connect(path)
            made.execute("PRAGMA max_page_count=30")
            return made

        return SpoolFile(path, connected)

    sink.open.clear()
    spool = Spool(SpoolConfig(path=tmp_path / "spool.db"), sink, file=small)
    kept = 0

    def log_on() -> None:
        nonlocal kept
        while True:
            spool.append("scout", [Kept("decision", f"{kept:01000}".encode())])
            kept += 1

    with pytest.raises(SpoolError, match="full"):
        log_on()
    assert kept > 20
    sink.open.set()
    assert spool.flush(10)
    assert sink.bodies("scout") == list(range(kept))
    spool.append("scout", [Kept("decision", b"1000")])
    assert spool.close(10)
    assert sink.bodies("scout")[-1] == 1000


FAILING_DISK = """
import resource, sys
from daybook import InvalidInputError, SpoolError
from daybook.spool import Delivery, Kept, Spool, SpoolConfig

hold = lambda run: Delivery(fault=SpoolError("not now"))
spool = Spool(SpoolConfig(path=sys.argv[1]), hold)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
kept, told = 0, ""
try:
    for number in range(1000):
        spool.append("scout", [Kept("decision", f"{number:01000}".encode())])
        kept += 1
except SpoolError as fault:
    told = str(fault)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.append("scout", [Kept("decision", b"1000")])
print(kept, told, flush=True)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_disk_that_fails(tmp_path: Path, make: MakeSpool, sink: Sink) -> None:
    """A write that the system refuses: told of, and all that was acknowledged is there."""
    done = subprocess.run(
        [sys.executable, "-c", FAILING_DISK, str(tmp_path / "spool.db")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    kept, _, told = done.stdout.partition(" ")
    assert "could not be written" in told, done
    assert make().flush(10)
    assert sink.bodies("scout") == [*range(int(kept)), 1000]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE entries SET agent_id = CAST(x'ff' AS TEXT) WHERE number = 7",
        "UPDATE entries SET body = CAST(body AS TEXT) || 'x' WHERE number = 7",
        "UPDATE entries SET logged_at = 'noon' WHERE number = 7",
        "UPDATE entries SET kind = x'00ff' WHERE number = 7",
    ],
)
def test_columns_that_are_not_what_they_were(
    path: Path, make: MakeSpool, sink: Sink, harm: str
) -> None:
    """A flipped bit anywhere in a row is that row's affair."""
    with closing(connect(path)) as file:
        file.execute(harm)
    spool = make()
    assert spool.flush(10)
    got = {int(body) for _, body in sink.got if body.isdigit()}
    assert got >= {n for n in range(1, COUNT + 1) if n != 7}
    assert spool.status().depth == 0
