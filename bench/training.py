"""What replay is worth to a tabular learner: steps of an environment until its optimum is reached.

`python -m bench.training` lets `QLearner` learn gymnasium's CliffWalking-v1 and Taxi-v4, without
replay and with ten trajectories replayed after each episode, over ten seeds. Replay is compared
with two learners without it. `none` differs in nothing else: learning rate, discount and epsilon
are the same. `tuned` has the rates that are best *without* replay, of all pairs in `RATES` and
`EPSILONS`, over seeds of their own (`--tune` prints that search). With that epsilon, 0.01, replay
is too sure too soon: two of the ten seeds then take longer in the taxi than without; so both have
0.1. After each episode the greedy policy is tried: on the cliff once, in the taxi over 300 seeded
episodes, at most every 250 steps (the first fifty may end a check that falls short by half a
point). The optimum is reached at the first of three checks in a row that meet the bar: -13, which
is the shortest way, and 7.5 on average. Seeds pair the arms: the same environment seed and the
same random numbers of the learner. Exits with 1 when uniform replay misses the optimum, or is not
faster than both with a two-sided sign test under 0.05.
"""

import argparse
import itertools
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, NamedTuple

import gymnasium

from bench.machine import describe
from daybook import QLearner, ReplayBuffer, ReplayConfig, ReplayStrategy, Transition

SEEDS = range(10)
TUNING_SEEDS = range(100, 105)
RATES = (0.3, 0.5, 0.7, 0.9, 1.0)
EPSILONS = (0.01, 0.05, 0.1, 0.2, 0.3)
IN_A_ROW = 3
LIKELY = 0.05
_FIRST_LOOK = 50
_FIRST_TRIAL = 1_000_000
"""Evaluation episodes have seeds from here on, which no training has."""


@dataclass(frozen=True)
class Task:
    """An environment, its bar, and how the arms learn it. `best` is the most an episode gives."""

    name: str
    bar: float
    best: float
    episodes: int
    check_every: int
    most_steps: int
    discount: float
    learning_rate: float
    epsilon: float


CLIFF = Task("CliffWalking-v1", -13.0, -13.0, 1, 1, 60_000, 1.0, 1.0, 0.1)
TAXI = Task("Taxi-v4", 7.5, 15.0, 300, 250, 400_000, 0.99, 1.0, 0.1)
TASKS = (CLIFF, TAXI)


class Arm(NamedTuple):
    """How much is replayed after each episode, and how it is drawn; an epsilon of its own."""

    name: str
    trajectories: int
    strategy: ReplayStrategy = ReplayStrategy.UNIFORM
    epsilon: float | None = None


WITHOUT = Arm("none", 0)
TUNED = Arm("tuned", 0, epsilon=0.01)
UNIFORM = Arm("uniform", 10)
BY_LOSS = Arm("by loss", 10, ReplayStrategy.PRIORITIZED_LOSS)


class Run(NamedTuple):
    """Steps of the environment and all updates until the optimum; None if it was missed."""

    steps: int | None
    updates: int
    seconds: float


def learn(task: Task, arm: Arm, seed: int) -> Run:
    """Let a learner learn until three checks in a row meet the bar, or its steps are used up."""
    began = time.monotonic()
    world = gymnasium.make(task.name, disable_env_checker=True)
    trials = gymnasium.make(task.name, max_episode_steps=200, disable_env_checker=True)
    config = ReplayConfig(strategy=arm.strategy, capacity=1000, seed=seed)
    learner = QLearner(
        range(int(world.action_space.n)),  # type: ignore[attr-defined]
        learning_rate=task.learning_rate,
        discount=task.discount,
        epsilon=task.epsilon if arm.epsilon is None else arm.epsilon,
        buffer=ReplayBuffer(config=config) if arm.trajectories else None,
        seed=seed,
    )
    world.reset(seed=seed)
    steps = checked_at = 0
    met: list[int] = []
    while steps < task.most_steps:
        steps += _play(world, learner)
        if arm.trajectories:
            learner.replay(arm.trajectories)
        if steps - checked_at >= task.check_every:
            checked_at = steps
            met = [*met, steps] if meets(task, learner, trials) else []
            if len(met) == IN_A_ROW:
                return Run(met[0], learner.steps_learned, time.monotonic() - began)
    return Run(None, learner.steps_learned, time.monotonic() - began)


def _play(world: gymnasium.Env[Any, Any], learner: QLearner) -> int:
    """Learn from one episode; return its steps."""
    state, _ = world.reset()
    for count in itertools.count(1):
        action = learner.choose(state)
        next_state, reward, terminated, truncated, _ = world.step(action)
        step = Transition(state, action, float(reward), next_state, terminated, truncated)
        learner.learn(step)
        if step.done:
            return count
        state = next_state
    raise AssertionError  # which nothing reaches


def meets(task: Task, learner: QLearner, trials: gymnasium.Env[Any, Any]) -> bool:
    """Whether the greedy policy meets the bar, on average over the episodes of a check."""
    total = 0.0
    for episode in range(task.episodes):
        state, _ = trials.reset(seed=_FIRST_TRIAL + episode)
        done = False
        while not done:
            state, reward, terminated, truncated, _ = trials.step(learner.best_action(state))
            total += float(reward)
            done = terminated or truncated
        left = task.episodes - episode - 1
        if total + task.best * left < task.bar * task.episodes:
            return False  # what is left cannot make up for it
        if episode + 1 == _FIRST_LOOK and total < (task.bar - 0.5) * _FIRST_LOOK:
            return False
    return total >= task.bar * task.episodes


def sign_test(wins: int, losses: int) -> float:
    """Return how likely a split this uneven is by chance, two-sided; ties are left out."""
    count = wins + losses
    tail = sum(math.comb(count, k) for k in range(max(wins, losses), count + 1))
    return min(1.0, 2.0 * tail / 2.0**count)


def is_faster(runs: Sequence[Run], without: Sequence[Run], name: str) -> bool:
    """Print how paired runs compare; whether all arrived, and these faster than chance allows.

    A run without replay that missed the optimum has lost, and has no ratio.
    """
    pairs = [(a.steps, b.steps) for a, b in zip(runs, without, strict=True)]
    wins = sum(a is not None and (b is None or a < b) for a, b in pairs)
    losses = sum(b is not None and (a is None or b < a) for a, b in pairs)
    ratios = [a / b for a, b in pairs if a is not None and b is not None]
    chance = sign_test(wins, losses)
    middle = f"{median(ratios):.2f}" if ratios else "-"
    print(f"    beside {name}: fewer steps in {wins} of {len(pairs)}, p {chance:.4f}, x {middle}")
    return all(a is not None for a, _ in pairs) and wins > losses and chance < LIKELY


def row(arm: Arm, runs: Sequence[Run]) -> str:
    """Return a line of the table: the median, then each seed's steps."""
    reached = [run.steps for run in runs if run.steps is not None]
    middle = f"{median(reached):,.0f}" if len(reached) == len(runs) else "missed"
    updates = f"{median(run.updates for run in runs):,.0f}"
    each = " ".join("missed" if run.steps is None else f"{run.steps:>6}" for run in runs)
    seconds = sum(run.seconds for run in runs)
    return f"  {arm.name:<8} {middle:>8} {updates:>10} {seconds:>6.1f}  {each}"


def compare(task: Task, seeds: Sequence[int]) -> bool:
    """Run all arms over the seeds, print the table; whether uniform replay beat both."""
    print(
        f"{task.name}: learning rate {task.learning_rate}, epsilon {task.epsilon} (tuned: "
        f"{TUNED.epsilon}), discount {task.discount}; steps to {task.bar:g}"
    )
    print(f"  {'replay':<8} {'median':>8} {'updates':>10} {'sec':>6}  by seed")
    runs: dict[Arm, list[Run]] = {}
    faster = {}
    for arm in (WITHOUT, TUNED, UNIFORM, BY_LOSS):
        runs[arm] = [learn(task, arm, seed) for seed in seeds]
        print(row(arm, runs[arm]), flush=True)
        if arm.trajectories:
            beside = [is_faster(runs[arm], runs[each], each.name) for each in (WITHOUT, TUNED)]
            faster[arm] = all(beside)
    return faster[UNIFORM]


def tune(task: Task) -> None:
    """Print the median steps without replay for each pair of rates, and the best.

    A miss counts as all the steps that were allowed.
    """
    found: dict[tuple[float, float], float] = {}
    print(f"{task.name} without replay: median steps over seeds {TUNING_SEEDS}; across: epsilon")
    print("   rate " + "".join(f"{epsilon:>9}" for epsilon in EPSILONS))
    for rate in RATES:
        for epsilon in EPSILONS:
            tried = replace(task, learning_rate=rate, epsilon=epsilon)
            steps = [learn(tried, WITHOUT, seed).steps or task.most_steps for seed in TUNING_SEEDS]
            found[rate, epsilon] = median(steps)
        medians = "".join(f"{found[rate, epsilon]:>9,.0f}" for epsilon in EPSILONS)
        print(f"{rate:>7} {medians}", flush=True)
    rate, epsilon = min(found, key=lambda pair: found[pair])
    print(f"best: learning rate {rate}, epsilon {epsilon}")


def main() -> int:
    """Compare the arms on both environments; return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tune", action="store_true", help="search the rates anew, before")
    is_to_tune = parser.parse_args().tune
    print(describe())
    if is_to_tune:
        for task in TASKS:
            tune(task)
    faster = [compare(task, SEEDS) for task in TASKS]
    print("replay needs fewer steps" if all(faster) else "a bar is missed")
    return int(not all(faster))


if __name__ == "__main__":
    sys.exit(main())
