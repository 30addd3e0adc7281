"""What every backend of a replay buffer must do, in memory and in the tables."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from daybook import (
    ActionStep,
    EmptyReplayError,
    InvalidInputError,
    OutcomeTag,
    ReplayBuffer,
    ReplayConfig,
    ReplayStrategy,
    Trajectory,
    TrajectoryConflictError,
    TrajectoryNotFoundError,
)
from tests.clocks import Clock

IN_MEMORY = "memory"
BACKENDS = (IN_MEMORY, "dynamodb_local")
Make = Callable[..., ReplayBuffer]


def trajectory(number: int, **more: Any) -> Trajectory:
    """Make a trajectory; one in three failed, rewards go round from 0 to 9."""
    facts: dict[str, Any] = {
        "trajectory_id": f"t{number}",
        "agent_id": "scout",
        "task_description": "find a price",
        "final_outcome": OutcomeTag.FAILURE if number % 3 == 2 else OutcomeTag.SUCCESS,
        "reward": float(number % 10),
        "created_at": datetime(2026, 3, 1, tzinfo=UTC),
        "metadata": {"domain": "even" if number % 2 == 0 else "odd"},
    }
    return Trajectory(**facts | more)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Name the backend."""
    return str(request.param)


@pytest.fixture
def make(backend: str, request: pytest.FixtureRequest, clock: Clock) -> Make:
    """Return a function that makes a buffer, or opens the same one again by its name."""

    def made(name: str | None = None, **config: Any) -> ReplayBuffer:
        settings = ReplayConfig(**{"seed": 7} | config)
        own = name or f"buffer-{uuid4().hex}"
        if backend == IN_MEMORY:
            return ReplayBuffer(config=settings, name=own, clock=clock)
        return ReplayBuffer(request.getfixturevalue("database"), settings, name=own, clock=clock)

    return made


def ids(buffer: ReplayBuffer, numbers: range) -> set[int]:
    """Return which of these trajectories a buffer holds."""
    held = set()
    for number in numbers:
        try:
            buffer.get_trajectory(f"t{number}")
        except TrajectoryNotFoundError:
            continue
        held.add(number)
    return held


def test_trajectory_reads_back_equal(make: Make) -> None:
    """All of a trajectory comes back: steps, floats, text in any script."""
    buffer = make()
    step = ActionStep(
        tool_name="quote",
        tool_args={"symbol": "BTC", "depth": [1, 2.5, None]},
        tool_result={"price": 0.1 + 0.2},
        agent_reasoning="wegen der Höhe ✓",
    )
    given = trajectory(1, steps=[step] * 3, initial_state={"a": {"b": True}}, reward=-1e-7)
    assert buffer.store_trajectory(given) == "t1"
    assert buffer.get_trajectory("t1") == given
    assert buffer.sample_trajectories(2).trajectories == [given, given]


def test_empty_buffer_says_so(make: Make) -> None:
    """Nothing can be drawn from nothing; everything else is empty."""
    buffer = make()
    for strategy in ReplayStrategy:
        with pytest.raises(EmptyReplayError, match="store trajectories first"):
            buffer.sample_trajectories(1, strategy)
    with pytest.raises(TrajectoryNotFoundError, match="'nothing'"):
        buffer.get_trajectory("nothing")
    assert buffer.get_successful_trajectories() == []
    assert buffer.get_failed_trajectories("find a price") == []
    assert buffer.prune_old_trajectories(timedelta(0)) == 0
    assert buffer.update_priorities([], []) == []
    statistics = buffer.get_statistics()
    assert statistics.total_trajectories == 0
    assert statistics.by_outcome == {"success": 0, "failure": 0, "partial": 0}
    assert statistics.by_domain == {}


def test_stored_twice_is_there_once(make: Make) -> None:
    """The same again changes nothing; another one under its id is refused: the first stands."""
    buffer = make()
    buffer.store_trajectory(trajectory(1))
    buffer.store_trajectory(trajectory(1))
    with pytest.raises(TrajectoryConflictError, match="'t1'"):
        buffer.store_trajectory(trajectory(1, reward=5.0))
    assert buffer.get_statistics().total_trajectories == 1
    assert buffer.get_trajectory("t1").reward == 1.0


@pytest.mark.parametrize("strategy", list(ReplayStrategy))
def test_batch_is_of_one_length(make: Make, strategy: ReplayStrategy) -> None:
    """Trajectories, weights, probabilities and indexes belong together."""
    buffer = make(capacity=64)
    for number in range(10):
        buffer.store_trajectory(trajectory(number))
    batch = buffer.sample_trajectories(25, strategy, beta=1.0)
    assert len(batch) == len(batch.weights) == len(batch.probabilities) == len(batch.indexes) == 25
    assert batch.weights.max() == 1.0
    np.testing.assert_allclose(
        batch.weights, batch.probabilities.min() / batch.probabilities, rtol=1e-12
    )
    by_id: dict[str, tuple[int, float]] = {}
    for each, index, probability in zip(
        batch.trajectories, batch.indexes.tolist(), batch.probabilities.tolist(), strict=True
    ):
        assert by_id.setdefault(each.trajectory_id, (index, probability)) == (index, probability)
    assert 1 < len(by_id) <= 10
    assert len({index for index, _ in by_id.values()}) == len(by_id)


def test_losses_change_what_is_drawn(make: Make) -> None:
    """What surprised is drawn more often, what did not hardly ever; each is known by its entry."""
    buffer = make(capacity=64, strategy="prioritized_loss", alpha=1.0)
    for number in range(10):
        buffer.store_trajectory(trajectory(number))
    entry = buffer.get_entry("t3")
    assert (entry.loss, entry.replay_count, entry.domain) == (None, 0, "odd")
    losses = [2.0 if number == 3 else -0.25 for number in range(10)]
    indexes = [buffer.get_entry(f"t{number}").index for number in range(10)]
    assert buffer.update_priorities(indexes, losses) == []
    entry = buffer.get_entry("t3")
    assert (entry.loss, entry.replay_count) == (2.0, 1)
    assert entry.priority == pytest.approx(2.000001)
    drawn = buffer.sample_trajectories(400).trajectories
    assert 0.3 < sum(each.trajectory_id == "t3" for each in drawn) / 400 < 0.65  # 2 of 4.25
    buffer.store_trajectory(trajectory(10))
    assert buffer.get_entry("t10").priority == pytest.approx(2.000001)
    statistics = buffer.get_statistics()
    assert statistics.replayed == 10
    assert statistics.mean_loss == pytest.approx(-0.025)


def test_last_loss_of_a_trajectory_counts(make: Make) -> None:
    """A trajectory that a batch holds twice was replayed twice, and has its last loss."""
    buffer = make(capacity=64)
    buffer.store_trajectory(trajectory(1))
    index = buffer.get_entry("t1").index
    buffer.update_priorities([index, index], [4.0, 0.5])
    entry = buffer.get_entry("t1")
    assert (entry.loss, entry.replay_count) == (0.5, 2)


@pytest.mark.parametrize("capacity", [1, 2, 7, 20])
def test_oldest_makes_room(make: Make, capacity: int) -> None:
    """A buffer never holds more than its capacity, nor loses what it has just been given."""
    buffer = make(capacity=capacity)
    for number in range(2 * capacity + 1):
        buffer.store_trajectory(trajectory(number, metadata={}))
        assert number in ids(buffer, range(number, number + 1))
    held = ids(buffer, range(2 * capacity + 1))
    assert held == set(range(2 * capacity + 1 - len(held), 2 * capacity + 1))
    # in tables what makes room is a chunk, of a 16th of them
    assert capacity - capacity // 16 <= len(held) <= capacity
    statistics = buffer.get_statistics()
    assert statistics.total_trajectories == len(held)
    assert statistics.evicted == 2 * capacity + 1 - len(held)


def test_what_is_drawn_least_makes_room(make: Make) -> None:
    """By loss, those of little loss go first, and what surprised stays."""
    buffer = make(capacity=16, strategy="prioritized_loss")
    for number in range(16):
        buffer.store_trajectory(trajectory(number, metadata={}))
    indexes = [buffer.get_entry(f"t{number}").index for number in range(16)]
    buffer.update_priorities(indexes, [10.0 if number < 4 else 0.1 for number in range(16)])
    for number in range(16, 26):
        buffer.store_trajectory(trajectory(number, metadata={}))
    assert ids(buffer, range(26)) >= {0, 1, 2, 3, *range(16, 26)}


def test_no_domain_crowds_out_the_others(make: Make) -> None:
    """Balanced by domain, what makes room is of the largest one, and all are drawn alike."""
    buffer = make(capacity=16, strategy="domain_balanced")
    for number in range(3):
        buffer.store_trajectory(trajectory(number, metadata={"domain": "rare"}))
    for number in range(3, 40):
        buffer.store_trajectory(trajectory(number, metadata={"domain": "common"}))
    assert ids(buffer, range(40)) >= {0, 1, 2, 39}
    assert buffer.get_statistics().by_domain["rare"] == 3
    drawn = buffer.sample_trajectories(400).trajectories
    assert 0.4 < sum(each.domain == "rare" for each in drawn) / 400 < 0.6


def test_index_of_what_made_room_is_refused(make: Make) -> None:
    """A loss for what is gone is not given to what is in its place."""
    buffer = make(capacity=1)
    buffer.store_trajectory(trajectory(0))
    old = buffer.sample_trajectories(1).indexes
    buffer.store_trajectory(trajectory(1, metadata=trajectory(0).metadata))
    assert buffer.update_priorities(old, [9.0]) == old.tolist()
    entry = buffer.get_entry("t1")
    assert (entry.loss, entry.replay_count) == (None, 0)
    assert entry.index != old[0]
    nowhere = [-1, 0, 5, 1 << 62]
    assert buffer.update_priorities(nowhere, [1.0] * 4) == nowhere


def test_best_and_failed_come_in_order(make: Make) -> None:
    """The highest reward first, of one task or of all, and no more than were asked for."""
    buffer = make()
    for number in range(30):
        task = "find a price" if number < 20 else "place an order"
        reward = (number - 15) * 0.5
        buffer.store_trajectory(trajectory(number, task_description=task, reward=reward))
    best = [each.reward for each in buffer.get_successful_trajectories(top_n=4)]
    assert best == [6.5, 6.0, 5.0, 4.5]
    of_task = buffer.get_successful_trajectories("find a price", 3)
    assert [each.reward for each in of_task] == [2.0, 1.5, 0.5]
    failed = [each.reward for each in buffer.get_failed_trajectories("find a price")]
    assert failed == sorted(failed, reverse=True)
    assert failed == [(number - 15) * 0.5 for number in (17, 14, 11, 8, 5, 2)]
    assert buffer.get_successful_trajectories("nothing of the kind") == []


def test_evicted_ones_are_in_no_list(make: Make) -> None:
    """What made room is neither among the best nor among the failed."""
    buffer = make(capacity=3)
    for number in range(12):
        buffer.store_trajectory(trajectory(number, reward=-float(number), metadata={}))
    listed = [*buffer.get_successful_trajectories(), *buffer.get_failed_trajectories()]
    assert sorted(each.trajectory_id for each in listed) == ["t10", "t11", "t9"]
    buffer.store_trajectory(trajectory(0, metadata={}))
    assert buffer.get_trajectory("t0").reward == 0.0


def test_old_ones_are_pruned(make: Make, clock: Clock) -> None:
    """What was stored longer ago goes, by an age or a moment, and the rest stays."""
    buffer = make(capacity=16)
    for number in range(8):
        buffer.store_trajectory(trajectory(number, metadata={}))
        clock.advance(hours=1)
    assert buffer.prune_old_trajectories(timedelta(hours=9)) == 0
    assert buffer.prune_old_trajectories(timedelta(hours=5)) == 3
    assert ids(buffer, range(8)) == {3, 4, 5, 6, 7}
    assert buffer.prune_old_trajectories(clock() - timedelta(hours=1)) == 4
    assert buffer.get_statistics().total_trajectories == 1
    assert buffer.get_statistics().evicted == 0
    for strategy in ReplayStrategy:
        drawn = buffer.sample_trajectories(5, strategy).trajectories
        assert {each.trajectory_id for each in drawn} == {"t7"}
    buffer.store_trajectory(trajectory(1, metadata={}))
    assert ids(buffer, range(8)) == {1, 7}


def test_buffer_is_shared_and_lasts(make: Make, backend: str) -> None:
    """In tables another process sees all of it, priorities too; in memory it ends with its own."""
    name = f"buffer-{uuid4().hex}"
    first = make(name, capacity=32, strategy="prioritized_loss")
    first.store_trajectory(trajectory(1))
    first.update_priorities([first.get_entry("t1").index], [3.5])
    first.close()
    second = make(name, capacity=32, strategy="prioritized_loss")
    if backend == IN_MEMORY:
        assert second.get_statistics().total_trajectories == 0
        return
    entry = second.get_entry("t1")
    assert (entry.loss, entry.replay_count) == (3.5, 1)
    second.store_trajectory(trajectory(2))
    assert second.get_entry("t2").priority == pytest.approx(entry.priority)


def test_threads_may_do_all_at_once(make: Make) -> None:
    """Sixteen threads store, draw and tell: nothing is lost, and nothing is there twice."""
    buffer = make(capacity=1000, strategy="prioritized_loss")

    def work(thread: int) -> int:
        told = 0
        for number in range(6):
            buffer.store_trajectory(trajectory(100 * thread + number))
            batch = buffer.sample_trajectories(4)
            told += 4 - len(buffer.update_priorities(batch.indexes, [thread + 1.0] * 4))
        return told

    with ThreadPoolExecutor(16) as pool:
        told = sum(pool.map(work, range(16)))
    assert told == 16 * 6 * 4
    statistics = buffer.get_statistics()
    assert statistics.total_trajectories == 96
    assert sum(statistics.by_outcome.values()) == 96
    counts = [
        buffer.get_entry(f"t{100 * thread + number}").replay_count
        for thread in range(16)
        for number in range(6)
    ]
    assert sum(counts) == told


def test_all_are_iterated_once(make: Make) -> None:
    """Each trajectory that is there comes once, over many chunks; what made room does not."""
    buffer = make(capacity=32)
    assert list(buffer.iterate_trajectories()) == []
    given = {f"t{number}": trajectory(number) for number in range(40)}
    for each in given.values():
        buffer.store_trajectory(each)
    found = list(buffer.iterate_trajectories())
    assert len(found) == buffer.get_statistics().total_trajectories
    assert {each.trajectory_id: each for each in found}.items() <= given.items()
    assert {int(each.trajectory_id[1:]) for each in found} == ids(buffer, range(40))
    assert len(found) == len({each.trajectory_id for each in found})


def test_what_goes_while_all_are_iterated(make: Make) -> None:
    """A buffer may be written to meanwhile: what stays comes once, and nothing fails."""
    buffer = make(capacity=16)
    for number in range(12):
        buffer.store_trajectory(trajectory(number, metadata={}))
    iterated = buffer.iterate_trajectories()
    found = [next(iterated).trajectory_id]
    for number in range(12, 20):
        buffer.store_trajectory(trajectory(number, metadata={}))
    found += [each.trajectory_id for each in iterated]
    assert len(found) == len(set(found))
    stayed = ids(buffer, range(12))
    assert 0 < len(stayed) < 12
    assert set(found) >= {f"t{number}" for number in stayed}


def test_same_seed_draws_the_same(make: Make) -> None:
    """A buffer with a seed can be repeated."""
    drawn = []
    for _ in range(2):
        buffer = make(capacity=64, seed=11)
        for number in range(20):
            buffer.store_trajectory(trajectory(number))
        batch = buffer.sample_trajectories(16)
        drawn.append([each.trajectory_id for each in batch.trajectories])
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda buffer: buffer.sample_trajectories(0), "whole number from 1"),
        (lambda buffer: buffer.sample_trajectories(True), "whole number from 1"),
        (lambda buffer: buffer.sample_trajectories(2.0), "whole number from 1"),
        (lambda buffer: buffer.sample_trajectories(10**7), "at most 1,000,000"),
        (lambda buffer: buffer.sample_trajectories(1, "by_luck"), "mixed, domain_balanced"),
        (lambda buffer: buffer.sample_trajectories(1, beta=1.5), "from 0 to 1"),
        (lambda buffer: buffer.sample_trajectories(1, beta=float("nan")), "from 0 to 1"),
        (lambda buffer: buffer.update_priorities([1], [1.0, 2.0]), "one loss for each index"),
        (lambda buffer: buffer.update_priorities([1], [float("nan")]), "diverged"),
        (lambda buffer: buffer.update_priorities([1], [1e39]), "diverged"),
        (lambda buffer: buffer.update_priorities([1.5], [1.0]), "whole numbers"),
        (lambda buffer: buffer.update_priorities(["a"], [1.0]), "whole numbers"),
        (lambda buffer: buffer.update_priorities([1], ["much"]), "must be numbers"),
        (lambda buffer: buffer.store_trajectory({"reward": 1}), "is no Trajectory"),
        (lambda buffer: buffer.get_successful_trajectories(top_n=-1), "whole number from 1"),
    ],
    ids=[
        *("no draw", "bool", "float", "too many", "strategy", "beta", "beta nan", "lengths"),
        *("nan", "infinite", "index float", "index text", "loss text", "no trajectory", "top"),
    ],
)
def test_bad_input_is_refused(
    make: Make, call: Callable[[ReplayBuffer], object], words: str
) -> None:
    """Each mistake is told in words that say what to do."""
    with pytest.raises(InvalidInputError, match=words):
        call(make())
