"""The results: judged by what really followed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.trading_desk import results


def test_the_scout_is_right_where_more_happens() -> None:
    """A large fall is as interesting as a large rise."""
    returns = {"A": -0.10, "B": 0.02, "C": 0.01}
    right = results.of_scout(returns, "A")
    assert (right.success, right.quality) == (True, 1.0)
    assert right.details["return"] == -0.10
    assert results.of_scout(returns, "B").quality == 0.5
    assert not results.of_scout(returns, "C").success


def test_one_symbol_alone_is_no_choice() -> None:
    """With nothing else to look at, the scout is neither good nor bad."""
    assert results.of_scout({"A": 0.1}, "A").quality == 0.5


def test_a_short_position_earns_the_fall() -> None:
    """What the market loses, a short position gains."""
    short = results.of_strategist(-0.05, position=-1, forgone=-1, ordinary_move=0.05)
    assert short.success
    assert short.quality == pytest.approx(0.731, abs=0.001)
    assert short.details == {"return": -0.05, "strategy_return": 0.05}


def test_staying_out_is_right_when_the_trade_would_have_lost() -> None:
    """It is judged by what it forgoes, and earns nothing."""
    spared = results.of_strategist(-0.05, position=0, forgone=1, ordinary_move=0.05)
    missed = results.of_strategist(0.05, position=0, forgone=1, ordinary_move=0.05)
    assert (spared.success, missed.success) == (True, False)
    assert spared.details["strategy_return"] == 0


def test_a_veto_is_right_when_the_trade_loses() -> None:
    """And a size when it gains, in its proportion."""
    veto = results.of_risk(-0.05, position=1, size=0.0, ordinary_move=0.05)
    half = results.of_risk(0.04, position=1, size=0.5, ordinary_move=0.05)
    assert veto.success
    assert veto.details["desk_return"] == 0
    assert half.success
    assert half.details["desk_return"] == 0.02


@given(
    st.floats(min_value=-10, max_value=10),
    st.one_of(st.just(0.0), st.floats(min_value=1e-6, max_value=5)),
)
def test_quality_is_a_share(gain: float, ordinary_move: float) -> None:
    """0 to 1 for any gain, and on the side of a half that the gain is on."""
    quality = results.quality(gain, ordinary_move)
    assert 0 <= quality <= 1
    assert (quality - 0.5) * gain >= 0
