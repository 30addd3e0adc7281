"""Which log a decorated function writes into."""

import asyncio
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionRecord,
    DecisionType,
    MemoryManager,
    NoLoggerError,
    decision,
)

QUERY = DecisionType.QUERY_EXECUTION


@pytest.fixture
def other(tables: AWSClientManager) -> DecisionLogger:
    """Give another agent's logger."""
    return DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", tables))


class Desk:
    """Something with a log, and methods of every kind."""

    def __init__(self, log: DecisionLogger) -> None:
        self.log = log

    @decision(QUERY)
    def choose(self, symbol: str) -> str:
        """Choose."""
        return symbol

    @classmethod
    @decision(QUERY)
    def of_class(cls, symbol: str) -> str:
        """Choose."""
        return symbol

    @staticmethod
    @decision(QUERY)
    def of_none(symbol: str) -> str:
        """Choose."""
        return symbol


def test_methods(log: DecisionLogger, other: DecisionLogger) -> None:
    """A method writes into its object's log, wherever it is called; `self` is no argument."""
    desk = Desk(log)
    with other.deciding(QUERY, confidence=0.5) as around:
        desk.choose("IBM")
        desk.of_class("IBM")
        desk.of_none("IBM")
    assert _only(log).context.as_dict() == {"symbol": "IBM"}
    assert _only(log).parent_decision_id == around.decision_id
    inside = [d for d in other.query_decisions() if d.parent_decision_id is not None]
    assert [d.context.as_dict() for d in inside] == [{"symbol": "IBM"}] * 2


def test_whose_log(log: DecisionLogger, other: DecisionLogger) -> None:
    """The given one before the object's, that before the innermost around the call."""

    class Explicit(Desk):
        @decision(QUERY, log=lambda: log)
        def choose(self, symbol: str) -> str:
            """Choose."""
            return symbol

    @decision(QUERY)
    def choose() -> None: ...

    Explicit(other).choose("x")
    assert len(list(log.query_decisions())) == 1
    with log.active() as given:
        assert given is log
        choose()
        with other.deciding(QUERY, confidence=0.5):
            choose()
            with log.active():
                choose()
        choose()
    assert len(list(log.query_decisions())) == 4
    assert len(list(other.query_decisions())) == 2
    (nested,) = (d for d in log.query_decisions() if d.parent_decision_id is not None)
    assert nested.parent_decision_id in {d.decision_id for d in other.query_decisions()}


def test_without_a_log(log: DecisionLogger) -> None:
    """The error says what to do, before the function runs."""
    ran: list[int] = []

    @decision(QUERY)
    def choose() -> None:
        ran.append(1)

    @decision(QUERY)
    async def choose_async() -> None:
        ran.append(1)

    @decision(QUERY, log=lambda: log.memory)  # type: ignore[arg-type]
    def wrong() -> None:
        ran.append(1)

    for call in (choose, lambda: asyncio.run(choose_async())):
        with pytest.raises(NoLoggerError, match=r"log\.active\(\)"):
            call()
    with pytest.raises(NoLoggerError, match="gave a MemoryManager"):
        wrong()
    assert ran == []
    assert list(log.query_decisions()) == []


def _only(log: DecisionLogger) -> DecisionRecord:
    (found,) = log.query_decisions()
    return found
