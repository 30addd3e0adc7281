"""Which decisions are listed as runs of workflows, and which are not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager
from daybook.testing import local_aws

KIND = DecisionType.WORKFLOW_SELECTION


@pytest.fixture(scope="module")
def manager() -> Iterator[AWSClientManager]:
    """Give a client manager on moto, for all of this module."""
    with local_aws() as made:
        yield made


@pytest.fixture
def memory(manager: AWSClientManager) -> MemoryManager:
    """Give the handle of an agent that nobody else uses."""
    return MemoryManager(f"agent-{uuid4().hex}", manager)


def logged(memory: MemoryManager, details: dict[str, Any] | None = None, **said: Any) -> str:
    """Log a decision by hand, and its outcome."""
    log = DecisionLogger(memory)
    given: dict[str, Any] = {
        "decision_type": KIND,
        "selected": "look > leap",
        "context": {"task_type": "testing"},
        "confidence": 0.5,
        "session_id": "s",
    }
    decision_id = log.log_decision(**(given | said))
    kind = said.get("decision_type", KIND)
    log.log_outcome(decision_id, kind, True, 0.5, 1500.0, details=details)
    return decision_id


def test_a_run_logged_by_hand_is_listed(memory: MemoryManager) -> None:
    """With what its outcome says; the statistics read the same digests as ever."""
    decision_id = logged(memory, {"cost": 2})
    (run,) = memory.workflow_runs("testing")
    assert (run.decision_id, run.workflow, run.success) == (decision_id, "look > leap", True)
    assert (run.duration, run.cost) == (1.5, 2.0)
    stats = memory.get_decision_stats()
    assert (stats["total_decisions"], stats["avg_quality_score"]) == (1, 0.5)


@pytest.mark.parametrize(
    "said",
    [
        {"decision_type": DecisionType.OTHER},
        {"context": {}},
        {"context": {"task_type": "cooking"}},
        {"context": {"task_type": 7}},
        {"selected": []},
        {"selected": ["a", "b"]},
        {"selected": "x" * 513},
    ],
    ids=["other", "no_type", "unknown", "number", "none", "two", "long"],
)
def test_others_are_not(memory: MemoryManager, said: dict[str, Any]) -> None:
    """They are decisions, and no runs."""
    logged(memory, **said)
    assert memory.workflow_runs("testing") == []
    assert memory.get_decision_stats()["total_decisions"] == 1


@pytest.mark.parametrize(
    "cost",
    ["2", True, -1, None, [2], 10**900],
    ids=["text", "flag", "less", "none", "list", "huge"],
)
def test_a_cost_that_is_none_is_left_out(memory: MemoryManager, cost: Any) -> None:
    """Details are whatever somebody said."""
    logged(memory, {"cost": cost})
    (run,) = memory.workflow_runs("testing")
    assert run.cost is None


def test_a_run_comes_by_way_of_a_spool(memory: MemoryManager, tmp_path: Path) -> None:
    """It is listed once it is delivered."""
    with MemoryManager("spooled", memory.client_manager, spool=tmp_path / "spool") as own:
        logged(own)
        assert own.flush(30)
        assert [run.workflow for run in own.workflow_runs("testing")] == ["look > leap"]
