"""What a month's use is billed: by part, with what is free taken off once, over all of them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from daybook.costs.prices import PRICES, Meter
from daybook.costs.usage import Use, usage
from daybook.costs.workload import Workload


@dataclass(frozen=True)
class Line:
    """A part: what it uses, its price in dollars as if nothing were free, and what it costs."""

    part: str
    requests: float
    amounts: Mapping[Meter, float]
    full_dollars: float
    dollars: float


@dataclass(frozen=True)
class Bill:
    """A month's bill, a line for each part."""

    lines: tuple[Line, ...]

    @property
    def requests(self) -> float:
        """All requests."""
        return sum(line.requests for line in self.lines)

    @property
    def full_dollars(self) -> float:
        """What it would be if nothing were free."""
        return sum(line.full_dollars for line in self.lines)

    @property
    def dollars(self) -> float:
        """What it is."""
        return sum(line.dollars for line in self.lines)


def bill(workload: Workload, *, free_tier: bool = True) -> Bill:
    """Return the bill of a month.

    What AWS gives for nothing of a kind is taken off the sum of that kind and shared by its parts
    in proportion to their use; without `free_tier` nothing is, as where an account's other work
    has used it up.
    """
    uses = usage(workload)
    paid = _paid_shares(uses) if free_tier else dict.fromkeys(Meter, 1.0)
    return Bill(tuple(_line(use, paid) for use in uses))


def _paid_shares(uses: tuple[Use, ...]) -> dict[Meter, float]:
    """Return the share of each kind that is beyond what is free."""
    used: Counter[Meter] = Counter()
    for use in uses:
        used.update(use.amounts)
    return {
        meter: max(0.0, 1 - PRICES[meter].free / used[meter]) if used[meter] else 0.0
        for meter in Meter
    }


def _line(use: Use, paid: Mapping[Meter, float]) -> Line:
    full = {meter: PRICES[meter].of(amount) for meter, amount in use.amounts.items()}
    return Line(
        part=use.part,
        requests=use.requests,
        amounts={meter: amount for meter, amount in use.amounts.items() if amount},
        full_dollars=sum(full.values()),
        dollars=sum(dollars * paid[meter] for meter, dollars in full.items()),
    )
