"""What the direct door cost: capacity as DynamoDB counts it, at the list price."""

from dataclasses import dataclass
from datetime import date

from rich.console import Console

from daybook.store.capacity import CapacityMeter
from examples.trading_desk.report import table
from examples.trading_desk.wiring import Wiring

MILLION = 1_000_000


@dataclass(frozen=True)
class PriceList:
    """DynamoDB's on-demand prices, in dollars for a million request units."""

    region: str
    since: date
    writes: float
    reads: float

    def dollars(self, write_units: float, read_units: float) -> float:
        """Return what these units cost."""
        return (write_units * self.writes + read_units * self.reads) / MILLION


PRICES = PriceList("us-east-1", date(2024, 11, 1), writes=0.625, reads=0.125)


@dataclass(frozen=True)
class Costs:
    """What logging took: the meters that ran while decisions and while outcomes were logged.

    `entries` is how many of each there were.
    """

    decisions: CapacityMeter
    outcomes: CapacityMeter
    entries: int

    @property
    def write_units(self) -> float:
        """Write units in all, indexes included."""
        return self.decisions.write_units + self.outcomes.write_units

    @property
    def read_units(self) -> float:
        """Read units in all."""
        return self.decisions.read_units + self.outcomes.read_units

    @property
    def requests(self) -> int:
        """Requests to DynamoDB."""
        return self.decisions.requests.total() + self.outcomes.requests.total()


def show_costs(console: Console, costs: Costs, *, repeated: int) -> None:
    """Show what the direct door cost, a decision and an outcome and in all."""
    shown = table("What the direct door cost", "", "requests", "write units", "read units")
    for name, meter in (("a decision", costs.decisions), ("an outcome", costs.outcomes)):
        shown.add_row(
            name,
            f"{meter.requests.total() / costs.entries:.2f}",
            f"{meter.write_units / costs.entries:.2f}",
            f"{meter.read_units / costs.entries:.2f}",
        )
    shown.add_row(
        f"{costs.entries:,} of both",
        f"{costs.requests:,}",
        f"{costs.write_units:,.0f}",
        f"{costs.read_units:,.0f}",
    )
    console.print(shown)
    console.print(
        f"That is ${PRICES.dollars(costs.write_units, costs.read_units):.5f} at DynamoDB's "
        f"on-demand prices ({PRICES.region}, since {PRICES.since:%B %Y}: ${PRICES.writes} a "
        f"million write units, ${PRICES.reads} a million read units). Each decision here has a "
        "parent, for one unit, and is logged years late, which leaves a late mark, for two more "
        "units and a request. The local platform counts the units, by DynamoDB's rules.",
        style="dim",
    )
    if repeated:
        console.print(
            f"{repeated:,} of all decisions were in the log before. DynamoDB bills a refused "
            "write and does not report its units, so these figures are too low: the first run's "
            "are right.",
            style="yellow",
        )


def show_traffic(console: Console, wiring: Wiring) -> None:
    """Say what went through the doors that have no meter."""
    scout, risk = wiring.scout_door, wiring.risk_door
    console.print(
        f"{scout.name}: {scout.requests:,} requests, each signed and carried out by the function "
        f"agent-api. {risk.name}: {risk.messages:,} messages in {risk.requests:,} requests, "
        "carried out by decision-queue; no dead letters. Their functions write as the SDK does.\n",
        style="dim",
    )
