"""Delivering: faults that pass, agents that are held back, entries that nobody takes."""

import logging
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from daybook import (
    AccessDeniedError,
    SpoolError,
    UnreachableError,
)
from daybook.spool import Delivery, Entry, Kept
from daybook.spool.file import Change, SpoolFile
from tests.unit.spool.conftest import MakeSpool
from tests.unit.spool.sinks import Sink, unreachable
from tests.unit.spool.test_queue import on_disk


def test_entries_share_requests(make: MakeSpool, sink: Sink) -> None:
    """What is logged within a tenth of a second goes out together."""
    spool = make()
    for number in range(40):
        spool.append("scout", [Kept("decision", str(number).encode())])
    spool.flush(10)
    assert len(sink.runs) <= 10


def test_uncertain_entries_are_sent_with_care(make: MakeSpool, sink: Sink) -> None:
    """After a lost answer; and not for ever."""
    sink.faults = unreachable(1)
    spool = make()
    spool.append("scout", [Kept("decision", b"1")])
    assert spool.flush(10)
    spool.append("scout", [Kept("decision", b"2")])
    assert spool.flush(10)
    assert sink.careful == [b"1"]


def test_poison_is_set_aside(
    make: MakeSpool, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """It blocks nobody, is kept with its reason, and is told of."""
    spool = make()
    with caplog.at_level(logging.WARNING, "daybook"):
        for body in (b"1", b"poison", b"2"):
            spool.append("scout", [Kept("decision", body)])
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
    spool.append("scout", [Kept("decision", b"1")])
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
    spool.append("scout", [Kept("decision", b"1")])
    assert spool.flush(10)
    assert sink.careful == [b"1"]


@pytest.fixture
def choosy(sink: Sink) -> str:
    """Make the sink hold one agent back; give its id."""
    denied = "agent-0"
    deliver = Sink.__call__

    def choose(self: Sink, run: Sequence[Entry]) -> Delivery:
        through = deliver(self, [each for each in run if each.agent_id != denied])
        is_held = any(each.agent_id == denied for each in run)
        held = {denied: AccessDeniedError("not this one")} if is_held else {}
        return Delivery(delivered=through.delivered, held=held)

    sink.__class__ = type("Choosy", (Sink,), {"__call__": choose})
    return denied


@pytest.mark.usefixtures("choosy")
def test_entries_share_requests_after_a_flush(make: MakeSpool, sink: Sink) -> None:
    """Once what was there has gone out, or is held back, the others wait for each other again."""
    spool = make()
    for agent in ("agent-0", "agent-1"):
        spool.append(agent, [Kept("decision", b"1")] * 200)
    assert not spool.flush(0.5)
    sink.runs.clear()
    for number in range(40):
        spool.append("scout", [Kept("decision", str(number).encode())])
        time.sleep(0.005)
    deadline = time.monotonic() + 10
    while len(sink.bodies("scout")) < 40 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sink.bodies("scout") == list(range(40))
    assert len([each for each in sink.runs if each]) <= 10


def test_an_agent_that_is_held_back_holds_up_no_other(
    make: MakeSpool, sink: Sink, choosy: str
) -> None:
    """However much waits of it, and with four lanes for twelve."""
    agents = [choosy, *(f"agent-{number}" for number in range(1, 12))]
    spool = make()
    for number in range(120):
        spool.append(agents[0], [Kept("decision", str(number).encode())])
    for agent in agents[1:]:
        spool.append(agent, [Kept("decision", b"1")])
    assert not spool.flush(3)
    assert {agent for agent, _ in sink.got} == set(agents[1:])
    assert spool.status().depth == 120
    assert spool.status().last_error == "not this one"


def test_an_agent_that_is_held_back_slows_no_other_down(
    make: MakeSpool, sink: Sink, choosy: str
) -> None:
    """It is tried again and again, and others go out as ever."""
    spool = make()
    agents = [f"agent-{number}" for number in range(1, 9)]
    for _ in range(20):
        for agent in (choosy, *agents):
            spool.append(agent, [Kept("decision", b"1")])
        time.sleep(0.05)
    deadline = time.monotonic() + 1
    while len(sink.got) < 20 * len(agents) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(sink.got) == 20 * len(agents)
    assert spool.status().depth == 20


def test_a_row_that_is_gone_is_waited_for_no_more(
    make: MakeSpool, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has taken it out of the file; the others go on."""
    sink.open.clear()
    sink.faults = unreachable(1000)
    first = make(drain_s=0)
    first.append("scout", [Kept("decision", str(number).encode()) for number in range(3)])
    sink.open.set()
    first.close()
    sink.faults.clear()
    spool = make()
    with closing(sqlite3.connect(spool.path)) as other:
        other.execute("DELETE FROM entries WHERE body = ?", (b"1",))
        other.commit()
    with caplog.at_level(logging.ERROR, "daybook"):
        assert spool.flush(10)
    assert {0, 2} <= set(sink.bodies("scout"))
    assert spool.status().depth == 0


@pytest.mark.parametrize("reason", ["no \ud800", "no \x00"], ids=["surrogate", "zero"])
def test_a_reason_that_is_no_text(make: MakeSpool, sink: Sink, reason: str) -> None:
    """It may quote anything."""
    deliver = Sink.__call__

    def refuse(self: Sink, run: Sequence[Entry]) -> Delivery:
        delivered = deliver(self, run)
        told = [replace(each, reason=reason) for each in delivered.refused]
        return replace(delivered, refused=told)

    sink.__class__ = type("Quoting", (Sink,), {"__call__": refuse})
    spool = make()
    for body in (b"poison", b"1"):
        spool.append("scout", [Kept("decision", body)])
    assert spool.flush(10)
    assert spool.status().set_aside == 1
    assert sink.bodies("scout") == [1]


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
        spool.append("scout", [Kept("decision", b"1")])
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
    transact = SpoolFile.transact
    failures = 3

    def full(self: SpoolFile, changes: Sequence[Change]) -> None:
        nonlocal failures
        if any(each.beginning.startswith("DELETE") for each in changes) and failures:
            failures -= 1
            raise SpoolError("the disk is full")
        transact(self, changes)

    monkeypatch.setattr(SpoolFile, "transact", full)
    spool.append("scout", [Kept("decision", b"1")])
    assert spool.flush(10)
    spool.append("scout", [Kept("decision", b"2")])
    assert spool.flush(10)
    assert sink.bodies("scout") == [1, 2]
    assert on_disk(spool.path) == []
