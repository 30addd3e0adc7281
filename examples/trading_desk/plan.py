"""Which days the desk trades, and with which chance."""

from dataclasses import dataclass

from examples.trading_desk.features import LOOKBACK
from examples.trading_desk.prices import Market

AGENT_VERSION = "1"


class DeskError(Exception):
    """The demo cannot do what was asked; the message says why, in a sentence."""


@dataclass(frozen=True)
class Plan:
    """Every how many trading days the desk decides, how often at most, and the seed of chance.

    A position is held until the next decision. `days` takes the last ones.
    """

    every: int = 5
    days: int | None = None
    seed: int = 7

    @property
    def session_id(self) -> str:
        """What the decisions of this plan have in common. A repeated run has the same."""
        return f"trading-desk every={self.every} seed={self.seed} version={AGENT_VERSION}"

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
