"""Which days the desk trades, in which parts, and with which chance."""

from dataclasses import dataclass
from itertools import groupby

from examples.trading_desk.features import LOOKBACK
from examples.trading_desk.prices import Market

AGENT_VERSION = "2"
TAG = "trading-desk"
"""What marks every decision of this demo."""


class DeskError(Exception):
    """The demo cannot do what was asked; the message says why, in a sentence."""


@dataclass(frozen=True)
class Plan:
    """Every how many trading days the desk decides, how often at most, and the seed of chance.

    A position is held until the next decision. `days` takes the last ones. The first half of
    the days is traded without memory, the second half with it.
    """

    every: int = 5
    days: int | None = None
    seed: int = 7

    @property
    def session_id(self) -> str:
        """What the decisions of this plan have in common. A repeated run has the same."""
        days = self.days or "all"
        return f"{TAG} every={self.every} days={days} seed={self.seed} version={AGENT_VERSION}"

    def decision_days(self, market: Market) -> list[int]:
        """Return the days to decide on, oldest first; each has a past and a known sequel.

        Raises DeskError when there is none.
        """
        days = list(range(LOOKBACK - 1, len(market.days) - self.every, self.every))
        if not days:
            raise DeskError(
                f"{len(market.days)} days of prices hold no decision every {self.every} days: "
                "use a smaller --every."
            )
        return days[-self.days :] if self.days else days

    def halves(self, market: Market) -> tuple[list[int], list[list[int]]]:
        """Return the first half of the days, and the second half year by year.

        Raises DeskError when there are fewer than two days.
        """
        days = self.decision_days(market)
        if len(days) < 2:  # noqa: PLR2004 - two halves
            raise DeskError("One day has no halves: use --days 2 or more, or a smaller --every.")
        middle = len(days) // 2
        later = groupby(days[middle:], key=lambda day: market.days[day].year)
        return days[:middle], [list(together) for _, together in later]
