"""What a trading agent sees of a market, drawn at random: ordinary JSON."""

import random


def quote(draw: random.Random) -> dict[str, object]:
    """Return what is known of one symbol, about 150 bytes."""
    return {
        "price": round(draw.uniform(10, 500), 2),
        "volume": draw.randrange(10**5, 10**8),
        "rsi": round(draw.uniform(0, 100), 1),
        "trend": draw.choice(["up", "down", "flat"]),
        "return_1d": draw.gauss(0, 0.02),
        "volatility": draw.random() / 10,
    }
