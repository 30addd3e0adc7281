"""The prices: real, aligned, and cut off at the present."""

from datetime import UTC, date, datetime

import pytest

from examples.trading_desk.prices import SYMBOLS, Market, read_market


@pytest.fixture(scope="module")
def market() -> Market:
    """Read the real prices once."""
    return read_market()


def test_all_four_symbols_end_on_the_same_day(market: Market) -> None:
    """The package ships four symbols from 2000 to 2013; GOOG was listed in 2004."""
    assert tuple(market.closes) == SYMBOLS
    assert (market.days[0], market.days[-1]) == (date(2000, 3, 1), date(2013, 3, 1))
    assert len(market.closes["IBM"]) == len(market.days)
    assert market.days[-len(market.closes["GOOG"])] == date(2004, 8, 19)


def test_a_split_is_not_a_loss(market: Market) -> None:
    """AAPL was split two for one on 2005-02-28; its holders lost nothing by it."""
    before = market.days.index(date(2005, 2, 25))
    assert abs(market.following_return("AAPL", before, 1)) < 0.05


def test_until_knows_nothing_later() -> None:
    """What is known at a close ends with it, for symbols listed then and not yet."""
    days = tuple(date(2024, 1, day) for day in range(1, 6))
    market = Market(days, {"OLD": (1.0, 2.0, 3.0, 4.0, 5.0), "NEW": (8.0, 9.0)})
    known = market.until(2)
    assert known.days == days[:3]
    assert known.closes == {"OLD": (1.0, 2.0, 3.0), "NEW": ()}
    assert market.until(3).closes["NEW"] == (8.0,)


def test_the_following_return_is_what_a_holder_earned() -> None:
    """From the close of the day to the close so many days later, as a fraction."""
    days = tuple(date(2024, 1, day) for day in range(1, 6))
    market = Market(days, {"OLD": (1.0, 2.0, 3.0, 4.0, 5.0), "NEW": (8.0, 10.0)})
    assert market.following_return("OLD", 1, 2) == 1.0
    assert market.following_return("NEW", 3, 1) == 0.25
    with pytest.raises(IndexError, match="NEW was not listed on 2024-01-02"):
        market.following_return("NEW", 1, 1)


def test_the_bell_rings_at_four_in_new_york(market: Market) -> None:
    """In winter that is 21:00 UTC, in summer 20:00."""
    winter, summer = date(2005, 1, 3), date(2005, 7, 1)
    assert market.close_of(market.days.index(winter)) == datetime(2005, 1, 3, 21, tzinfo=UTC)
    assert market.close_of(market.days.index(summer)) == datetime(2005, 7, 1, 20, tzinfo=UTC)
