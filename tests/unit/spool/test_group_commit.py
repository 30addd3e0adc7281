"""One thread commits for others, and is stopped at the worst moment."""

import threading
from collections.abc import Callable, Sequence

import pytest

from daybook.spool import Kept
from daybook.spool.file import Change, SpoolFile
from daybook.spool.group_commit import GroupCommit
from tests.unit.spool.conftest import MakeSpool
from tests.unit.spool.sinks import Sink


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
            spool.append("scout", [Kept("decision", body)])
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
        spool.append("scout", [Kept("decision", b"1")])
    spool.append("scout", [Kept("decision", b"2")])
    assert spool.flush(10)
    assert sink.bodies("scout")[-1] == 2


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
            spool.append("scout", [Kept("decision", body)])
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
