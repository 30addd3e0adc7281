"""Workloads that cannot be are refused, with every fault named; and prices are all there."""

import math
from typing import Any

import pytest

from daybook import InvalidInputError
from daybook.costs import PRICES, Meter, Workload
from daybook.costs.workload import DAYS_A_MONTH, HOURS_A_MONTH

FINE: dict[str, Any] = {"agents": 5, "cycles_per_day": 144, "decisions_per_cycle": 4}


@pytest.mark.parametrize(
    "wrong",
    [
        {"agents": 0},
        {"agents": -1},
        {"agents": 1.5},
        {"agents": True},
        {"agents": 10**9},
        {"cycles_per_day": 0},
        {"cycles_per_day": math.nan},
        {"cycles_per_day": math.inf},
        {"cycles_per_day": 100_000},
        {"decisions_per_cycle": 0},
        {"decision_kb": 0},
        {"decision_kb": 64_000},
        {"decision_kb": -math.inf},
        {"state_kb": 1e300},
        {"outcomes": 1.01},
        {"outcomes": "all"},
        {"recalls_per_cycle": -1},
        {"signals_per_cycle": math.nan},
        {"saves_per_cycle": -0.1},
        {"retention_days": 0},
        {"door": "window"},
        {"regions": 2},
    ],
)
def test_refused(wrong: dict[str, Any]) -> None:
    """One error, which names the field."""
    with pytest.raises(InvalidInputError) as caught:
        Workload.checked(**(FINE | wrong))
    assert [where for where, _ in caught.value.problems] == list(wrong)


def test_a_month_is_aws_s() -> None:
    """730 hours, a twelfth of a year."""
    assert pytest.approx(365 * 24 / 12) == HOURS_A_MONTH
    assert pytest.approx(30.4, abs=0.05) == DAYS_A_MONTH


def test_recalls() -> None:
    """One for each decision, unless it is said how many."""
    assert Workload(**FINE).recalls == Workload(**FINE).decisions
    assert Workload(**FINE, recalls_per_cycle=1).recalls == Workload(**FINE).cycles
    assert Workload(**FINE, recalls_per_cycle=0).recalls == 0


@pytest.mark.parametrize("meter", Meter)
def test_prices(meter: Meter) -> None:
    """Whatever is counted has a price, and the page of AWS's that tells it."""
    price = PRICES[meter]
    assert price.dollars > 0
    assert price.per >= 1
    assert price.free >= 0
    assert price.page.startswith("https://aws.amazon.com/")
    assert price.page.endswith("/")
    assert "pricing" in price.page
