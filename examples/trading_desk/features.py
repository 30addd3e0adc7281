"""What an agent knows about a symbol at the close: numbers from its past and nothing else."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import fmean, stdev

WEEK, MONTH, QUARTER = 5, 20, 60
"""In trading days."""
YEAR = 252
LOOKBACK = QUARTER + 1
"""How many closes the features need."""


@dataclass(frozen=True)
class Features:
    """A symbol at the close of a day.

    Returns are fractions (0.02 is 2 %). `volatility` is the standard deviation of the last
    month's daily returns, annualised. The gaps are the distance of the close from its moving
    averages over a month and a quarter. `trend` is `up` when the close is over both and the
    short average over the long one, `down` for the opposite, otherwise `sideways`.
    """

    return_1d: float
    return_5d: float
    return_20d: float
    volatility: float
    ma_20_gap: float
    ma_60_gap: float
    trend: str

    def as_context(self) -> dict[str, float | str]:
        """Return the features as JSON, rounded to what is worth reading."""
        return {
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }

    def ordinary_move(self, days: int) -> float:
        """Return the size of move that this volatility makes ordinary over some days."""
        return self.volatility * math.sqrt(days / YEAR)

    def unusual(self, move: float, days: int) -> float:
        """Return how large a move over some days was, in ordinary moves; 0 in a dead market."""
        ordinary = self.ordinary_move(days)
        return abs(move) / ordinary if ordinary else 0.0


def features_of(closes: Sequence[float]) -> Features | None:
    """Return the features at the last of these closes, or None when there are too few."""
    if len(closes) < LOOKBACK:
        return None
    recent = closes[-LOOKBACK:]
    now = recent[-1]
    daily = [after / before - 1 for before, after in pairwise(recent[-MONTH - 1 :])]
    month, quarter = fmean(recent[-MONTH:]), fmean(recent[-QUARTER:])
    return Features(
        return_1d=now / recent[-2] - 1,
        return_5d=now / recent[-WEEK - 1] - 1,
        return_20d=now / recent[-MONTH - 1] - 1,
        volatility=stdev(daily) * math.sqrt(YEAR),
        ma_20_gap=now / month - 1,
        ma_60_gap=now / quarter - 1,
        trend=_trend(now, month, quarter),
    )


def _trend(close: float, month: float, quarter: float) -> str:
    if close > month > quarter:
        return "up"
    return "down" if close < month < quarter else "sideways"
