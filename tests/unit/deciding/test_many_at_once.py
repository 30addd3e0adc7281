"""Many blocks at once, on DynamoDB Local, which is atomic as DynamoDB is."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    DecisionBlock,
    DecisionLoggedError,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    carrying,
    current_decision,
)
from daybook.store import CapacityMeter

KIND = DecisionType.OTHER
TASKS = 50
THREADS = 20
ROUNDS = 10


@pytest.fixture
def log(database: AWSClientManager) -> DecisionLogger:
    """Give the logger of an agent that nobody else uses."""
    return DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", database))


@pytest.fixture
def meter(database: AWSClientManager) -> Iterator[CapacityMeter]:
    """Give a meter that runs during the test."""
    with CapacityMeter(database.dynamodb) as running:
        yield running


def pairs(log: DecisionLogger) -> Counter[tuple[str | None, int]]:
    """Count decisions by their parent and their number."""
    return Counter(
        (d.parent_decision_id, d.context.as_dict().get("n", -1))
        for d in log.query_decisions()
        if d.outcome is not None and d.outcome.success
    )


def test_50_tasks(log: DecisionLogger, meter: CapacityMeter) -> None:
    """Each nests on its own in the block that began them, which is written once before them."""

    async def work(n: int, outer: DecisionBlock) -> str:
        async with log.deciding(KIND, confidence=0.5, context={"n": n}) as d:
            assert outer.is_logged
            await asyncio.sleep(0)
            assert current_decision() is d
            async with log.deciding(KIND, confidence=0.5, context={"n": -n}) as inner:
                assert inner.parent_decision_id == d.decision_id
        return d.decision_id

    async def main() -> tuple[str, list[str]]:
        async with log.deciding(KIND, selected="x", confidence=0.5) as outer:
            ids = await asyncio.gather(*(work(n, outer) for n in range(1, TASKS + 1)))
        return outer.decision_id, ids

    outer, ids = asyncio.run(main())
    expected: Counter[tuple[str | None, int]] = Counter({(None, -1): 1})
    expected.update((outer, n) for n in range(1, TASKS + 1))
    expected.update((own, -n) for n, own in enumerate(ids, 1))
    assert pairs(log) == expected
    assert meter.requests["PutItem"] == 2 * (1 + 2 * TASKS)


@pytest.mark.parametrize("is_carried", [True, False])
def test_20_threads(log: DecisionLogger, is_carried: bool) -> None:
    """Carried, they nest in the block that began them; plain ones each on their own."""
    barrier = threading.Barrier(THREADS)

    def work(n: int) -> str:
        barrier.wait()
        with log.deciding(KIND, confidence=0.5, context={"n": n}) as d:
            barrier.wait()
            with log.deciding(KIND, confidence=0.5, context={"n": -n}):
                barrier.wait()
            assert current_decision() is d
        return d.decision_id

    with (
        log.deciding(KIND, selected="x", confidence=0.5) as outer,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        ids = list(pool.map(carrying(work) if is_carried else work, range(1, THREADS + 1)))
    above = outer.decision_id if is_carried else None
    expected: Counter[tuple[str | None, int]] = Counter({(None, -1): 1})
    expected.update((above, n) for n in range(1, THREADS + 1))
    expected.update((own, -n) for n, own in enumerate(ids, 1))
    assert pairs(log) == expected


def test_one_block_is_entered_by_one_of_20_threads(log: DecisionLogger) -> None:
    """The others are told, and one decision is logged."""
    block = log.deciding(KIND, confidence=0.5)
    barrier = threading.Barrier(THREADS)

    def work(_: int) -> str:
        barrier.wait()
        try:
            with block:
                pass
        except ValueError:
            return "refused"
        return "entered"

    with ThreadPoolExecutor(THREADS) as pool:
        ended = Counter(pool.map(work, range(THREADS)))
    assert ended == {"entered": 1, "refused": THREADS - 1}
    assert pairs(log) == {(None, -1): 1}


def test_20_threads_log_one_block(log: DecisionLogger, meter: CapacityMeter) -> None:
    """However many write it, it is written once."""
    with log.deciding(KIND, confidence=0.5) as d, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: d.log(), range(THREADS)))
    assert meter.requests == {"PutItem": 2, "GetItem": 1}


def test_others_change_the_context_while_it_is_logged(log: DecisionLogger) -> None:
    """Logging goes well; what was let through is in the log, and what came later was refused."""
    for _ in range(ROUNDS):
        changed: dict[str, Any] = {}

        def change(d: DecisionBlock, name: str, changed: dict[str, Any] = changed) -> None:
            with suppress(DecisionLoggedError):
                for step in count():
                    d.context[f"{name}{step}"] = changed[f"{name}{step}"] = step
                    if step % 2:
                        del d.context[f"{name}{step}"]
                        del changed[f"{name}{step}"]

        with ThreadPoolExecutor(4) as pool, log.deciding(KIND, confidence=0.5) as d:
            others = [pool.submit(change, d, name) for name in "abcd"]
            time.sleep(0.002)
            d.log()
        for other in others:
            other.result()
        assert log.get_decision(d.decision_id).context.as_dict() == changed


def test_requests(log: DecisionLogger, meter: CapacityMeter) -> None:
    """A block takes what the same pair takes by hand: 3; without an outcome 1; nested no more."""
    with log.deciding(KIND, selected="x", confidence=0.5):
        pass
    assert meter.requests == {"PutItem": 2, "GetItem": 1}
    with log.deciding(KIND, confidence=0.5, outcome="later"):
        pass
    assert meter.requests == {"PutItem": 3, "GetItem": 1}
    with log.deciding(KIND, selected="x", confidence=0.5), log.deciding(KIND, confidence=0.5):
        log.log_decision(KIND, confidence=0.5)
    assert meter.requests == {"PutItem": 8, "GetItem": 3}


def test_units(log: DecisionLogger, meter: CapacityMeter) -> None:
    """And the same capacity."""
    decision_id = log.log_decision(KIND, selected="x", confidence=0.5)
    log.log_outcome(decision_id, KIND, True, None, 12.5)
    by_hand = meter.write_units
    with log.deciding(KIND, selected="x", confidence=0.5):
        pass
    assert meter.write_units == 2 * by_hand
