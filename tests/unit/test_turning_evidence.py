"""Evidence that turns: a pattern lives through a change of the world, on DynamoDB Local."""

from uuid import uuid4

from daybook import AWSClientManager, DecisionLogger, MemoryManager, PatternLearner, PatternType
from daybook.settings import Settings
from tests.clocks import Clock
from tests.contracts.test_learning import KIND, live


def test_evidence_that_turns(database: AWSClientManager) -> None:
    """When the world changes, the pattern gets a new version, and the old one is kept."""
    clock = Clock()
    manager = AWSClientManager(
        endpoint_url=database.endpoint_url, settings=Settings(), clock=clock
    )
    memory = MemoryManager(f"agent-{uuid4().hex}", manager)
    log, learner = DecisionLogger(memory), PatternLearner(memory)
    for seed in range(6):
        live(log, clock, 60, seed)
        learner.consolidate()
    (before,) = [
        found.pattern
        for found in memory.recall(KIND, {"market": {"regime": "bull"}})
        if found.pattern.choice == "momentum" and found.pattern.conditions
    ]
    assert before.pattern_type is PatternType.SUCCESS
    for seed in range(6, 14):
        live(log, clock, 60, seed, good="bear")
        learner.consolidate()
    history = memory.pattern_history(before.pattern_id)
    assert len(history) > 1
    assert history[0].pattern_type is PatternType.SUCCESS
    assert [pattern.version for pattern in history] == list(range(1, len(history) + 1))
    now_good = memory.recall(KIND, {"market": {"regime": "bear"}})[0].pattern
    assert (now_good.choice, now_good.pattern_type) == ("momentum", PatternType.SUCCESS)
