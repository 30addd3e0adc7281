"""Worlds with known truth, for measuring what learning finds in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.memory.learning import Lesson
from daybook.models import DecisionType, MemoryPattern
from daybook.models.identity import uuid_at

START = datetime(2026, 1, 1, tzinfo=UTC)
KIND = DecisionType.STRATEGY_SELECTION
AGENT = "bench-001"
CHOICES = ("momentum", "reversal", "carry", "hold")
FEATURES = 12
CATEGORIES = 4
_RATE = 600
_ABOUT = 0.04

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What contexts look like: how many features are categorical, and how numbers are spread.

    `spread` is uniform, normal or lognormal; `correlation` is that of any two features;
    `base` is the rate at which choices succeed.
    """

    categorical: int = 6
    spread: str = "uniform"
    correlation: float = 0.0
    base: float = 0.5

    @property
    def names(self) -> list[str]:
        """Dotted paths: the categorical features come first."""
        return [f"market.{'c' if f < self.categorical else 'x'}{f}" for f in range(FEATURES)]


@dataclass
class Contexts:
    """Contexts as columns: `numbers` and `categories` are [context, feature]."""

    shape: Shape
    numbers: Floats
    categories: NDArray[np.int64]

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: Shape, n: int) -> "Contexts":
        """Draw n contexts."""
        shared, own = rng.standard_normal((n, 1)), rng.standard_normal((n, FEATURES))
        normal = np.sqrt(shape.correlation) * shared + np.sqrt(1 - shape.correlation) * own
        uniform = (normal.argsort(0).argsort(0) + 0.5) / n
        numbers = {"uniform": uniform, "normal": normal, "lognormal": np.exp(normal)}
        return cls(shape, numbers[shape.spread], (uniform * CATEGORIES).astype(np.int64))

    def context(self, row: int) -> dict[str, Any]:
        """Return one context as an agent logs it."""
        values: dict[str, Any] = {
            f"c{f}": f"v{self.categories[row, f]}" for f in range(self.shape.categorical)
        }
        for f in range(self.shape.categorical, FEATURES):
            values[f"x{f}"] = float(self.numbers[row, f])
        return {"market": values}


@dataclass(frozen=True)
class Term:
    """One planted condition: `value` is a category's number or a cut."""

    feature: int
    op: str
    value: float

    def holds(self, contexts: Contexts) -> Bools:
        """Return for each context whether it holds."""
        if self.op == "eq":
            same: Bools = contexts.categories[:, self.feature] == self.value
            return same
        column = contexts.numbers[:, self.feature]
        above: Bools = column >= self.value
        return above if self.op == "ge" else ~above


@dataclass(frozen=True)
class Effect:
    """Where the terms hold, the choice succeeds more often by `lift`."""

    choice: int
    terms: tuple[Term, ...]
    lift: float

    def inside(self, contexts: Contexts) -> Bools:
        """Return for each context whether the effect holds in it."""
        inside: Bools = np.all([term.holds(contexts) for term in self.terms], axis=0)
        return inside

    @property
    def numeric(self) -> list[Term]:
        """The terms that are cuts."""
        return [term for term in self.terms if term.op != "eq"]

    def is_named_by(
        self, pattern: MemoryPattern, contexts: Contexts, tolerance: float = 0.1
    ) -> bool:
        """Whether a pattern has the same choice, direction, features, operators and categories.

        Cuts may be off by `tolerance`, a share of the feature's range.
        """
        names = contexts.shape.names
        wanted = {(names[term.feature], term.op): term for term in self.terms}
        found = {(c.feature, str(c.op)): c.value for c in pattern.conditions}
        direction = "success" if self.lift > 0 else "failure"
        same = pattern.choice == CHOICES[self.choice] and pattern.pattern_type == direction
        if not same or wanted.keys() != found.keys():
            return False
        return all(near(term, found[key], contexts, tolerance) for key, term in wanted.items())


def near(term: Term, value: Any, contexts: Contexts, tolerance: float = 0.1) -> bool:
    """Whether a value is the term's, or within so much of the feature's range."""
    if term.op == "eq":
        return bool(value == f"v{int(term.value)}")
    column = contexts.numbers[:, term.feature]
    return bool(abs(value - term.value) <= tolerance * (column.max() - column.min()))


@dataclass
class World:
    """Success rates by context and choice, and lessons drawn from them."""

    shape: Shape
    effects: list[Effect] = field(default_factory=list)

    def rates(self, contexts: Contexts) -> Floats:
        """Return [context, choice]."""
        rates = np.full((len(contexts.numbers), len(CHOICES)), self.shape.base)
        for effect in self.effects:
            rates[:, effect.choice] += effect.lift * effect.inside(contexts)
        clipped: Floats = np.clip(rates, 0.01, 0.99)
        return clipped


def lessons_of(
    rng: np.random.Generator,
    contexts: Contexts,
    choices: NDArray[np.int64],
    rates: Floats,
    since: datetime = START,
    per_day: int = _RATE,
) -> Iterator[Lesson]:
    """Yield what came of these choices, spread evenly over time."""
    success = rng.random(len(choices)) < rates[np.arange(len(choices)), choices]
    for row, choice in enumerate(choices):
        moment = since + timedelta(days=1) * row / per_day
        yield Lesson(
            uuid_at(moment, row),
            moment,
            (CHOICES[choice],),
            contexts.context(row),
            bool(success[row]),
        )


def plant(
    rng: np.random.Generator,
    contexts: Contexts,
    choices: NDArray[np.int64],
    kinds: str,
    lift: float,
    support: int = 300,
) -> Effect:
    """Plant one effect with so many outcomes of its choice inside.

    `kinds` has a letter for each condition, c for categorical and n for numeric. Cuts are moved
    until the support is right; a category's share is what it is, so without a cut the categories
    are thinned out, or filled, in the contexts. Raises ValueError when that many cannot be had.
    """
    categorical = contexts.shape.categorical
    picked = list(rng.permutation(categorical)[: kinds.count("c")])
    picked += list(categorical + rng.permutation(FEATURES - categorical)[: kinds.count("n")])
    choice = int(rng.integers(len(CHOICES)))
    ops = [("eq" if kind == "c" else str(rng.choice(["lt", "ge"]))) for kind in sorted(kinds)]
    # the share of each condition is moved until the support is right
    low, high = 0.0, 1.0
    terms: tuple[Term, ...] = ()
    for _ in range(40):
        share = (low + high) / 2
        terms = tuple(_term(contexts, f, op, share) for f, op in zip(picked, ops, strict=True))
        inside = Effect(choice, terms, lift).inside(contexts)
        if "n" not in kinds:
            break
        n = int((inside & (choices == choice)).sum())
        low, high = (share, high) if n < support else (low, share)
    if "n" not in kinds:
        _thin(contexts, terms, choices == choice, support, rng)
    effect = Effect(choice, terms, lift)
    n = int((effect.inside(contexts) & (choices == choice)).sum())
    if abs(n - support) > support * _ABOUT:
        raise ValueError(f"{n} outcomes inside instead of {support}")
    return effect


def _term(contexts: Contexts, feature: int, op: str, share: float) -> Term:
    if op == "eq":
        return Term(feature, op, 1)
    column = contexts.numbers[:, feature]
    return Term(feature, op, float(np.quantile(column, share if op == "lt" else 1 - share)))


def _thin(
    contexts: Contexts, terms: tuple[Term, ...], own: Bools, support: int, rng: np.random.Generator
) -> None:
    """Move contexts into or out of the categories until the support is right."""
    effect = Effect(0, terms, 0)
    for _ in range(200):
        n = int((effect.inside(contexts) & own).sum())
        if abs(n - support) <= support * _ABOUT / 2:
            return
        for term in terms:
            column = contexts.categories[:, term.feature]
            part = 0.02 if n > support else 0.01
            moved = rng.random(len(column)) < part
            if n > support:
                column[moved & (column == term.value)] = 0
            else:
                column[moved] = int(term.value)
