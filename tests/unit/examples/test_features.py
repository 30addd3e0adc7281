"""The features: numbers of the past."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.trading_desk.features import LOOKBACK, features_of

closes = st.lists(
    st.floats(min_value=0.5, max_value=500.0), min_size=LOOKBACK, max_size=LOOKBACK + 20
)


def test_too_short_a_past_has_no_features() -> None:
    """A symbol listed a few weeks ago is not looked at."""
    assert features_of([1.0] * (LOOKBACK - 1)) is None
    assert features_of([1.0] * LOOKBACK) is not None


def test_steady_growth() -> None:
    """One per cent a day: no volatility, an upward trend, and the returns of compounding."""
    seen = features_of([1.01**day for day in range(LOOKBACK)])
    assert seen is not None
    assert seen.return_1d == pytest.approx(0.01)
    assert seen.return_5d == pytest.approx(1.01**5 - 1)
    assert seen.return_20d == pytest.approx(1.01**20 - 1)
    assert seen.volatility == pytest.approx(0.0, abs=1e-9)
    assert seen.trend == "up"
    assert seen.ma_60_gap > seen.ma_20_gap > 0


def test_volatility_is_annualised() -> None:
    """Days of plus and minus two per cent by turns make about 32 % a year."""
    prices = [100.0]
    for day in range(LOOKBACK - 1):
        prices.append(prices[-1] * (1.02 if day % 2 else 0.98))
    seen = features_of(prices)
    assert seen is not None
    assert seen.volatility == pytest.approx(0.02 * math.sqrt(252), rel=0.05)
    assert seen.ordinary_move(252) == seen.volatility


def test_a_dead_market_is_never_unusual() -> None:
    """Without volatility there is nothing to measure a move by, and no division by zero."""
    seen = features_of([7.0] * LOOKBACK)
    assert seen is not None
    assert seen.unusual(seen.return_20d, 20) == 0.0
    assert seen.trend == "sideways"


@given(closes, st.floats(min_value=0.01, max_value=100.0))
def test_only_ratios_count(past: list[float], factor: float) -> None:
    """A later split scales the whole past of an adjusted price; no feature may see that."""
    seen, scaled = features_of(past), features_of([price * factor for price in past])
    assert seen is not None
    assert scaled is not None
    for name in ("return_1d", "return_20d", "volatility", "ma_20_gap", "ma_60_gap"):
        assert getattr(scaled, name) == pytest.approx(getattr(seen, name), rel=1e-6, abs=1e-9)


@given(closes)
def test_the_context_is_plain_json(past: list[float]) -> None:
    """Numbers are finite and words are words, so that Daybook takes them."""
    seen = features_of(past)
    assert seen is not None
    context = seen.as_context()
    assert context.pop("trend") in {"up", "down", "sideways"}
    assert all(isinstance(value, float) and math.isfinite(value) for value in context.values())
