"""Intervals of a rate: how much a share of few outcomes is worth."""

import math

_Z = 1.959963984540054


def lower_bound(n: float, successes: float) -> float:
    """Return the lower end of the Wilson score interval at 95 % (Wilson 1927)."""
    if n <= 0:
        return 0.0
    rate = successes / n
    middle = rate + _Z * _Z / (2 * n)
    spread = _Z * math.sqrt(rate * (1 - rate) / n + _Z * _Z / (4 * n * n))
    return min(max((middle - spread) / (1 + _Z * _Z / n), 0.0), 1.0)
