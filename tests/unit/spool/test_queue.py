"""What a spool promises: kept when the call returns, delivered in order, once."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from daybook import (
    AccessDeniedError,
    InvalidInputError,
    SpoolClosedError,
    SpoolError,
    SpoolFullError,
    UnreachableError,
)
from daybook.spool import Delivery, Entry, Spool, SpoolConfig
from daybook.spool.file import Change, SpoolFile
from daybook.spool.group_commit import GroupCommit
from daybook.spool.lanes import Progress
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
    spool.append("scout", "decision", b"1")
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
            spool.append(agent, "decision", str(number).encode())
    assert spool.flush(30)
    for agent in agents:
        assert sink.bodies(agent) == list(range(100))


def test_threads_of_one_agent_lose_nothing(make: MakeSpool, sink: Sink) -> None:
    """120 threads at once: each entry arrives once, and each thread's in its order."""
    spool = make()

    def log(thread: int) -> None:
        for number in range(20):
            spool.append("scout", "decision", str(thread * 1000 + number).encode())

    with ThreadPoolExecutor(120) as pool:
        list(pool.map(log, range(120)))
    assert spool.flush(30)
    got = sink.bodies("scout")
    assert sorted(got) == [thread * 1000 + number for thread in range(120) for number in range(20)]
    for thread in range(120):
        own = [number for number in got if number // 1000 == thread]
        assert own == sorted(own)


def test_entries_share_requests(make: MakeSpool, sink: Sink) -> None:
    """What is logged within a tenth of a second goes out together."""
    spool = make()
    for number in range(40):
        spool.append("scout", "decision", str(number).encode())
    spool.flush(10)
    assert len(sink.runs) <= 10


def test_what_waits_outlives_the_process(make: MakeSpool, sink: Sink) -> None:
    """Opened again, a spool delivers what is left, with care: it may have been sent."""
    sink.open.clear()
    spool = make()
    for number in range(60):
        spool.append("scout", "decision", str(number).encode())
    assert not spool.close(timeout=0.2)
    sink.faults = unreachable(1)
    sink.open.set()
    again = wait_for(make)
    assert again.flush(10)
    assert sink.bodies("scout") == list(range(60))
    assert b"0" in sink.careful
    again.append("scout", "decision", b"60")
    assert again.flush(10)
    assert b"60" not in sink.careful


def wait_for(make: MakeSpool) -> Spool:
    """Open the spool once the one before has let go of it."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return make()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_uncertain_entries_are_sent_with_care(make: MakeSpool, sink: Sink) -> None:
    """After a lost answer; and not for ever."""
    sink.faults = unreachable(1)
    spool = make()
    spool.append("scout", "decision", b"1")
    assert spool.flush(10)
    spool.append("scout", "decision", b"2")
    assert spool.flush(10)
    assert sink.careful == [b"1"]


def test_poison_is_set_aside(
    make: MakeSpool, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """It blocks nobody, is kept with its reason, and is told of."""
    spool = make()
    with caplog.at_level(logging.WARNING, "daybook"):
        for body in (b"1", b"poison", b"2"):
            spool.append("scout", "decision", body)
        assert spool.flush(10)
    assert sink.bodies("scout") == [1, 2]
    assert spool.status().set_aside == 1
    assert on_disk(spool.path, "set_aside") == [b"poison"]
    assert "set aside" in caplog.text
    spool.close()
    assert make().status().set_aside == 1


def test_faults_are_told(make: MakeSpool, sink: Sink) -> None:
    """The status says why nothing goes out, and since when; then that all is well."""
    sink.open.clear()
    sink.faults = unreachable(1000)
    spool = make()
    spool.append("scout", "decision", b"1")
    sink.open.set()
    deadline = time.monotonic() + 10
    while spool.status().last_error is None and time.monotonic() < deadline:
        time.sleep(0.01)
    status = spool.status()
    assert status.last_error == "no answer"
    assert status.depth == 1
    assert status.oldest_age_s > 0
    assert not spool.flush(0.1)
    sink.faults.clear()
    assert spool.flush(10)
    assert spool.status().last_error is None


def test_a_full_spool_waits_for_room(make: MakeSpool, sink: Sink) -> None:
    """And goes on as soon as there is some."""
    sink.open.clear()
    spool = make(max_entries=3)
    for number in range(3):
        spool.append("scout", "decision", str(number).encode())
    threading.Timer(0.2, sink.open.set).start()
    spool.append("scout", "decision", b"3")
    assert spool.flush(10)
    assert sink.bodies("scout") == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "settings", [{"when_full": "raise"}, {"patience_s": 0.1}], ids=["raises", "gives up"]
)
def test_a_full_spool_refuses(make: MakeSpool, sink: Sink, settings: dict[str, object]) -> None:
    """What is refused is not kept."""
    sink.open.clear()
    spool = make(max_entries=3, **settings)
    for number in range(3):
        spool.append("scout", "decision", str(number).encode())
    with pytest.raises(SpoolFullError, match="3 entries wait"):
        spool.append("scout", "decision", b"3")
    sink.open.set()
    assert spool.flush(10)
    assert sink.bodies("scout") == [0, 1, 2]


def test_a_closed_spool_says_so(make: MakeSpool) -> None:
    """It takes nothing, and closing it again does nothing."""
    spool = make()
    assert spool.close()
    assert spool.close()
    for call in (lambda: spool.append("scout", "decision", b"1"), spool.flush):
        with pytest.raises(SpoolClosedError, match="is closed"):
            call()


@pytest.mark.parametrize(
    "settings",
    [
        {"path": ""},
        {"max_entries": 0},
        {"patience_s": -1},
        {"drain_s": -1},
        {"when_full": "drop"},
    ],
    ids=str,
)
def test_settings_that_cannot_be(settings: dict[str, object]) -> None:
    """Are refused before a file is made."""
    with pytest.raises(InvalidInputError):
        SpoolConfig(**({"path": "spool.db"} | settings))  # type: ignore[arg-type]


def test_an_interrupted_commit_loses_nobody_elses(
    make: MakeSpool, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that commits for others and is stopped in the middle: they commit by themselves."""
    spool = make()
    transact = SpoolFile.transact
    begun, go_on = threading.Event(), threading.Event()

    def interrupted(file: SpoolFile, changes: Sequence[Change]) -> None:
        monkeypatch.undo()
        begun.set()
        go_on.wait()
        transact(file, changes)
        raise KeyboardInterrupt

    monkeypatch.setattr(SpoolFile, "transact", interrupted)
    faults: list[BaseException] = []

    def log(body: bytes, expected: Callable[[BaseException], object]) -> None:
        try:
            spool.append("scout", "decision", body)
        except BaseException as fault:  # noqa: BLE001
            expected(fault)

    first = threading.Thread(target=log, args=(b"1", faults.append))
    first.start()
    begun.wait()
    others = [
        threading.Thread(target=log, args=(str(n).encode(), faults.append)) for n in range(2, 6)
    ]
    for thread in others:
        thread.start()
    go_on.set()
    for thread in [first, *others]:
        thread.join()
    assert [type(fault) for fault in faults] == [KeyboardInterrupt]
    assert spool.flush(10)
    assert set(sink.bodies("scout")) >= {2, 3, 4, 5}
    assert len(sink.got) == len(set(sink.got))


def test_a_leader_that_never_led(
    make: MakeSpool, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before its first step, it leaves the others to themselves after a second."""
    spool = make()
    lead = GroupCommit._lead  # noqa: SLF001 - the moment under test has no other name

    def stopped(*_: object) -> None:
        monkeypatch.setattr(GroupCommit, "_lead", lead)
        raise KeyboardInterrupt

    monkeypatch.setattr(GroupCommit, "_lead", stopped)
    with pytest.raises(KeyboardInterrupt):
        spool.append("scout", "decision", b"1")
    spool.append("scout", "decision", b"2")
    assert spool.flush(10)
    assert sink.bodies("scout")[-1] == 2


def test_doubt_ends_with_an_answer(make: MakeSpool, sink: Sink) -> None:
    """A fault that leaves nothing in doubt does not take away the doubt of one before it."""
    said: list[Delivery] = [
        Delivery(fault=UnreachableError("no answer"), uncertain=True),
        Delivery(fault=UnreachableError("refused"), uncertain=False),
    ]
    deliver = Sink.__call__

    def scripted(self: Sink, run: Sequence[Entry]) -> Delivery:
        return said.pop(0) if said else deliver(self, run)

    sink_type = type("Scripted", (Sink,), {"__call__": scripted})
    sink.__class__ = sink_type
    spool = make()
    spool.append("scout", "decision", b"1")
    assert spool.flush(10)
    assert sink.careful == [b"1"]


def test_an_agent_that_is_held_back_holds_up_no_other(make: MakeSpool, sink: Sink) -> None:
    """However much waits of it, and in the same lane."""
    agents = [f"agent-{number}" for number in range(12)]
    deliver = Sink.__call__

    def choosy(self: Sink, run: Sequence[Entry]) -> Delivery:
        through = deliver(self, [each for each in run if each.agent_id != agents[0]])
        is_held = any(each.agent_id == agents[0] for each in run)
        held = {agents[0]: AccessDeniedError("not this one")} if is_held else {}
        return Delivery(delivered=through.delivered, held=held)

    sink.__class__ = type("Choosy", (Sink,), {"__call__": choosy})
    spool = make()
    for number in range(120):
        spool.append(agents[0], "decision", str(number).encode())
    for agent in agents[1:]:
        spool.append(agent, "decision", b"1")
    assert not spool.flush(3)
    assert {agent for agent, _ in sink.got} == set(agents[1:])
    assert spool.status().depth == 120
    assert spool.status().last_error == "not this one"


def test_a_fault_of_our_own_loses_nothing(
    make: MakeSpool, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """The lane goes on, and says so."""
    faults = [OSError("no file"), RuntimeError("a bug")]
    deliver = Sink.__call__

    def faulty(self: Sink, run: Sequence[Entry]) -> Delivery:
        if faults:
            raise faults.pop(0)
        return deliver(self, run)

    sink.__class__ = type("Faulty", (Sink,), {"__call__": faulty})
    spool = make()
    with caplog.at_level(logging.WARNING, "daybook"):
        spool.append("scout", "decision", b"1")
        assert spool.flush(10)
        assert spool.close()  # the lanes have said all
    assert sink.got == [("scout", b"1")]
    assert spool.status().set_aside == 0
    assert "what is logged waits in the spool" in caplog.text
    assert "the spool delivers again" in caplog.text


def test_what_was_delivered_is_not_sent_again_for_want_of_a_disk(
    make: MakeSpool, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file hears of it later."""
    spool = make()
    settle = Progress.settle
    failures = 3

    def full(self: Progress, *done: Any) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise SpoolError("the disk is full")
        settle(self, *done)

    monkeypatch.setattr(Progress, "settle", full)
    spool.append("scout", "decision", b"1")
    assert spool.flush(10)
    spool.append("scout", "decision", b"2")
    assert spool.flush(10)
    assert sink.bodies("scout") == [1, 2]
    assert on_disk(spool.path) == []


def test_an_interrupted_queue_acknowledges_nothing(
    make: MakeSpool, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while it takes over what others wait for: they commit it themselves."""
    spool = make()
    made = GroupCommit._made  # noqa: SLF001
    entered, go_on = threading.Event(), threading.Event()

    def stopped(_: GroupCommit, __: Sequence[Change]) -> object:
        monkeypatch.setattr(GroupCommit, "_made", made)
        entered.set()
        go_on.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr(GroupCommit, "_made", stopped)
    told: list[BaseException] = []

    def log(body: bytes) -> None:
        try:
            spool.append("scout", "decision", body)
        except BaseException as fault:  # noqa: BLE001
            told.append(fault)

    threads = [threading.Thread(target=log, args=(str(n).encode(),)) for n in range(5)]
    threads[0].start()
    entered.wait()
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert [type(fault) for fault in told] == [KeyboardInterrupt]
    assert spool.flush(10)
    assert sorted(sink.bodies("scout")) == [1, 2, 3, 4]
