"""A process that dies while it stores a trajectory, and answers that are lost meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from daybook import (
    AWSClientManager,
    EmptyReplayError,
    OutcomeTag,
    ReplayBuffer,
    ReplayConfig,
    ReplayStrategy,
    Trajectory,
    TrajectoryNotFoundError,
)
from daybook.settings import Settings

MOST_REQUESTS = 40
WRITES = ("PutItem", "UpdateItem")


class Died(BaseException):
    """The process is gone; no handler of ours sees it."""


@pytest.fixture
def manager(database: AWSClientManager) -> AWSClientManager:
    """Give a manager whose client is this test's own, so that faults stay with it."""
    return AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())


def trajectory(number: int) -> Trajectory:
    """Make a trajectory."""
    return Trajectory(
        trajectory_id=f"t{number}",
        agent_id="scout",
        task_description="find a price",
        final_outcome=OutcomeTag.PARTIAL,
        reward=float(number),
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )


def buffer_of(manager: AWSClientManager, name: str, capacity: int) -> ReplayBuffer:
    """Open a buffer, as a new process does."""
    config = ReplayConfig(strategy=ReplayStrategy.PRIORITIZED_LOSS, capacity=capacity, seed=1)
    return ReplayBuffer(manager, config, name=name)


@contextmanager
def dying(manager: AWSClientManager, after: int) -> Iterator[None]:
    """Let so many requests through, and die at the next one."""
    seen = 0

    def die(**_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > after:
            raise Died

    events = manager.dynamodb.meta.events
    events.register("before-send.dynamodb", die)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", die)


@contextmanager
def losing_answers(manager: AWSClientManager) -> Iterator[list[str]]:
    """Send the first try of every third write, and then time out as if no answer came.

    Of more, botocore's client tries none again: it has a budget for that.
    """
    seen: list[str] = []
    session = URLLib3Session()

    def send_and_lose(request: Any, **_: Any) -> None:
        call = str(request.headers["amz-sdk-invocation-id"])  # the same of each try
        if call not in seen:
            seen.append(call)
            if len(seen) % 3:
                return
            session.send(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    events = manager.dynamodb.meta.events
    names = [f"before-send.dynamodb.{name}" for name in WRITES]
    for name in names:
        events.register(name, send_and_lose)
    try:
        yield seen
    finally:
        for name in names:
            events.unregister(name, send_and_lose)


@pytest.mark.parametrize(
    ("capacity", "step"),
    [
        pytest.param(3, 6, id="full"),
        pytest.param(3, 1, id="full, each request", marks=pytest.mark.campaign),
        pytest.param(160, 1, id="roomy"),
    ],
)
def test_storing_again_ends_what_a_dead_process_began(
    manager: AWSClientManager, capacity: int, step: int
) -> None:
    """Wherever it dies, storing it again leaves the trajectory there once, and to be drawn."""
    held_back = 0
    for after in range(0, MOST_REQUESTS, step):
        name = f"buffer-{uuid4().hex}"
        before = buffer_of(manager, name, capacity)
        for number in range(4):
            before.store_trajectory(trajectory(number))
        try:
            with dying(manager, after):
                buffer_of(manager, name, capacity).store_trajectory(trajectory(9))
        except Died:
            held_back += is_missing(buffer_of(manager, name, capacity))
            buffer_of(manager, name, capacity).store_trajectory(trajectory(9))
            check(buffer_of(manager, name, capacity), capacity)
        else:
            break
    else:
        pytest.fail("storing a trajectory took more requests than were tried")
    assert held_back > 1  # the control: without storing it again it was not all there


def is_missing(buffer: ReplayBuffer) -> bool:
    """Whether the trajectory cannot be drawn, or not be found."""
    try:
        buffer.get_entry("t9")
    except TrajectoryNotFoundError:
        return True
    return False


def check(buffer: ReplayBuffer, capacity: int) -> None:
    """Check that the trajectory is there once, by every way, and nothing is there twice."""
    assert buffer.get_trajectory("t9") == trajectory(9)
    assert buffer.get_entry("t9").priority > 0
    drawn = {each.trajectory_id for each in buffer.sample_trajectories(200).trajectories}
    assert "t9" in drawn
    statistics = buffer.get_statistics()
    assert statistics.total_trajectories == len(drawn) <= min(5, capacity)
    assert statistics.by_outcome["partial"] == len(drawn)


def test_lost_answers_change_nothing(manager: AWSClientManager) -> None:
    """Every write is repeated after its answer was lost, and each trajectory is there once."""
    name = f"buffer-{uuid4().hex}"
    with losing_answers(manager) as lost:
        buffer = buffer_of(manager, name, 6)
        with pytest.raises(EmptyReplayError):
            buffer.sample_trajectories(1)
        for number in range(9):
            buffer.store_trajectory(trajectory(number))
        index = buffer.get_entry("t8").index
        assert buffer.update_priorities([index], [0.5]) == []
    assert len(lost) > 60
    fresh = buffer_of(manager, name, 6)
    statistics = fresh.get_statistics()
    drawn = {each.trajectory_id for each in fresh.sample_trajectories(300).trajectories}
    assert statistics.total_trajectories == statistics.by_outcome["partial"] == len(drawn)
    assert fresh.get_entry("t8").loss == 0.5
    assert {"t8", "t7"} <= drawn
