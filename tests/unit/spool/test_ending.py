"""How the processes that own a spool end: in order, by SIGTERM, by SIGKILL, by a fork."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from daybook import SpoolInUseError
from daybook.spool.registry import TERMINATED
from tests.unit.spool.conftest import MakeSpool
from tests.unit.spool.sinks import Sink
from tests.unit.spool.test_queue import on_disk

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from daybook.spool import Delivery, Kept, SpoolConfig, acquire

def deliver(run):
    time.sleep(float(sys.argv[2]))
    with Path(sys.argv[1] + ".sent").open("ab") as sent:
        sent.writelines(entry.body + b" " for entry in run)
    return Delivery(delivered=run)

{before}
spool = acquire(SpoolConfig(path=sys.argv[1], drain_s=float(sys.argv[3])), "here", deliver)
for number in range(10):
    spool.append("scout", [Kept("decision", str(number).encode())])
print("logged", flush=True)
{after}
"""


def start(
    path: Path, *, takes: float = 0, drain: float = 5, **parts: str
) -> subprocess.Popen[str]:
    """Start a program that logs ten entries, and wait until it has."""
    source = PROGRAM.format(**({"before": "", "after": "time.sleep(60)"} | parts))
    process = subprocess.Popen(
        [sys.executable, "-c", source, str(path), str(takes), str(drain)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "logged\n", process.communicate()[1]
    return process


def sent(path: Path) -> list[int]:
    """Return what the program delivered."""
    file = path.with_name(f"{path.name}.sent")
    return [int(number) for number in file.read_text().split()] if file.exists() else []


def test_the_end_of_the_program_drains(tmp_path: Path) -> None:
    """Without a `close`."""
    path = tmp_path / "spool.db"
    process = start(path, after="")
    assert process.wait(30) == 0
    assert sent(path) == list(range(10))
    assert on_disk(path) == []


def test_an_end_that_takes_too_long_keeps_the_rest(tmp_path: Path) -> None:
    """The program ends in time, and what was not delivered is in the file."""
    path = tmp_path / "spool.db"
    began = time.monotonic()
    process = start(path, takes=60, drain=0.2, after="")
    assert process.wait(30) == 0
    assert time.monotonic() - began < 30
    assert on_disk(path) == [str(number).encode() for number in range(10)]


def test_sigterm_drains(tmp_path: Path) -> None:
    """And the exit code is that of a process which SIGTERM ended."""
    path = tmp_path / "spool.db"
    process = start(path)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == TERMINATED
    assert sent(path) == list(range(10))


def test_a_handler_of_the_programs_own_stays(tmp_path: Path) -> None:
    """Whoever handles SIGTERM closes the spool, or ends the program in order."""
    path = tmp_path / "spool.db"
    process = start(path, before="signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 7
    assert sent(path) == list(range(10))


def test_a_killed_owner_leaves_all_that_it_acknowledged(
    tmp_path: Path, make: MakeSpool, sink: Sink
) -> None:
    """The next one delivers it."""
    process = start(tmp_path / "spool.db", takes=60)
    process.kill()
    process.wait()
    assert make().flush(10)
    assert sink.bodies("scout") == list(range(10))


def test_a_spool_has_one_owner(tmp_path: Path, make: MakeSpool) -> None:
    """A second process is told which one has it."""
    process = start(tmp_path / "spool.db")
    try:
        with pytest.raises(SpoolInUseError, match=f"belongs to process {process.pid}"):
            make()
    finally:
        process.kill()
        process.wait()
    assert make().flush(10)


def test_a_spool_is_opened_once_in_a_process(make: MakeSpool) -> None:
    """A lock of the system's does not keep a process from itself."""
    make()
    with pytest.raises(SpoolInUseError, match="open in this process"):
        make()


@pytest.mark.parametrize("ends", ["os._exit(0)", "sys.exit(0)"])
def test_a_child_leaves_the_spool_alone(tmp_path: Path, ends: str) -> None:
    """It is told so, and neither its use nor its end does the parent any harm."""
    path = tmp_path / "spool.db"
    after = f"""
from daybook import SpoolClosedError, SpoolInUseError
if os.fork() == 0:
    for use in (lambda: spool.append("scout", [Kept("decision", b"99")]), spool.flush):
        try:
            use()
        except SpoolClosedError as told:
            assert "was forked" in str(told), told
        else:
            os._exit(1)
    assert spool.close()
    try:
        acquire(SpoolConfig(path=sys.argv[1]), "here", deliver)
    except SpoolInUseError:
        {ends}
    os._exit(2)
assert os.wait()[1] == 0
for number in range(10, 20):
    spool.append("scout", [Kept("decision", str(number).encode())])
assert spool.flush(10)
"""
    process = start(path, after=after)
    assert process.wait(30) == 0, process.communicate()[1]
    assert sent(path) == list(range(20))


def test_a_child_may_have_a_spool_of_its_own(tmp_path: Path) -> None:
    """Made in the child, it is delivered when the child ends."""
    path = tmp_path / "spool.db"
    after = """
if os.fork() == 0:
    own = acquire(SpoolConfig(path=sys.argv[1] + "2"), "here", deliver)
    own.append("scout", [Kept("decision", b"99")])
    sys.exit(0)
assert os.wait()[1] == 0
"""
    process = start(path, after=after)
    assert process.wait(30) == 0, process.communicate()[1]
    assert sorted(sent(path)) == [*range(10), 99]


def test_sigterm_ends_a_program_whose_threads_do_not(tmp_path: Path) -> None:
    """As it would without a spool; what waits is delivered before."""
    path = tmp_path / "spool.db"
    before = "import threading; threading.Thread(target=lambda: time.sleep(600)).start()\n"
    before += "import daybook.spool.registry; daybook.spool.registry.ORDERLY_SECONDS = 0.5"
    process = start(path, before=before)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == TERMINATED
    assert sent(path) == list(range(10))


def test_sigterm_in_a_child_unwinds_nothing(tmp_path: Path) -> None:
    """What the parent's blocks clean up is the parent's."""
    after = """
import tempfile
with tempfile.TemporaryDirectory() as folder:
    child = os.fork()
    if child == 0:
        time.sleep(60)
    time.sleep(0.2)
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
    assert Path(folder).is_dir()
"""
    process = start(tmp_path / "spool.db", after=after)
    assert process.wait(30) == 0, process.communicate()[1]
