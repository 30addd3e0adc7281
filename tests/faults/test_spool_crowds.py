"""Many agents on one spool: as many as a process may have, and as many threads at once."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager
from daybook.models import DecisionId
from daybook.store import DECISIONS, keys

RISK = DecisionType.RISK_ASSESSMENT
WORKERS = 8


def handles(database: AWSClientManager, folder: Path, count: int) -> list[MemoryManager]:
    """Make so many handles on one spool."""
    path = folder / "spool.db"
    return [MemoryManager(f"agent-{uuid4().hex}", database, spool=path) for _ in range(count)]


def missing(database: AWSClientManager, logged: Sequence[str]) -> int:
    """Return how many of these decisions are not in the log."""
    wanted = [keys.decision(DecisionId.parse(each)) for each in logged]
    return len(set(logged)) - len(database.store.fetch(DECISIONS, wanted))


def live(database: AWSClientManager, folder: Path, agents: int, seconds: int) -> int:
    """Let agents decide once a second for a while; return the greatest depth of the spool."""
    made = handles(database, folder, agents)
    logs = [DecisionLogger(memory) for memory in made]
    spool = made[0].spool
    assert spool
    deepest = 0
    logged: list[str] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        began = time.monotonic()
        for second in range(seconds):
            logged += pool.map(lambda log: log.log_decision(RISK, confidence=0.5), logs)
            deepest = max(deepest, spool.status().depth)
            time.sleep(max(0.0, began + second + 1 - time.monotonic()))
    assert made[0].flush(60)
    assert len(logged) == agents * seconds
    assert missing(database, logged) == 0
    assert spool.status().set_aside == 0
    for memory in made:
        memory.close()
    return deepest


def test_a_crowd(database: AWSClientManager, tmp_path: Path) -> None:
    """300 agents for three seconds: what waits is less than what two seconds bring."""
    assert live(database, tmp_path, 300, 3) <= 600


@pytest.mark.campaign
def test_a_thousand_agents_for_a_minute(database: AWSClientManager, tmp_path: Path) -> None:
    """60,000 decisions: none is lost, and the spool does not grow."""
    deepest = live(database, tmp_path, 1000, 60)
    print(f"at most {deepest:,} entries waited")  # noqa: T201
    assert deepest <= 5000


def test_120_threads(database: AWSClientManager, tmp_path: Path) -> None:
    """Each with a handle of its own, and outcomes: no error, and all is there."""
    made = handles(database, tmp_path, 120)

    def work(memory: MemoryManager) -> list[str]:
        log, ids = DecisionLogger(memory), []
        for _ in range(5):
            ids.append(log.log_decision(RISK, confidence=0.5))
            log.log_outcome(ids[-1], RISK, True)
        assert memory.close(60)
        return ids

    with ThreadPoolExecutor(120) as pool:
        logged = [each for ids in pool.map(work, made) for each in ids]
    assert missing(database, logged) == 0
    for memory in made[:5]:
        found = DecisionLogger(MemoryManager(memory.agent_id, database)).query_decisions()
        assert all(each.outcome for each in found)
