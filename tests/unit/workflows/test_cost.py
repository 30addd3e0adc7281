"""What workflow memory costs: requests and units, counted by DynamoDB Local."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

import daybook.workflows.memory
from daybook import AWSClientManager, CapacityMeter, MemoryManager, PatternLearner, TaskType
from daybook.settings import Settings
from daybook.workflows.memory import WorkflowMemory
from tests.unit.workflows.shared import share_a_workflow

AT_HAND = 200
"""Runs that are looked at here: as many as are, ordinarily, take twice as long to store."""

STEPS = ["plan the tests", "write the tests", "run the tests", "read the report"]


@pytest.fixture
def manager(database: AWSClientManager) -> AWSClientManager:
    """Give a manager whose client is this test's own, so that only its requests count."""
    return AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())


@pytest.fixture
def workflows(manager: AWSClientManager) -> WorkflowMemory:
    """Give the workflow memory of an agent that nobody else uses."""
    return WorkflowMemory(MemoryManager(f"agent-{uuid4().hex}", manager))


@pytest.fixture
def meter(manager: AWSClientManager) -> Iterator[CapacityMeter]:
    """Give a meter that runs during the test."""
    with CapacityMeter(manager.dynamodb) as running:
        yield running


def test_hundreds_of_runs_take_two_requests(
    workflows: WorkflowMemory, meter: CapacityMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where more lie before them, of which patterns were learned."""
    memory = workflows.memory
    monkeypatch.setattr(daybook.workflows.memory, "RECENT", AT_HAND)
    for number in range(AT_HAND + 20):
        steps = STEPS if number % 2 else STEPS[1:]
        workflows.store_workflow("testing", steps, number % (10 if number % 2 else 3) != 0, 1.0)
    PatternLearner(memory).consolidate()
    assert memory.list_patterns(0.0, "workflow_selection") != []
    meter.requests.clear()
    before = meter.read_units
    found = workflows.retrieve_workflow_patterns("testing", 0.0)
    assert dict(meter.requests) == {"Query": 2}
    assert meter.read_units - before <= 40
    # those before the last are known by what was learned of them
    assert AT_HAND <= sum(each.sample_size for each in found) <= AT_HAND + 21
    assert sum(each.recent_runs for each in found) == AT_HAND
    meter.requests.clear()
    assert workflows.get_best_workflow_for_task("testing", "duration") is not None
    assert meter.requests.total() == 2
    meter.requests.clear()
    workflows.retrieve_workflow_patterns("testing", scope="session", session_id="s")
    assert meter.requests.total() == 1


def test_what_was_not_read_yet_takes_one_more(
    workflows: WorkflowMemory, manager: AWSClientManager, meter: CapacityMeter
) -> None:
    """Another agent's pattern, once a minute; steps that a name cannot say, once."""
    share_a_workflow(manager, workflows.memory.agent_id, ["look", "leap"])
    workflows.store_workflow("testing", STEPS, True, 1.0)
    for most in (3, 2):
        meter.requests.clear()
        assert len(workflows.retrieve_workflow_patterns("testing")) == 2
        assert meter.requests.total() == most
    workflows.store_workflow("testing", [f"{each} {'at length ' * 20}" for each in STEPS], True, 1)
    for most in (3, 2):
        meter.requests.clear()
        assert len(workflows.retrieve_workflow_patterns("testing")) == 3
        assert meter.requests.total() == most


def test_storing_a_run(workflows: WorkflowMemory, meter: CapacityMeter) -> None:
    """Three requests and six units: one more than any decision with its outcome."""
    workflows.store_workflow("testing", STEPS, True, 1.0, "session", 0.01, {"pr": 7})
    assert dict(meter.requests) == {"PutItem": 2, "GetItem": 1}
    assert meter.write_units == 6
    assert dict(meter.by_index) == {"DecisionTypeIndex": 2, "SuccessIndex": 1, "STMIndex": 1}
    meter.requests.clear()
    workflows.store_workflow("testing", STEPS, True, 1.0, run_id="run 1")
    assert dict(meter.requests) == {"PutItem": 3, "GetItem": 1}


def test_metrics_of_all_types(workflows: WorkflowMemory, meter: CapacityMeter) -> None:
    """One request for a type; never a scan."""
    workflows.store_workflow("testing", STEPS, True, 1.0)
    meter.requests.clear()
    workflows.get_task_success_metrics("testing")
    assert dict(meter.requests) == {"Query": 1}
    workflows.get_learning_metrics()
    assert dict(meter.requests) == {"Query": 1 + len(TaskType) + 1}


def test_sessions(workflows: WorkflowMemory, meter: CapacityMeter) -> None:
    """A memory takes a request, the first one two; what compaction takes is said, too."""
    memory = workflows.memory
    for number in range(50):
        memory.remember("s", {"n": number})
    assert dict(meter.requests) == {"UpdateItem": 1, "PutItem": 50}
    meter.requests.clear()
    memory.compact_session("s")
    assert dict(meter.requests) == {"Query": 1, "GetItem": 1, "PutItem": 1, "BatchWriteItem": 2}
    meter.requests.clear()
    memory.compact_session("s")
    memory.read_session("s")
    assert dict(meter.requests) == {"Query": 2, "GetItem": 2}
