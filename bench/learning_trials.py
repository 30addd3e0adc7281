"""Trials of what is learned from a log whose choices were made at random."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from bench.learning_oracle import likeliest_cuts
from bench.learning_worlds import (
    AGENT,
    CHOICES,
    KIND,
    START,
    Contexts,
    Shape,
    World,
    lessons_of,
    near,
    plant,
)
from daybook.memory.learning import Knowledge, Lesson, evolve
from daybook.memory.learning.evolution import PatternChange
from daybook.models import MemoryPattern

OUTCOMES = 10_000
LIFT = 0.2


@dataclass
class Learner:
    """Knowledge and patterns, as the consolidation job keeps them."""

    knowledge: Knowledge
    patterns: dict[str, MemoryPattern]

    @classmethod
    def new(cls) -> "Learner":
        """Return a learner that knows nothing."""
        return cls(Knowledge(), {})

    def consolidate(self, lessons: Sequence[Lesson], now: datetime) -> list[PatternChange]:
        """Learn from these lessons and let the patterns evolve."""
        self.knowledge.learn(lessons)
        changes = evolve(
            self.knowledge,
            list(self.patterns.values()),
            agent_id=AGENT,
            decision_type=KIND,
            now=now,
        )
        self.patterns |= {change.after.pattern_id: change.after for change in changes}
        return changes

    @property
    def live(self) -> list[MemoryPattern]:
        """The patterns in use."""
        return [pattern for pattern in self.patterns.values() if not pattern.retired_at]


def noise(seed: int, shape: Shape, looks: int = 1) -> bool:
    """Whether pure noise yields no pattern, at any of so many evenly spread looks."""
    rng = np.random.default_rng([1, seed])
    contexts = Contexts.draw(rng, shape, OUTCOMES)
    choices = rng.integers(len(CHOICES), size=OUTCOMES)
    lessons = list(lessons_of(rng, contexts, choices, World(shape).rates(contexts)))
    learner = Learner.new()
    size = OUTCOMES // looks
    for start in range(0, OUTCOMES, size):
        batch = lessons[start : start + size]
        if learner.consolidate(batch, batch[-1].decided_at + timedelta(hours=1)):
            return False
    return True


@dataclass(frozen=True)
class Planted:
    """One planted effect: named right, also with close cuts, and how many others were found.

    `oracle` is whether one who knows all but the cuts would place them closely.
    """

    right: bool
    close: bool
    oracle: bool
    extra: int


def planted(seed: int, shape: Shape, kinds: str, looks: int = 1, support: int = 300) -> Planted:
    """Plant one effect, better on even seeds and worse on odd ones, learn, and compare."""
    rng = np.random.default_rng([2, seed])
    contexts = Contexts.draw(rng, shape, OUTCOMES)
    choices = rng.integers(len(CHOICES), size=OUTCOMES)
    effect = plant(rng, contexts, choices, kinds, -LIFT if seed % 2 else LIFT, support)
    world = World(shape, [effect])
    lessons = list(lessons_of(rng, contexts, choices, world.rates(contexts)))
    learner = Learner.new()
    size = OUTCOMES // looks
    for start in range(0, OUTCOMES, size):
        learner.consolidate(lessons[start : start + size], START + timedelta(days=30))
    right = [p for p in learner.live if effect.is_named_by(p, contexts, tolerance=1.0)]
    close = [p for p in right if effect.is_named_by(p, contexts)]
    success = np.array([lesson.success for lesson in lessons])
    cuts = likeliest_cuts(effect, contexts, shape.base, choices, success)
    oracle = all(near(term, cut, contexts) for term, cut in zip(effect.numeric, cuts, strict=True))
    return Planted(bool(right), bool(close), oracle, len(learner.live) - len(right))
