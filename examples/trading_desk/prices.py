"""Thirteen years of real daily prices, and no way to see tomorrow's.

The prices are the `adj_close` series of `bokeh-sampledata`: closing prices adjusted for splits
and dividends. The adjustment is made in hindsight, so the level of such a price is not
what a trader saw at the time; the ratio of two of them is the return a holder really had.
Everything here uses ratios only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
CLOSING_BELL = time(16, 0)
SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")


@dataclass(frozen=True)
class Market:
    """Closing prices of several symbols on the same days, oldest first.

    A symbol that was listed later has a shorter series, which ends on the same day.
    """

    days: tuple[date, ...]
    closes: Mapping[str, tuple[float, ...]]

    def until(self, day: int) -> "Market":
        """Return what was known at the close of a day: this market without what followed."""
        later = len(self.days) - (day + 1)
        return Market(
            self.days[: day + 1],
            {
                symbol: closes[: max(len(closes) - later, 0)]
                for symbol, closes in self.closes.items()
            },
        )

    def following_return(self, symbol: str, day: int, horizon: int) -> float:
        """Return what a share bought at the close of a day earned in the next days."""
        closes = self.closes[symbol]
        offset = day - (len(self.days) - len(closes))
        if offset < 0:
            raise IndexError(f"{symbol} was not listed on {self.days[day]}")
        return closes[offset + horizon] / closes[offset] - 1

    def close_of(self, day: int) -> datetime:
        """Return the moment at which a day's trading ended (the few half days included)."""
        return datetime.combine(self.days[day], CLOSING_BELL, tzinfo=NEW_YORK)


def read_market() -> Market:
    """Read the prices that `bokeh-sampledata` ships."""
    # the import reads the file, so it waits until the prices are asked for
    from bokeh_sampledata import stocks  # noqa: PLC0415

    series = {symbol: getattr(stocks, symbol) for symbol in SYMBOLS}
    days = max((listed["date"] for listed in series.values()), key=len)
    for symbol, listed in series.items():
        if listed["date"] != days[-len(listed["date"]) :]:
            raise ValueError(f"{symbol} was not traded on the same days as the others")
    return Market(
        tuple(date.fromisoformat(day) for day in days),
        {symbol: tuple(listed["adj_close"]) for symbol, listed in series.items()},
    )
