"""Many writers at once, on DynamoDB Local, which is atomic as DynamoDB is."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    DecisionConflictError,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    OutcomeConflictError,
    new_decision_id,
)
from daybook.settings import Settings
from daybook.store import DECISIONS
from daybook.store.expressions import begins_with, equals

WRITERS = 16
KIND = DecisionType.RISK_ASSESSMENT


@pytest.fixture
def log(database: AWSClientManager) -> DecisionLogger:
    """Give the logger of an agent that nobody else uses."""
    return DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", database))


def at_once(work: Callable[[int], object]) -> Counter[str]:
    """Run the work in 16 threads that start together; count how each ended."""
    barrier = threading.Barrier(WRITERS)

    def run(number: int) -> str:
        barrier.wait()
        try:
            work(number)
        except (OutcomeConflictError, DecisionConflictError) as refusal:
            return type(refusal).__name__
        return "done"

    with ThreadPoolExecutor(WRITERS) as pool:
        return Counter(pool.map(run, range(WRITERS)))


def log_items(log: DecisionLogger) -> int:
    """Count the items in the agent's log."""
    mine = equals("pk", log.memory.agent_id) & begins_with("sk", "D#")
    return len(list(log.memory.store.query(DECISIONS, mine, consistent=True)))


@pytest.mark.parametrize("repeat", range(5))
def test_one_outcome_from_16_threads(log: DecisionLogger, repeat: int) -> None:
    """The same outcome from all of them: all succeed, one record."""
    decision_id = log.log_decision(KIND, confidence=0.5)
    ended = at_once(lambda _: log.log_outcome(decision_id, KIND, True, 0.5, float(repeat)))
    assert ended == {"done": WRITERS}
    assert log_items(log) == 2
    assert log.get_decision_stats()["with_outcome"] == 1


@pytest.mark.parametrize("repeat", range(5))
def test_different_outcomes_from_16_threads(log: DecisionLogger, repeat: int) -> None:
    """Each a different outcome: one wins, all others are told, and the winner stands."""
    decision_id = log.log_decision(KIND, confidence=0.5)
    latencies: list[float] = []

    def write(number: int) -> None:
        log.log_outcome(decision_id, KIND, number % 2 == 0, 0.5, float(number + repeat))
        latencies.append(float(number + repeat))

    assert at_once(write) == {"done": 1, "OutcomeConflictError": WRITERS - 1}
    outcome = log.get_decision(decision_id).outcome
    assert outcome is not None
    assert [outcome.latency_ms] == latencies
    assert log_items(log) == 2


def test_one_decision_from_16_threads(log: DecisionLogger) -> None:
    """One id for all: the same content is one decision, other content is refused."""
    own = new_decision_id(log.memory.agent_id)
    same = at_once(lambda _: log.log_decision(KIND, confidence=0.5, decision_id=own))
    assert same == {"done": WRITERS}
    other = at_once(
        lambda n: log.log_decision(KIND, confidence=0.5, context={"n": n}, decision_id=own)
    )
    assert other == {"DecisionConflictError": WRITERS}
    assert log_items(log) == 1


def test_nothing_is_lost_between_threads(log: DecisionLogger) -> None:
    """16 threads log 25 decisions each: all 400 are there, each once."""
    at_once(lambda n: [log.log_decision(KIND, confidence=n / 16) for _ in range(25)])
    ids = [d.decision_id for d in log.query_decisions()]
    assert len(ids) == len(set(ids)) == WRITERS * 25
    assert ids == sorted(ids, reverse=True)


def test_tables_made_by_many_at_once(dynamodb_local_url: str) -> None:
    """Creators that race each other all succeed, and the tables can be used."""
    settings = Settings(table_prefix=f"race-{uuid4().hex}-")

    def create(_: int) -> None:
        AWSClientManager(endpoint_url=dynamodb_local_url, settings=settings).create_all_tables()

    assert at_once(create) == {"done": WRITERS}
    manager = AWSClientManager(endpoint_url=dynamodb_local_url, settings=settings)
    manager.store.put(DECISIONS, {"pk": "a", "sk": "b"})
    manager.delete_all_tables()
