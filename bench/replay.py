"""Prioritized replay in memory, side by side with cpprb: batches and updates a second.

`python -m bench.replay` fills buffers with a million items, then draws batches of 32 by loss with
importance weights, and tells their losses, in turns. cpprb keeps rows of numbers in C++, and
Daybook trajectories as objects; both return what was stored. Exits with 1 when a bar is not met.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import cpprb
import numpy as np

from bench.machine import describe
from daybook import ActionStep, OutcomeTag, ReplayBuffer, ReplayConfig, ReplayStrategy, Trajectory

ITEMS = 1_000_000
BATCH = 32
ALPHA, BETA = 0.6, 0.4
SAMPLING_BAR = 0.7
"""Of cpprb's batches a second."""
FEATURES = 4


class Daybook:
    """`ReplayBuffer`, in memory."""

    name = "Daybook"

    def __init__(self, items: int) -> None:
        config = ReplayConfig(
            strategy=ReplayStrategy.PRIORITIZED_LOSS,
            capacity=items,
            alpha=ALPHA,
            beta=BETA,
            seed=1,
        )
        self._buffer = ReplayBuffer(config=config)
        small = Trajectory(
            agent_id="scout",
            task_description="find a price",
            steps=[ActionStep(tool_name="quote", timestamp=datetime(2026, 1, 1, tzinfo=UTC))],
            final_outcome=OutcomeTag.SUCCESS,
            reward=1.0,
        )
        for number in range(items):
            self._buffer.store_trajectory(small.model_copy(update={"trajectory_id": str(number)}))

    def sample(self) -> np.ndarray:
        """Draw a batch; return its indexes."""
        return self._buffer.sample_trajectories(BATCH).indexes

    def update(self, indexes: np.ndarray, losses: np.ndarray) -> None:
        """Tell the losses of a batch."""
        self._buffer.update_priorities(indexes, losses)


class Cpprb:
    """cpprb's `PrioritizedReplayBuffer`."""

    name = "cpprb"

    def __init__(self, items: int) -> None:
        row = {"shape": FEATURES}
        self._buffer = cpprb.PrioritizedReplayBuffer(
            items, {"obs": row, "act": {}, "rew": {}, "next_obs": row, "done": {}}, alpha=ALPHA
        )
        rows, ones = np.ones((items, FEATURES)), np.ones(items)
        self._buffer.add(obs=rows, act=ones, rew=ones, next_obs=rows, done=np.zeros(items))

    def sample(self) -> np.ndarray:
        """Draw a batch; return its indexes."""
        found: np.ndarray = self._buffer.sample(BATCH, beta=BETA)["indexes"]
        return found

    def update(self, indexes: np.ndarray, losses: np.ndarray) -> None:
        """Tell the losses of a batch."""
        self._buffer.update_priorities(indexes, losses)


def rate(work: Callable[[], object], times: int) -> float:
    """Return how often a second this is done."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return times / (time.perf_counter() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--times", type=int, default=5000, help="batches in each run")
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args(arguments)
    print(describe())
    rng = np.random.default_rng(1)
    buffers: list[Daybook | Cpprb] = [Daybook(asked.items), Cpprb(asked.items)]
    for buffer in buffers:  # losses that differ, before anything is timed
        for _ in range(asked.items // 1000):
            buffer.update(rng.integers(asked.items, size=1000), rng.gamma(0.5, size=1000))
    sampled: dict[str, list[float]] = {buffer.name: [] for buffer in buffers}
    updated: dict[str, list[float]] = {buffer.name: [] for buffer in buffers}
    for _ in range(asked.runs):
        for buffer in buffers:
            indexes, losses = buffer.sample(), rng.gamma(0.5, size=BATCH)
            sampled[buffer.name].append(rate(buffer.sample, asked.times))
            told = rate(lambda b=buffer, i=indexes, lo=losses: b.update(i, lo), asked.times)  # type: ignore[misc]
            updated[buffer.name].append(told)
    print(f"\nby loss, of {asked.items:,} items, batches of {BATCH} a second (ratio to cpprb)")
    for buffer in buffers:
        line = f"{buffer.name:12}"
        for what, found in (("drawn", sampled), ("told", updated)):
            own = statistics.median(found[buffer.name])
            ratio = own / statistics.median(found[Cpprb.name])
            line += f"   {what} {own:>9,.0f} ({ratio:.2f})"
        print(line)
    ours, theirs = (statistics.median(sampled[name]) for name in (Daybook.name, Cpprb.name))
    if ours / theirs < SAMPLING_BAR:
        print(f"\nsampling is {ours / theirs:.2f} of cpprb's, under {SAMPLING_BAR}")
        return 1
    print("\nthe bar is met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
