"""Rolling up through crashes at every request, overlaps and interleavings: once, always."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    DecisionType,
    OvertakenError,
    new_decision_id,
)
from daybook.analytics import decision_stats, rolling
from daybook.analytics.rollup_items import StoredHour, fetch_hours, hour_item
from daybook.decisions import record, record_outcome
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.progress import read_arrivals
from daybook.progress.heads import read_head
from daybook.settings import Settings
from daybook.store import MEMORY, CapacityMeter, Store
from daybook.store.expressions import equals
from tests.unit.analytics import worker
from tests.unit.analytics.worker import FOR_EVER, check, documents, run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
AFTER = START + timedelta(hours=9)
KINDS = (DecisionType.RISK_ASSESSMENT, DecisionType.QUERY_EXECUTION)


class CrashError(Exception):
    """The worker dies."""


class Crashing:
    """A client that dies before or after a request reaches DynamoDB, once."""

    def __init__(self, client: Any, at: int, *, after: bool) -> None:
        self.client = client
        self.at = at
        self.after = after
        self.sent = 0

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.client, name)

        def call(**parameters: Any) -> Any:
            self.sent += 1
            if self.sent == self.at and not self.after:
                raise CrashError
            answer = operation(**parameters)
            if self.sent == self.at:
                raise CrashError
            return answer

        return call


class Interrupting:
    """A client that lets something else happen right after each of its queries."""

    def __init__(self, client: Any, happening: Callable[[], None]) -> None:
        self.client = client
        self.happening = happening

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.client, name)

        def call(**parameters: Any) -> Any:
            answer = operation(**parameters)
            if name in {"query", "get_item"}:
                self.happening()
            return answer

        return call


@pytest.fixture
def store(database: AWSClientManager) -> Store:
    """Give a store whose clock stands at nine in the evening of the first of March 2026."""
    return at(database.store, AFTER)


def at(store: Store, moment: datetime) -> Store:
    """Return the store at another time."""
    return dataclasses.replace(store, clock=lambda: moment)


def through(store: Store, client: object) -> Store:
    """Return the store with another client."""
    return dataclasses.replace(store, dynamodb=cast("Any", client))


def decide(store: Store, agent_id: str, number: int, *, late: bool) -> None:
    """Write the decision of this number, on time or hours late, and perhaps its outcome."""
    decided_at = START + timedelta(minutes=11 * number)
    arrives = at(store, decided_at + timedelta(hours=2 if late else 0))
    kind = KINDS[number % 2]
    own = new_decision_id(agent_id, decided_at, random_bits=number)
    confidence = 0.1 + (number % 9) / 10
    draft = DecisionDraft(decision_type=kind, confidence=confidence, decision_id=own)
    record(arrives, draft.to_record(agent_id, arrives.clock()))
    if number % 4:
        outcome = OutcomeDraft(
            decision_id=own,
            decision_type=kind,
            success=number % 3 > 0,
            quality_score=number / 50,
            latency_ms=1.7 * number,
        )
        later = at(store, arrives.clock() + timedelta(minutes=number))
        record_outcome(later, outcome.to_outcome(agent_id, later.clock()))


def new_log(store: Store) -> str:
    """Write an afternoon of decisions, every fifth of them two hours late."""
    agent_id = f"agent-{uuid4().hex}"
    for number in range(36):
        decide(store, agent_id, number, late=number % 5 == 0)
    return agent_id


def forget(store: Store, agent_id: str) -> None:
    """Delete what all runs have written, and leave the log."""
    written = store.query(MEMORY, equals("pk", agent_id), consistent=True)
    store.delete_all(MEMORY, [{"pk": item["pk"], "sk": item["sk"]} for item in written])


@pytest.fixture
def few_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a transaction take two hours only, so that a run has many."""
    monkeypatch.setattr(rolling, "MOST_HOURS", 2)


@pytest.mark.usefixtures("few_hours")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_some_requests(store: Store, after: bool) -> None:
    """Wherever a run dies, the next one ends with the rollups of a clean run."""
    crash_at_requests(store, after, every=4)


@pytest.mark.campaign
@pytest.mark.usefixtures("few_hours")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_every_request(store: Store, after: bool) -> None:
    """The same for every request."""
    crash_at_requests(store, after, every=1)


def crash_at_requests(store: Store, after: bool, every: int) -> None:
    """Let runs die at requests of theirs, and check what the next run leaves."""
    agent_id = new_log(store)
    run(store, agent_id, chunk=10)
    clean = documents(store, agent_id)
    assert len(clean) == 7
    crashes = 0
    for number in count(1, every):
        forget(store, agent_id)
        client = Crashing(store.dynamodb, number, after=after)
        try:
            run(through(store, client), agent_id, chunk=10)
        except CrashError:
            crashes += 1
            check(store, agent_id, FOR_EVER)
        else:
            break
        run(store, agent_id, chunk=10)
        assert documents(store, agent_id) == clean
        check(store, agent_id, FOR_EVER)
    assert crashes >= 20 // every


@pytest.mark.usefixtures("few_hours")
def test_interleaved_workers(store: Store) -> None:
    """Two workers that take turns: whoever is overtaken stops, and each effect happens once."""
    control = new_log(store)
    run(store, control)
    agent_id = new_log(store)
    overtaken = 0
    for first in (0, 1):
        head = read_head(store, agent_id, rolling.JOB)
        arrivals = read_arrivals(store, agent_id, head.position.settled)
        fresh = list(head.position.new_among(arrivals, store.clock()))
        heads = [head, head]
        for step in range(6):
            turn = (step + first) % 2
            part = [a for a in fresh if not heads[turn].position.is_done(a)][:7]
            try:
                heads[turn] = rolling.roll_arrivals(store, heads[turn], part, AFTER, [])
                heads[turn] = rolling.close_hours(store, heads[turn], AFTER, [])
            except OvertakenError:
                overtaken += 1
                heads[turn] = read_head(store, agent_id, rolling.JOB)
            check(store, agent_id, FOR_EVER)
    run(store, agent_id)
    assert overtaken > 1
    assert documents(store, agent_id) == documents(store, control)


def test_arrivals_that_are_done_are_not_done_again(store: Store) -> None:
    """A caller that reads arrivals first and the head later hands in some that are done."""
    agent_id = new_log(store)
    stale = list(read_arrivals(store, agent_id, 0))
    head = run(store, agent_id)
    before = documents(store, agent_id)
    assert rolling.roll_arrivals(store, head, stale, store.clock(), []) == head
    assert documents(store, agent_id) == before


def test_repeated_runs_change_nothing(store: Store) -> None:
    """The second run writes nothing: the head keeps its version."""
    agent_id = new_log(store)
    head = run(store, agent_id)
    with CapacityMeter(store.dynamodb) as meter:
        assert run(store, agent_id) == head
    assert meter.requests == {"GetItem": 1, "Query": 1}


def test_a_run_amid_the_statistics(store: Store) -> None:
    """Whatever a run commits between two requests of the statistics, they stay exact."""
    agent_id = new_log(store)
    steps = _steps(store, agent_id)
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += next(steps, None) is not None

    reading = through(store, Interrupting(store.dynamodb, step))
    truth = worker.exact(store, agent_id, FOR_EVER)
    while True:
        before = taken
        worker.assert_equal(decision_stats(reading, agent_id, FOR_EVER), truth)
        if taken == before:
            break
    assert taken > 10


def _steps(store: Store, agent_id: str) -> Iterator[int]:
    """Go through runs by small steps, as time passes."""
    for hours in range(3, 10):
        now = START + timedelta(hours=hours)
        head = read_head(store, agent_id, rolling.JOB)
        arrivals = read_arrivals(store, agent_id, head.position.settled)
        for arrival in list(head.position.new_among(arrivals, now))[:4]:
            head = rolling.roll_arrivals(store, head, [arrival], now, [])
            yield head.version
        head = rolling.close_hours(store, head, now, [])
        yield head.version


def test_the_control_counts_twice(store: Store) -> None:
    """The same writes without the head's condition: two workers double an hour."""
    agent_id = new_log(store)
    run(store, agent_id)
    clean = documents(store, agent_id)
    for _ in range(2):
        for start, rollup in fetch_hours(store, agent_id, list(clean)).items():
            more = fetch_hours(store, agent_id, [start])[start]
            again = StoredHour(start, 0, rollup.merge(more))
            store.put(MEMORY, hour_item(store, agent_id, again))
    assert documents(store, agent_id) != clean
    with pytest.raises(AssertionError):
        check(store, agent_id, FOR_EVER)


def test_a_lost_answer_is_recognized(database: AWSClientManager, store: Store) -> None:
    """A commit whose answer is lost after it took effect is this worker's own, not another's."""
    own = AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())
    agent_id = new_log(store)
    lost: list[str] = []

    class Losing(Crashing):
        def __getattr__(self, name: str) -> Any:
            operation = getattr(self.client, name)

            def call(**parameters: Any) -> Any:
                if name == "transact_write_items" and not lost:
                    operation(**parameters)
                    lost.append(name)
                return operation(**parameters)

            return call

    run(through(store, Losing(own.dynamodb, 0, after=False)), agent_id)
    assert lost
    check(store, agent_id, FOR_EVER)
