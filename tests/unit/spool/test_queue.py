"""What a spool promises: kept when the call returns, delivered in order, once."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daybook import (
    InvalidInputError,
    SpoolClosedError,
    SpoolFullError,
)
from daybook.spool import Kept, Spool, SpoolConfig
from tests.unit.spool.conftest import MakeSpool
from tests.unit.spool.sinks import Sink, unreachable


def on_disk(path: Path, table: str = "entries") -> list[bytes]:
    """Return the bodies that are in the file, as another program reads them."""
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [row[0] for row in reader.execute(f"SELECT body FROM {table} ORDER BY number")]  # noqa: S608
    finally:
        reader.close()


def test_kept_when_the_call_returns(make: MakeSpool, sink: Sink) -> None:
    """An entry is in the file before anything is sent."""
    sink.open.clear()
    spool = make()
    spool.append("scout", [Kept("decision", b"1")])
    assert on_disk(spool.path) == [b"1"]
    assert spool.status().depth == 1
    sink.open.set()
    assert spool.flush(10)
    assert sink.got == [("scout", b"1")]
    assert on_disk(spool.path) == []
    assert spool.status().depth == 0
    assert spool.status().oldest_age_s == 0


def test_each_agent_in_order(make: MakeSpool, sink: Sink) -> None:
    """Whatever comes between, and whatever fails."""
    spool = make()
    agents = [f"agent-{n}" for n in range(20)]
    sink.faults = unreachable(3)
    for number in range(100):
        for agent in agents:
            spool.append(agent, [Kept("decision", str(number).encode())])
    assert spool.flush(30)
    for agent in agents:
        assert sink.bodies(agent) == list(range(100))


def test_threads_of_one_agent_lose_nothing(make: MakeSpool, sink: Sink) -> None:
    """120 threads at once: each entry arrives once, and each thread's in its order."""
    spool = make()

    def log(thread: int) -> None:
        for number in range(20):
            spool.append("scout", [Kept("decision", str(thread * 1000 + number).encode())])

    with ThreadPoolExecutor(120) as pool:
        list(pool.map(log, range(120)))
    assert spool.flush(30)
    got = sink.bodies("scout")
    assert sorted(got) == [thread * 1000 + number for thread in range(120) for number in range(20)]
    for thread in range(120):
        own = [number for number in got if number // 1000 == thread]
        assert own == sorted(own)


def test_what_waits_outlives_the_process(make: MakeSpool, sink: Sink) -> None:
    """Opened again, a spool delivers what is left, with care: it may have been sent."""
    sink.open.clear()
    spool = make()
    for number in range(60):
        spool.append("scout", [Kept("decision", str(number).encode())])
    assert not spool.close(timeout=0.2)
    sink.faults = unreachable(1)
    sink.open.set()
    again = wait_for(make)
    assert again.flush(10)
    assert sink.bodies("scout") == list(range(60))
    assert b"0" in sink.careful
    again.append("scout", [Kept("decision", b"60")])
    assert again.flush(10)
    assert b"60" not in sink.careful


def wait_for(make: MakeSpool, **settings: object) -> Spool:
    """Open the spool once the one before has let go of it."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return make(**settings)
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_full_spool_waits_for_room(make: MakeSpool, sink: Sink) -> None:
    """And goes on as soon as there is some."""
    sink.open.clear()
    spool = make(max_entries=3)
    for number in range(3):
        spool.append("scout", [Kept("decision", str(number).encode())])
    threading.Timer(0.2, sink.open.set).start()
    spool.append("scout", [Kept("decision", b"3")])
    assert spool.flush(10)
    assert sink.bodies("scout") == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "settings", [{"when_full": "raise"}, {"patience_s": 0.1}], ids=["raises", "gives up"]
)
@pytest.mark.parametrize("limit", ["max_entries", "max_bytes"])
def test_a_full_spool_refuses(
    make: MakeSpool, sink: Sink, settings: dict[str, object], limit: str
) -> None:
    """What is refused is not kept. The entries are of a byte."""
    sink.open.clear()
    spool = make(**{limit: 3}, **settings)
    for number in range(3):
        spool.append("scout", [Kept("decision", str(number).encode())])
    with pytest.raises(SpoolFullError, match="3 entries wait"):
        spool.append("scout", [Kept("decision", b"3")])
    sink.open.set()
    assert spool.flush(10)
    assert sink.bodies("scout") == [0, 1, 2]


def test_more_at_once_than_a_spool_may_hold(make: MakeSpool, sink: Sink) -> None:
    """Is told at once, for no waiting would help; and none of it is kept."""
    spool = make(max_entries=3, max_bytes=10)
    with pytest.raises(SpoolFullError, match="of 11 bytes"):
        spool.append("scout", [Kept("decision", b"x" * 11)])
    new = [Kept("decision", str(number).encode()) for number in range(4)]
    with pytest.raises(SpoolFullError, match="4 entries of 4 bytes at once"):
        spool.append("scout", new)
    spool.append("scout", new[:3])
    assert spool.flush(10)
    assert sink.bodies("scout") == [0, 1, 2]


def test_what_an_earlier_process_left_counts(make: MakeSpool, sink: Sink) -> None:
    """The bytes that wait in the file are those that the spool is full of."""
    sink.open.clear()
    sink.faults = unreachable(1000)
    first = make(drain_s=0)
    first.append("scout", [Kept("decision", b"12345")])
    sink.open.set()
    first.close()
    sink.open.clear()
    again = wait_for(make, max_bytes=6, when_full="raise")
    with pytest.raises(SpoolFullError, match="of 5 bytes"):
        again.append("scout", [Kept("decision", b"67")])
    sink.faults.clear()
    sink.open.set()
    assert again.flush(10)
    again.append("scout", [Kept("decision", b"67")])


def test_many_are_kept_in_their_order(make: MakeSpool, sink: Sink) -> None:
    """More than go into one statement, more than one run delivers; and none is fine, too."""
    spool = make()
    spool.append("scout", [])
    spool.append("scout", [Kept("decision", str(number).encode()) for number in range(1234)])
    assert spool.flush(10)
    assert sink.bodies("scout") == list(range(1234))
    assert spool.status().depth == 0


def test_a_closed_spool_says_so(make: MakeSpool) -> None:
    """It takes nothing, and closing it again does nothing."""
    spool = make()
    assert spool.close()
    assert spool.close()
    for call in (lambda: spool.append("scout", [Kept("decision", b"1")]), spool.flush):
        with pytest.raises(SpoolClosedError, match="is closed"):
            call()


@pytest.mark.parametrize(
    "settings",
    [
        {"path": ""},
        {"max_entries": 0},
        {"max_bytes": 0},
        {"patience_s": -1},
        {"drain_s": -1},
        {"when_full": "drop"},
        {"when_full": ["wait"]},
        {"path": None},
        {"path": 5},
        {"max_entries": 1.5},
        {"max_entries": "5"},
        {"max_bytes": True},
        {"patience_s": float("nan")},
        {"drain_s": None},
    ],
    ids=str,
)
def test_settings_that_cannot_be(settings: dict[str, object]) -> None:
    """Are refused before a file is made."""
    with pytest.raises(InvalidInputError):
        SpoolConfig(**({"path": "spool.db"} | settings))  # type: ignore[arg-type]
