"""What the desk's decisions were worth, beside doing nothing but holding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from statistics import fmean

from examples.trading_desk.desk import TradingDay
from examples.trading_desk.features import YEAR
from examples.trading_desk.plan import Plan
from examples.trading_desk.prices import Market


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A way of investing: what one dollar became, a point for each decision day."""

    name: str
    worth: Sequence[float]
    years: float

    @property
    def total(self) -> float:
        """The return over the whole time."""
        return self.worth[-1] - 1

    @property
    def yearly(self) -> float:
        """The return a year, compounded."""
        return float(max(self.worth[-1], 0.0) ** (1 / self.years)) - 1

    @property
    def worst_fall(self) -> float:
        """The largest loss from an earlier peak."""
        peaks = accumulate(self.worth, max)
        return min(now / peak - 1 for now, peak in zip(self.worth, peaks, strict=True))


def curves(market: Market, plan: Plan, desks: Mapping[str, Sequence[TradingDay]]) -> list[Curve]:
    """Return the desks' curves and those of two ways to invest without deciding anything.

    All desks traded on the same days.
    """
    days = next(iter(desks.values()))
    start = market.days.index(days[0].day)
    points = range(start, start + plan.every * (len(days) + 1), plan.every)
    years = plan.every * len(days) / YEAR
    held = [
        symbol
        for symbol, closes in market.closes.items()
        if len(closes) >= len(market.days) - start
    ]
    return [
        *(
            Curve(name=name, worth=_grown([day.desk_return for day in traded]), years=years)
            for name, traded in desks.items()
        ),
        Curve(
            name=f"buy and hold {', '.join(held)}",
            worth=[
                fmean(1 + market.following_return(symbol, start, point - start) for symbol in held)
                for point in points
            ],
            years=years,
        ),
        Curve(
            name="equal parts of all, rebalanced",
            worth=_grown([day.average_return for day in days]),
            years=years,
        ),
    ]


def _grown(returns: Sequence[float]) -> list[float]:
    return list(accumulate((1 + earned for earned in returns), mul, initial=1.0))
