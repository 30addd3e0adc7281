"""What every backend must do for workflow memory: runs counted once, the best of them found."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest

from daybook import (
    CompactionService,
    DecisionConflictError,
    DecisionType,
    InvalidInputError,
    MemoryManager,
    MemoryTool,
    OutcomeConflictError,
    PatternLearner,
    TaskType,
    new_decision_id,
)
from tests.clocks import Clock
from tests.unit.workflows.shared import share_a_workflow

KIND = DecisionType.WORKFLOW_SELECTION
GOOD, POOR = ["plan", "write", "run"], ["write"]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine."""
    return asyncio.run(work)


@pytest.fixture
def tool(memory: MemoryManager) -> MemoryTool:
    """Give the tool of an agent that nobody else uses."""
    return MemoryTool(memory)


async def some_runs(tool: MemoryTool) -> None:
    """Store four good runs of a workflow, and two of another of which one is good."""
    for number in range(4):
        await tool.store_workflow("testing", GOOD, True, 2 + number, f"s{number}", 0.5)
    for success in (True, False):
        await tool.store_workflow(TaskType.TESTING, POOR, success, 1.0, "s9", 0.25, {"by": "hand"})


def test_runs_become_patterns(tool: MemoryTool) -> None:
    """By success rate, with what they took on average; the steps read back."""

    async def go() -> None:
        await some_runs(tool)
        found = await tool.retrieve_workflow_patterns("testing", min_success_rate=0.0)
        assert [each.workflow_steps for each in found] == [GOOD, POOR]
        assert [each.success_rate for each in found] == [1.0, 0.5]
        assert [each.average_duration for each in found] == [3.5, 1.0]
        assert [each.average_cost for each in found] == [0.5, 0.25]
        (only,) = await tool.retrieve_workflow_patterns("testing")
        assert only.workflow == "plan > write > run"
        assert await tool.retrieve_workflow_patterns("debugging") == []

    run(go())


def test_the_best_by_each_target(tool: MemoryTool) -> None:
    """By success; or of what did well enough, the quickest, the cheapest."""

    async def go() -> None:
        await some_runs(tool)

        async def best(*said: Any, **also: Any) -> list[Any] | None:
            found = await tool.get_best_workflow_for_task(*said, **also)
            return found.workflow_steps if found else None

        assert await best("testing") == GOOD
        for target in ("duration", "cost"):
            assert await best("testing", target) == GOOD
            assert await best("testing", target, min_success_rate=0.5) == POOR
        assert await best("deployment") is None
        with pytest.raises(InvalidInputError, match="optimization_target"):
            await best("testing", "speed")

    run(go())


def test_a_run_is_a_decision_with_an_outcome(tool: MemoryTool, memory: MemoryManager) -> None:
    """It is in the log as any other is, and statistics count it."""

    async def go() -> str:
        return await tool.store_workflow(
            "testing", GOOD, False, 1.5, "s1", 0.5, {"pr": 7}, error="it broke"
        )

    found = memory.get_decision(run(go()))
    assert (found.decision_type, found.session_id) == (KIND, "s1")
    assert found.reasoning.selected == ["plan > write > run"]
    assert found.context.as_dict() == {"task_type": "testing", "steps": GOOD}
    assert found.outcome is not None
    assert (found.outcome.success, found.outcome.latency_ms) == (False, 1500.0)
    assert found.outcome.details == {"cost": 0.5, "metadata": {"pr": 7}}
    assert found.outcome.error == "it broke"


@pytest.mark.parametrize("kind", ["text", "decision"])
def test_a_run_id_counts_once(
    tool: MemoryTool, memory: MemoryManager, kind: str, clock: Clock
) -> None:
    """However often it is stored, and whenever; another run under it is refused."""
    own = "run 1" if kind == "text" else new_decision_id(memory.agent_id, clock())

    async def go() -> None:
        first = await tool.store_workflow("testing", GOOD, True, 2.0, "s", run_id=own)
        clock.advance(hours=2)
        assert await tool.store_workflow("testing", GOOD, True, 2.0, "s", run_id=own) == first
        assert (await tool.get_task_success_metrics("testing")).total == 1
        with pytest.raises(OutcomeConflictError):
            await tool.store_workflow("testing", GOOD, False, 2.0, "s", run_id=own)
        with pytest.raises(DecisionConflictError):
            await tool.store_workflow("testing", POOR, True, 2.0, "s", run_id=own)
        assert (await tool.get_task_success_metrics("testing")).successful == 1

    run(go())


def test_a_half_stored_run_is_finished(tool: MemoryTool, memory: MemoryManager) -> None:
    """A run whose outcome was never written is none yet; storing it again makes it one."""
    decision_id = memory.decision_of_run("half")

    async def go() -> None:
        assert await tool.store_workflow("testing", GOOD, True, 2.0, run_id="half") == decision_id
        assert (await tool.get_task_success_metrics("testing")).total == 1

    run(go())


def test_metrics(tool: MemoryTool) -> None:
    """Of a type, and of all; of nothing there is no rate."""

    async def go() -> None:
        await some_runs(tool)
        await tool.store_workflow("debugging", POOR, True, 3)
        found = await tool.get_task_success_metrics("testing")
        assert (found.total, found.successful, found.success_rate) == (6, 5, 5 / 6)
        assert (found.average_duration, found.average_cost) == (16 / 6, 2.5 / 6)
        nothing = await tool.get_task_success_metrics("general")
        assert (nothing.total, nothing.success_rate, nothing.average_cost) == (0, None, None)
        overall = await tool.get_learning_metrics()
        assert (overall.total, overall.successful) == (7, 6)
        assert overall.average_duration == pytest.approx(19 / 7)
        assert overall.average_cost == pytest.approx(2.5 / 6)
        assert overall.by_task_type["debugging"].total == 1
        assert (overall.patterns_learned, overall.retrieval_accuracy) == (0, None)

    run(go())


def test_scopes(tool: MemoryTool, memory: MemoryManager) -> None:
    """Of one session, of the agent's own log, and of what others share."""
    share_a_workflow(memory.client_manager, memory.agent_id, ["look", "leap"])

    async def go() -> None:
        await some_runs(tool)

        async def found(scope: str, **said: str) -> list[list[str]]:
            patterns = await tool.retrieve_workflow_patterns("testing", 0.0, scope, **said)
            return [each.workflow_steps for each in patterns]

        assert await found("session", session_id="s9") == [POOR]
        assert await found("session", session_id="s") == []
        assert await found("agent") == [GOOD, POOR]
        assert await found("app") == [["look", "leap"], GOOD, POOR]
        for bad in ("all", "", None):
            with pytest.raises(InvalidInputError, match="agent, app, session"):
                await tool.retrieve_workflow_patterns("testing", 0.0, bad)  # type: ignore[arg-type]
        for scope, said in (("session", {}), ("app", {"session_id": "s9"})):
            with pytest.raises(InvalidInputError, match="session_id"):
                await found(scope, **said)

    run(go())


def test_steps_of_any_form(tool: MemoryTool) -> None:
    """Objects, long ones, arrows inside: each reads back as it was given."""
    several: list[list[Any]] = [
        [{"tool": "grep", "args": {"n": 1}}, "read"],
        ["a > b", "c"],
        [f"step {number} with a long name" for number in range(60)],
        ["修复", "テスト"],
    ]

    async def go() -> None:
        for steps in several:
            await tool.store_workflow("general", steps, True, 1.0)
        found = await tool.retrieve_workflow_patterns("general", 0.0, "agent")
        read = sorted(json.dumps(each.workflow_steps, sort_keys=True) for each in found)
        assert read == sorted(json.dumps(steps, sort_keys=True) for steps in several)

    run(go())


def test_learning_finds_workflows(tool: MemoryTool, memory: MemoryManager, clock: Clock) -> None:
    """Consolidation learns from the runs as from all decisions, and no run counts twice."""
    # straight into the tables: what is tested is what comes after
    direct = MemoryTool(MemoryManager(memory.agent_id, memory.client_manager, door="tables")).sync
    for number in range(40):
        clock.advance(minutes=1)
        direct.store_workflow("testing", GOOD, number % 10 != 0, 1.0)
        direct.store_workflow("testing", POOR, number % 10 == 0, 1.0)
        direct.store_workflow("debugging", POOR, number % 10 != 0, 1.0)

    async def go() -> None:
        done = await CompactionService(tool).compact_session("nothing", extract_patterns=True)
        assert done.patterns_extracted >= 1
        assert done.memories == 0
        assert PatternLearner(memory).consolidate().outcomes_learned == 0
        first, *_ = await tool.retrieve_workflow_patterns("testing", 0.0)
        assert (first.workflow_steps, first.sample_size, first.success_rate) == (GOOD, 40, 0.9)
        metrics = await tool.get_learning_metrics()
        assert metrics.patterns_learned == done.patterns_extracted

    run(go())


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "type": ({"task_type": "cooking"}, "code_generation"),
    "no_steps": ({"workflow_steps": []}, "workflow_steps"),
    "text_for_steps": ({"workflow_steps": "plan"}, "use a list"),
    "empty_step": ({"workflow_steps": ["plan", ""]}, "workflow_steps.1"),
    "number_for_step": ({"workflow_steps": [3]}, "workflow_steps.0"),
    "success": ({"success": "yes"}, "success"),
    "duration": ({"duration": -1.0}, "duration"),
    "endless": ({"duration": float("inf")}, "duration"),
    "cost": ({"cost": float("nan")}, "cost"),
    "metadata": ({"metadata": {"a": object()}}, "metadata"),
    "session": ({"session_id": ""}, "session_id"),
    "run_id": ({"run_id": "a#b"}, "run_id"),
}


def test_bad_runs(tool: MemoryTool, memory: MemoryManager) -> None:
    """One error that names what is wrong, and nothing is written."""
    good: dict[str, Any] = {
        "task_type": "testing",
        "workflow_steps": GOOD,
        "success": True,
        "duration": 1.0,
    }

    async def go() -> None:
        for said, message in BAD.values():
            with pytest.raises(InvalidInputError, match=message):
                await tool.store_workflow(**(good | said))

    run(go())
    assert memory.get_decision_stats()["total_decisions"] == 0
