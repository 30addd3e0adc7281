"""How a replay buffer draws, and how much it keeps."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field

from daybook.errors import InvalidInputError
from daybook.models.base import Record

LARGEST_CAPACITY = 100_000_000


class ReplayStrategy(StrEnum):
    """What the probability of a trajectory depends on."""

    UNIFORM = "uniform"
    PRIORITIZED_LOSS = "prioritized_loss"
    PRIORITIZED_RECENCY = "prioritized_recency"
    MIXED = "mixed"
    DOMAIN_BALANCED = "domain_balanced"


def checked_strategy(value: object) -> ReplayStrategy:
    """Return the strategy of this name, or raise InvalidInputError that lists the names."""
    if not isinstance(value, str) or value not in frozenset(ReplayStrategy):
        raise InvalidInputError(
            f"the strategy {value!r:.60} is unknown: use one of {', '.join(ReplayStrategy)}"
        )
    return ReplayStrategy(value)


def _checked_half_life(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("is no time: give a timedelta over 0")
    return value


Strategy = Annotated[ReplayStrategy, BeforeValidator(checked_strategy)]
HalfLife = Annotated[timedelta, AfterValidator(_checked_half_life)]


class ReplayConfig(Record, title="the replay configuration"):
    """How a replay buffer draws, and how much it keeps.

    The priority of a trajectory is `(|loss| + epsilon) ** alpha`, where alpha 0 draws uniformly
    and 1 in full proportion to the loss; a new one gets the highest priority so far. `beta` is
    the exponent of the importance weights: 1 corrects for the unequal draws in full, 0 not at all
    (Schaul et al., Prioritized Experience Replay, 2016, sections 3.3 and 3.4). `half_life` is how
    long it takes a trajectory to lose half of its probability by recency.
    """

    strategy: Strategy = ReplayStrategy.UNIFORM
    capacity: Annotated[int, Field(ge=1, le=LARGEST_CAPACITY)] = 100_000
    alpha: Annotated[float, Field(ge=0, le=4)] = 0.6
    beta: Annotated[float, Field(ge=0, le=1)] = 0.4
    epsilon: Annotated[float, Field(gt=0, le=1)] = 1e-6
    half_life: HalfLife = timedelta(days=1)
    seed: int | None = None

    @classmethod
    def fast(cls) -> Self:
        """Learn quickly from little: a small buffer, the latest first."""
        return cls(
            strategy=ReplayStrategy.PRIORITIZED_RECENCY,
            capacity=10_000,
            half_life=timedelta(hours=1),
        )

    @classmethod
    def stable(cls) -> Self:
        """Learn steadily: a large buffer, every trajectory alike."""
        return cls(strategy=ReplayStrategy.UNIFORM, capacity=1_000_000)

    @classmethod
    def prioritized(cls) -> Self:
        """Learn from what surprised most: by loss, with the exponents of Schaul et al."""
        return cls(strategy=ReplayStrategy.PRIORITIZED_LOSS, alpha=0.6, beta=0.4)

    @classmethod
    def balanced(cls) -> Self:
        """Learn every domain alike, and within each from what surprised most."""
        return cls(strategy=ReplayStrategy.DOMAIN_BALANCED)
