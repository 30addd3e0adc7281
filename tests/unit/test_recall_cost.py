"""What recall costs: requests and read units, counted by DynamoDB Local."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    CapacityMeter,
    ConditionOperator,
    DecisionType,
    MemoryManager,
    MemoryPattern,
    PatternCondition,
    PatternType,
    new_decision_id,
)
from daybook.settings import Settings

KIND = DecisionType.STRATEGY_SELECTION
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def manager(database: AWSClientManager) -> AWSClientManager:
    """Give a manager whose client is this test's own, so that only its requests count."""
    return AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())


@pytest.fixture
def memory(manager: AWSClientManager) -> MemoryManager:
    """Give an agent with a hundred patterns of a type, as learning makes them."""
    agent = MemoryManager(f"agent-{uuid4().hex}", manager)
    for number in range(100):
        agent.store_pattern(make(agent, f"p{number:03d}"))
    return agent


def make(memory: MemoryManager, pattern_id: str) -> MemoryPattern:
    """Make a pattern with as much evidence as learning names."""
    return MemoryPattern.checked(
        pattern_id=pattern_id,
        agent_id=memory.agent_id,
        pattern_type=PatternType.SUCCESS,
        decision_type=KIND,
        choice="momentum",
        conditions=[
            PatternCondition(feature="market.trend", op=ConditionOperator.EQ, value="up"),
            PatternCondition(feature="market.level", op=ConditionOperator.LT, value=0.25),
        ],
        success_rate=0.7,
        baseline_rate=0.5,
        sample_size=300,
        confidence=0.64,
        evidence=[new_decision_id(memory.agent_id, NOW) for _ in range(20)],
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.fixture
def meter(manager: AWSClientManager) -> Iterator[CapacityMeter]:
    """Count what follows."""
    with CapacityMeter(manager.dynamodb) as counting:
        yield counting


CONTEXT = {"market": {"trend": "up", "level": 0.1}}


def test_own_patterns_take_one_request(memory: MemoryManager, meter: CapacityMeter) -> None:
    """An agent's own hundred patterns are one query of a few dozen read units, cold or warm."""
    for _ in range(2):
        meter.requests.clear()
        meter.read_units = 0
        assert len(memory.recall(KIND, CONTEXT, limit=200)) == 100
        assert dict(meter.requests) == {"Query": 1}
        assert meter.read_units <= 40


def test_shared_patterns_take_one_more(memory: MemoryManager, manager: AWSClientManager) -> None:
    """Another's patterns are read once a minute: two requests cold, one warm."""
    friend = MemoryManager(f"{memory.agent_id}-friend", manager)
    for number in range(50):
        memory.share_pattern(f"p{number:03d}", [friend.agent_id])
    with CapacityMeter(manager.dynamodb) as cold:
        assert len(friend.recall(KIND, CONTEXT, limit=200)) == 50
    with CapacityMeter(manager.dynamodb) as warm:
        assert len(friend.recall(KIND, CONTEXT, limit=200)) == 50
    assert cold.requests.total() == 2
    assert warm.requests.total() == 1
    assert warm.read_units < cold.read_units


def test_nothing_is_one_request(manager: AWSClientManager, meter: CapacityMeter) -> None:
    """An agent that knows nothing learns so with one request of half a unit at most."""
    assert MemoryManager("nobody", manager).recall(KIND, CONTEXT) == []
    assert meter.requests.total() == 1
    assert meter.read_units <= 0.5
