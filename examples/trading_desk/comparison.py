"""Did recall help? Two desks on the same days with the same dice, compared day by day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

from examples.trading_desk.agents import AGENTS
from examples.trading_desk.desk import TradingDay
from examples.trading_desk.features import YEAR

QUESTIONS = len(AGENTS) + 1
"""Each agent's success, and the desk's money."""
CHANCE = 0.05
"""The chance of finding a difference anywhere where there is none, shared by the questions."""
ERRORS = NormalDist().inv_cdf(1 - CHANCE / QUESTIONS / 2)
"""So many standard errors (2.5) a difference must be away from none (Bonferroni)."""


@dataclass(frozen=True)
class Estimate:
    """A number from data, and its standard error."""

    value: float
    error: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether it is further from 0 than chance explains."""
        return abs(self.value) > ERRORS * self.error


def success_rate(days: Sequence[TradingDay], agent_id: str) -> Estimate | None:
    """Return an agent's success rate with its binomial error; None when it decided nothing."""
    n, successes = map(sum, zip(*(_counts(day, agent_id) for day in days), strict=True))
    if not n:
        return None
    rate = successes / n
    return Estimate(rate, math.sqrt(rate * (1 - rate) / n))


def success_difference(
    with_recall: Sequence[TradingDay], without: Sequence[TradingDay], agent_id: str
) -> Estimate | None:
    """Return by how much the agent's success rate is higher with recall, day against day.

    Both are ratios of sums over the same days, for an agent need not decide on each day. The
    error is the delta method's: the spread of each day's part in the difference.
    """
    pairs = [
        (_counts(one, agent_id), _counts(other, agent_id))
        for one, other in zip(with_recall, without, strict=True)
    ]
    sums = [[sum(pair[desk][at] for pair in pairs) for at in (0, 1)] for desk in (0, 1)]
    if not (sums[0][0] and sums[1][0]):
        return None
    rates = [successes / n for n, successes in sums]
    parts = [
        sum(
            sign * (pair[desk][1] - rates[desk] * pair[desk][0]) / sums[desk][0]
            for desk, sign in ((0, 1), (1, -1))
        )
        for pair in pairs
    ]
    return Estimate(rates[0] - rates[1], math.sqrt(len(parts)) * _spread(parts))


def yearly_difference(
    with_recall: Sequence[TradingDay], without: Sequence[TradingDay], every: int
) -> Estimate:
    """Return by how much more the desk earned a year with recall, not compounded."""
    gained = [
        one.desk_return - other.desk_return
        for one, other in zip(with_recall, without, strict=True)
    ]
    a_year = YEAR / every
    return Estimate(fmean(gained) * a_year, _spread(gained) / math.sqrt(len(gained)) * a_year)


def verdict(differences: dict[str, Estimate | None]) -> str:
    """Say in one sentence what recall did, for each question by its name."""
    found: dict[str, list[str]] = {"helped": [], "hurt": [], "made no difference": []}
    for name, difference in differences.items():
        if difference is None or not difference.is_beyond_chance:
            found["made no difference"].append(name)
        else:
            found["helped" if difference.value > 0 else "hurt"].append(name)
    said = [f"helped {_listed(found['helped'])}"] if found["helped"] else []
    said += [f"hurt {_listed(found['hurt'])}"] if found["hurt"] else []
    if found["made no difference"]:
        said.append(f"made no difference beyond chance to {_listed(found['made no difference'])}")
    return f"Recall {_listed(said)}."


def _counts(day: TradingDay, agent_id: str) -> tuple[int, int]:
    """Return how often the agent decided on this day, and how often it was right."""
    own = [entry.outcome.success for entry in day.entries if entry.agent_id == agent_id]
    return len(own), sum(own)


def _spread(numbers: Sequence[float]) -> float:
    return stdev(numbers) if len(numbers) > 1 else math.inf


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
