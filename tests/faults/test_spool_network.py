"""DynamoDB cannot be reached: logging goes on as ever, and in the end all is there, once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager
from daybook.settings import Settings
from tests.faults.proxy import Mood, Proxy

RISK = DecisionType.RISK_ASSESSMENT
DECISIONS = 25
FAILING = [mood for mood in Mood if mood is not Mood.PASSES]


@pytest.fixture
def proxy(dynamodb_local_url: str) -> Iterator[Proxy]:
    """Give a network in front of the database."""
    with Proxy(target=urlsplit(dynamodb_local_url).port or 0) as proxy:
        yield proxy


@pytest.fixture
def beyond(proxy: Proxy, database: AWSClientManager) -> AWSClientManager:
    """Give a client manager that reaches the database through that network."""
    assert database.endpoint_url
    return AWSClientManager(endpoint_url=f"http://127.0.0.1:{proxy.port}", settings=Settings())


def log_all(memory: MemoryManager, count: int = DECISIONS) -> list[str]:
    """Log decisions, each the child of the one before, and an outcome for each."""
    log, made = DecisionLogger(memory), [""]
    for number in range(count):
        made.append(
            log.log_decision(
                RISK,
                confidence=0.5,
                context={"n": number},
                parent_decision_id=made[-1] or None,
            )
        )
        log.log_outcome(made[-1], RISK, True, number / count)
    return made[1:]


@pytest.mark.parametrize("mood", FAILING)
def test_an_outage(
    mood: Mood, proxy: Proxy, beyond: AWSClientManager, database: AWSClientManager, tmp_path: Path
) -> None:
    """All is logged while nothing gets through; when it does again all arrives, in order."""
    agents = [f"agent-{uuid4().hex}" for _ in range(3)]
    handles = [MemoryManager(agent, beyond, spool=tmp_path / "spool.db") for agent in agents]
    proxy.turn(mood)
    with ThreadPoolExecutor(len(handles)) as pool:
        logged = list(pool.map(log_all, handles))
    spool = handles[0].spool
    assert spool
    if mood not in {Mood.DRIPS, Mood.LOSES_ANSWERS}:  # there it arrives, and is not known to
        assert spool.status().depth == len(agents) * DECISIONS * 2
        for agent in agents:
            assert not list(DecisionLogger(MemoryManager(agent, database)).query_decisions())
    proxy.turn(Mood.PASSES)
    assert spool.flush(120)
    assert spool.status().set_aside == 0
    for agent, made in zip(agents, logged, strict=True):
        read = DecisionLogger(MemoryManager(agent, database))
        found = list(read.query_decisions())
        assert [each.decision_id for each in found] == made[::-1]
        assert all(each.outcome for each in found)
        assert read.get_decision_stats()["total_decisions"] == DECISIONS
        arrivals = [each.arrived_at for each in reversed(found)]
        assert all(before <= after for before, after in pairwise(arrivals))
    for handle in handles:
        handle.close()


def test_a_network_that_comes_and_goes(
    proxy: Proxy, beyond: AWSClientManager, database: AWSClientManager, tmp_path: Path
) -> None:
    """It changes its mood while decisions are logged and delivered."""
    agents = [f"agent-{uuid4().hex}" for _ in range(4)]
    handles = [MemoryManager(agent, beyond, spool=tmp_path / "spool.db") for agent in agents]
    with ThreadPoolExecutor(len(handles)) as pool:
        jobs = [pool.submit(log_all, handle) for handle in handles]
        for mood in (*FAILING, Mood.PASSES):
            proxy.turn(mood)
            handles[0].flush(0.3)
    logged = [job.result() for job in jobs]
    proxy.turn(Mood.PASSES)
    assert handles[0].flush(120)
    assert handles[0].spool
    assert handles[0].spool.status().set_aside == 0
    for agent, made in zip(agents, logged, strict=True):
        read = DecisionLogger(MemoryManager(agent, database))
        assert [each.decision_id for each in read.query_decisions()] == made[::-1]
        assert read.get_decision_stats()["with_outcome"] == DECISIONS
    for handle in handles:
        handle.close()


def test_a_program_ends_in_time_during_an_outage(
    proxy: Proxy, beyond: AWSClientManager, database: AWSClientManager, tmp_path: Path
) -> None:
    """`close` keeps its promise of time, and the next handle delivers."""
    agent = f"agent-{uuid4().hex}"
    proxy.turn(Mood.REFUSES)
    memory = MemoryManager(agent, beyond, spool=tmp_path / "spool.db")
    made = log_all(memory, 10)
    assert not memory.close(timeout=0.2)
    proxy.turn(Mood.PASSES)
    with MemoryManager(agent, database, spool=tmp_path / "spool.db") as again:
        assert again.flush(60)
    read = DecisionLogger(MemoryManager(agent, database))
    assert [each.decision_id for each in read.query_decisions()] == made[::-1]
