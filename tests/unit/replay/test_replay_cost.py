"""What a buffer in tables costs: requests and units, counted by DynamoDB Local."""

from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    CapacityMeter,
    OutcomeTag,
    ReplayBuffer,
    ReplayConfig,
    Trajectory,
)
from daybook.replay.config import ReplayStrategy
from daybook.settings import Settings
from tests.unit.replay.loading import load

BATCH = 32
BATCHES = 5


@pytest.fixture
def manager(database: AWSClientManager) -> AWSClientManager:
    """Give a manager whose client is this test's own, so that only its requests count."""
    return AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())


def loaded(manager: AWSClientManager, count: int) -> ReplayBuffer:
    """Return a buffer that holds so many trajectories."""
    config = ReplayConfig(strategy=ReplayStrategy.PRIORITIZED_LOSS, capacity=2_000_000, seed=1)
    name = f"buffer-{uuid4().hex}"
    load(manager.store, name, count, config)
    return ReplayBuffer(manager, config, name=name)


def cost(manager: AWSClientManager, buffer: ReplayBuffer, strategy: str) -> tuple[int, float]:
    """Return requests and read units of a batch, the mean over some."""
    with CapacityMeter(manager.dynamodb) as meter:
        for _ in range(BATCHES):
            assert len(buffer.sample_trajectories(BATCH, strategy)) == BATCH
    return sum(meter.requests.values()) // BATCHES, meter.read_units / BATCHES


def test_batch_is_three_requests_and_warm_one(manager: AWSClientManager) -> None:
    """Cold: the directory, chunks, trajectories, half a unit each. Warm: the trajectories."""
    buffer = loaded(manager, 5_120)
    for strategy in ReplayStrategy:
        requests, units = cost(manager, buffer, strategy)
        assert requests == 3
        assert units <= 1.0 + BATCH
    buffer.warm()
    for strategy in ReplayStrategy:
        requests, units = cost(manager, buffer, strategy)
        assert requests == 1  # but for one more a second, of a hundred chunks
        assert units <= BATCH / 2 + 12


@pytest.mark.campaign
def test_batch_costs_the_same_at_a_million(manager: AWSClientManager) -> None:
    """Ten thousand or a million: the same requests, and units within a tenth."""
    small, large = loaded(manager, 10_000), loaded(manager, 1_000_000)
    for strategy in ReplayStrategy:
        few, many = (cost(manager, buffer, strategy) for buffer in (small, large))
        print(f"cold {strategy:20} 10,000: {few}   1,000,000: {many}")  # noqa: T201
        assert few[0] == many[0] == 3
        # the ages of chunks take four bytes each, their domains two
        is_wide = strategy in (ReplayStrategy.PRIORITIZED_RECENCY, ReplayStrategy.DOMAIN_BALANCED)
        assert many[1] == pytest.approx(few[1], rel=0.2 if is_wide else 0.1)
    small.warm()
    large.warm()
    for strategy in ReplayStrategy:
        few, many = (cost(manager, buffer, strategy) for buffer in (small, large))
        print(f"warm {strategy:20} 10,000: {few}   1,000,000: {many}")  # noqa: T201
        assert few[0] == many[0] == 1
        assert many[1] == pytest.approx(few[1], rel=0.1)


def test_priority_update_is_one_write_unit(manager: AWSClientManager) -> None:
    """Blindly, on the chunk; that of an index whose place is another's by now is refused."""
    buffer = loaded(manager, 1280)
    batch = buffer.sample_trajectories(8)
    index = int(batch.indexes[0])
    with CapacityMeter(manager.dynamodb) as meter:
        assert buffer.update_priorities([index], [1000.0]) == []
    # the second raises the highest loss that is known, this once
    assert meter.requests == {"UpdateItem": 2}
    with CapacityMeter(manager.dynamodb) as meter:
        assert buffer.update_priorities([index], [2.0]) == []
    assert meter.requests["UpdateItem"] == 1
    assert meter.write_units == 1.0


def test_updates_are_packed_now_and_then(manager: AWSClientManager) -> None:
    """A hundred updates of a chunk's slots, each by itself, cost little over one unit each."""
    buffer = loaded(manager, 128)
    indexes = sorted(set(buffer.sample_trajectories(2000).indexes.tolist()))[:50]
    buffer.update_priorities([indexes[0]], [9.0])
    with CapacityMeter(manager.dynamodb) as meter:
        for _ in range(2):
            for index in indexes:
                buffer.update_priorities([index], [0.5])
    assert meter.write_units <= 140
    entry = buffer.sample_trajectories(1)
    assert len(entry) == 1


def test_storing_costs_a_unit_for_each_part(manager: AWSClientManager) -> None:
    """The place, the trajectory, its id with two indexes, the chunk; and a look at the id."""
    buffer = ReplayBuffer(manager, ReplayConfig(capacity=100_000), name=f"buffer-{uuid4().hex}")

    def store(number: int) -> None:
        buffer.store_trajectory(
            Trajectory(
                trajectory_id=f"t{number}",
                agent_id="scout",
                task_description="find a price",
                final_outcome=OutcomeTag.SUCCESS,
                reward=1.0,
            )
        )

    for number in range(5):
        store(number)
    with CapacityMeter(manager.dynamodb) as meter:
        store(5)
    assert meter.requests == {"GetItem": 1, "UpdateItem": 2, "PutItem": 2}
    assert meter.write_units == 6.0
