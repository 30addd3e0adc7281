"""A policy that follows `recall`, in a world that stays and in one that flips."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from bench.learning_trials import OUTCOMES, Learner
from bench.learning_worlds import (
    CHOICES,
    FEATURES,
    START,
    Contexts,
    Effect,
    Shape,
    Term,
    World,
    lessons_of,
)
from daybook.memory.ranking import Recollection, rank

PER_DAY = 600
DAYS = 60
EXPLORED = 0.1
_FRESH = 3000
_LIFTS = (0.2, 0.25, 0.3, -0.25, -0.3)


def choose(recalled: Sequence[Recollection], rng: np.random.Generator) -> int:
    """Choose as `rank` advises: by the most specific pattern of each choice, then by its rate."""
    if not recalled:
        return int(rng.integers(len(CHOICES)))
    # what a choice that no pattern speaks of is worth
    unknown = sum(each.pattern.baseline_rate for each in recalled) / len(recalled)
    specific = sorted(recalled, key=lambda each: -len(each.pattern.conditions))
    worth = {each.pattern.choice: each.pattern.success_rate for each in reversed(specific)}
    values = np.array([worth.get(choice, unknown) for choice in CHOICES])
    return int(rng.choice(np.flatnonzero(values == values.max())))


def eventful(rng: np.random.Generator, shape: Shape) -> World:
    """Return a world with six effects, of one and of two conditions, on random choices."""
    effects = []
    probe = Contexts.draw(rng, shape, 4000)
    for kinds in ("c", "n", "c", "n", "cn", "nn"):
        numeric = [
            int(f)
            for f in rng.choice(
                range(shape.categorical, FEATURES), kinds.count("n"), replace=False
            )
        ]
        terms = [
            Term(int(rng.integers(shape.categorical)), "eq", int(rng.integers(4)))
            for _ in range(kinds.count("c"))
        ]
        for feature in numeric:
            share = rng.uniform(0.2, 0.5) if len(kinds) == 1 else rng.uniform(0.4, 0.6)
            op = str(rng.choice(["lt", "ge"]))
            at = share if op == "lt" else 1 - share
            terms.append(Term(feature, op, float(np.quantile(probe.numbers[:, feature], at))))
        effects.append(
            Effect(int(rng.integers(len(CHOICES))), tuple(terms), float(rng.choice(_LIFTS)))
        )
    return World(shape, effects)


def share_of_oracle(
    learner: Learner, world: World, contexts: Contexts, rng: np.random.Generator
) -> float:
    """Return the policy's gain over choosing at random, as a share of the best possible gain."""
    rates = world.rates(contexts)
    now = START + timedelta(days=DAYS)
    chosen = [
        choose(rank(learner.live, contexts.context(row), now=now, limit=20), rng)
        for row in range(len(rates))
    ]
    gained = rates[np.arange(len(rates)), chosen].mean() - rates.mean()
    return float(gained / (rates.max(1).mean() - rates.mean()))


def followed(seed: int, shape: Shape) -> float:
    """Learn from a log of random choices, then follow recall in fresh contexts."""
    rng = np.random.default_rng([3, seed])
    world = eventful(rng, shape)
    contexts = Contexts.draw(rng, shape, OUTCOMES)
    choices = rng.integers(len(CHOICES), size=OUTCOMES)
    learner = Learner.new()
    learner.consolidate(
        list(lessons_of(rng, contexts, choices, world.rates(contexts))), START + timedelta(days=20)
    )
    return share_of_oracle(learner, world, Contexts.draw(rng, shape, _FRESH), rng)


class Recovery(NamedTuple):
    """Shares of the oracle's gain, and how long it took.

    `before` and `after` are of the last five days before the flip and of the life; `lowest` is
    the worst day after the flip; `days` pass until 85 % of `before` is reached again.
    """

    before: float
    lowest: float
    after: float
    days: int


def flipped(seed: int, shape: Shape, *, remember_retired: bool = True) -> Recovery:
    """Live for sixty days, following recall and exploring a tenth; every lift flips halfway."""
    rng = np.random.default_rng([4, seed])
    world = eventful(rng, shape)
    other = World(shape, [replace(effect, lift=-effect.lift) for effect in world.effects])
    learner = Learner.new()
    shares = []
    for day in range(DAYS):
        current = world if day < DAYS // 2 else other
        contexts = Contexts.draw(rng, shape, PER_DAY)
        rates = current.rates(contexts)
        now = START + timedelta(days=day)
        followed_choices = np.array(
            [
                choose(rank(learner.live, contexts.context(row), now=now, limit=20), rng)
                for row in range(PER_DAY)
            ]
        )
        gained = rates[np.arange(PER_DAY), followed_choices].mean() - rates.mean()
        shares.append(float(gained / (rates.max(1).mean() - rates.mean())))
        explored = rng.random(PER_DAY) < EXPLORED
        chosen = np.where(explored, rng.integers(len(CHOICES), size=PER_DAY), followed_choices)
        lessons = list(lessons_of(rng, contexts, chosen, rates, now, PER_DAY))
        learner.consolidate(lessons, now + timedelta(days=1))
        if not remember_retired:
            learner.patterns = {p.pattern_id: p for p in learner.live}
    half = DAYS // 2
    before = float(np.mean(shares[half - 5 : half]))
    again = [day for day in range(half, DAYS) if shares[day] >= 0.85 * before]
    return Recovery(
        before,
        min(shares[half:]),
        float(np.mean(shares[-5:])),
        again[0] - half if again else DAYS - half,
    )
