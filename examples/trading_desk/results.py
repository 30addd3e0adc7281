"""What came of each choice: judged by the return that really followed, and by nothing else."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True, kw_only=True)
class Result:
    """An outcome's facts. `quality` is 0 to 1; `details` always names the market's return."""

    success: bool
    quality: float
    details: Mapping[str, float]


def of_scout(returns: Mapping[str, float], chosen: str) -> Result:
    """Judge where the scout looked: there should be more going on than elsewhere.

    Its quality is the share of the other symbols that moved less.
    """
    moves = {symbol: abs(earned) for symbol, earned in returns.items()}
    others = [move for symbol, move in moves.items() if symbol != chosen]
    average = fmean(moves.values())
    return Result(
        success=moves[chosen] > average,
        quality=sum(move < moves[chosen] for move in others) / len(others) if others else 0.5,
        details={"return": returns[chosen], "average_move": average},
    )


def of_strategist(earned: float, position: int, forgone: int, ordinary_move: float) -> Result:
    """Judge a strategy by what it earns per unit of money; staying out by what it forgoes.

    `forgone` is the position that the best-scored trading strategy would have taken.
    """
    gain = position * earned if position else -forgone * earned
    return Result(
        success=gain > 0,
        quality=quality(gain, ordinary_move),
        details={"return": earned, "strategy_return": position * earned},
    )


def of_risk(earned: float, position: int, size: float, ordinary_move: float) -> Result:
    """Judge a size by what the trade earns, and a veto by what it prevents."""
    trade = position * earned
    gain = trade * size if size else -trade
    return Result(
        success=gain > 0,
        quality=quality(gain, ordinary_move),
        details={
            "return": earned,
            "trade_return": trade,
            "size": size,
            "desk_return": trade * size,
        },
    )


def quality(gain: float, ordinary_move: float) -> float:
    """Return 0 to 1 for a gain: a half for none, 0.73 for an ordinary move (logistic)."""
    if not ordinary_move:
        return 0.5
    return 1 / (1 + math.exp(-max(-50.0, min(gain / ordinary_move, 50.0))))
