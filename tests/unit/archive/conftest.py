"""An agent on moto with a bucket, a clock that tests set, and a count of requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from daybook import AWSClientManager, DecisionLogger, DecisionRecord, DecisionType, MemoryManager
from daybook.archive import Archived, archive_days, note_arrivals, read_day
from daybook.progress import Head, commit, read_arrivals
from daybook.progress.heads import read_head
from daybook.store import Store
from daybook.testing import local_aws
from tests.clocks import Clock

KIND = DecisionType.OTHER
FIRST = date(2026, 3, 1)


class DiedError(BaseException):
    """What stops a worker in a test: nothing may catch it."""


@dataclass
class Agent:
    """An agent, and the worker that archives its log."""

    name: str
    manager: AWSClientManager
    clock: "Clock"
    log: DecisionLogger = field(init=False)

    def __post_init__(self) -> None:
        self.log = DecisionLogger(MemoryManager(self.name, self.manager))

    @property
    def store(self) -> Store:
        """The tables and the bucket."""
        return self.manager.store

    @property
    def head(self) -> Head:
        """The archive's head as it stands."""
        return read_head(self.store, self.name, "archive")

    def decide(self, **given: Any) -> str:
        """Log a decision, a moment after the last, so that ids are in this order."""
        self.clock.advance(milliseconds=1)
        return self.log.log_decision(KIND, **({"confidence": 0.1 + 0.2} | given))

    def judge(self, decision_id: str) -> None:
        """Log what came of a decision."""
        self.log.log_outcome(decision_id, KIND, False, 0.1, 12.5, "no")

    def archive(self, head: Head | None = None) -> Archived:
        """Archive what has closed."""
        return archive_days(self.store, head or self.head, self.clock.now)

    def note(self, head: Head | None = None) -> Head:
        """Note what has arrived, as a consolidation does."""
        head = head or self.head
        found = read_arrivals(self.store, self.name, head.position.settled)
        new = list(head.position.new_among(found, self.clock.now))
        return commit(self.store, note_arrivals(head, new, self.clock.now))

    def archived(self, day: date = FIRST) -> list[DecisionRecord]:
        """Return what the archive holds of a day."""
        return list(read_day(self.store, self.name, day))


@pytest.fixture
def clock() -> Clock:
    """Give the clock."""
    return Clock()


@pytest.fixture
def manager(clock: Clock) -> Iterator[AWSClientManager]:
    """Give a client manager on moto; the log keeps 365 days."""
    with local_aws(clock=clock) as made:
        yield made


@pytest.fixture
def agent(manager: AWSClientManager, clock: Clock) -> Agent:
    """Give an agent."""
    return Agent("a", manager, clock)


@contextmanager
def requests(manager: AWSClientManager, die_at: float = -1) -> Iterator[list[str]]:
    """Give the names of the requests sent, and die at one of them.

    At 3 the worker dies before the fourth is sent, at 3.5 once it has been answered.
    """
    sent: list[str] = []

    def before(model: Any, **_: Any) -> None:
        if die_at == len(sent):
            raise DiedError
        sent.append(model.name)

    def after(**_: Any) -> None:
        if die_at == len(sent) - 0.5:
            raise DiedError

    clients = [manager.dynamodb.meta.events, manager.s3().meta.events]
    for events in clients:
        events.register("before-call", before)
        events.register("after-call", after)
    try:
        yield sent
    finally:
        for events in clients:
            events.unregister("before-call", before)
            events.unregister("after-call", after)
