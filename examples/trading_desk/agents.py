"""The three agents. Each looks at the past, may ask its memory, and makes a choice.

They are simple on purpose: the demo is about logging what agents decide, finding out what it
was worth, and remembering that. Nobody should trade on this.

Without advice from memory an agent follows its own rule. With advice it takes what memory
prefers where it would have taken what its rule scores best, and goes on exploring.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from examples.trading_desk.features import MONTH, WEEK, Features
from examples.trading_desk.memory import Advice, Advise, no_advice

SCOUT, STRATEGIST, RISK = AGENTS = ("scout", "strategist", "risk")

TRADING = ("momentum", "mean_reversion")
STRATEGIES = (*TRADING, "stay_out")
DULL = 0.8
"""Below this many ordinary moves nothing has happened that is worth a trade."""
EXPLORE = 0.1
"""How often the strategist tries a strategy at random, and the scout draws in spite of what
memory prefers, so that the log can go on teaching."""

SIZES = {"full": 1.0, "half": 0.5, "quarter": 0.25, "veto": 0.0}
TARGET_VOLATILITY = 0.25
DOUBTFUL = 0.4
"""A strategist less confident than this gets half the size."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What an agent chose, among what, and why.

    `propensity` is the probability with which it chose so, where chance had a part, and
    `patterns` are the ids of those that it was advised by.
    """

    options: tuple[str, ...]
    scores: Mapping[str, float]
    selected: str
    confidence: float
    rationale: str
    propensity: float | None = None
    tags: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


def scout(symbols: Mapping[str, Features], chance: Random, advise: Advise = no_advice) -> Choice:
    """Choose the symbol to look at: more likely the more unusual its last month was.

    With advice it takes what memory prefers, and draws as ever one time in ten.
    """
    scores = {name: seen.unusual(seen.return_20d, MONTH) for name, seen in symbols.items()}
    weights = {name: math.exp(score) for name, score in scores.items()}
    selected = chance.choices(list(weights), list(weights.values()))[0]
    advice, draws = advise(scores), True
    if advice:
        draws = chance.random() < EXPLORE
        selected = selected if draws else advice.preferred
    probability = weights[selected] / sum(weights.values())
    if advice:
        probability *= EXPLORE
        probability += 1 - EXPLORE if selected == advice.preferred else 0
    moved = f"{selected} moved {scores[selected]:.1f} times what its volatility explains"
    return Choice(
        options=tuple(symbols),
        scores=_rounded(scores),
        selected=selected,
        confidence=probability,
        propensity=probability,
        tags=("softmax",) if draws else ("exploit",),
        rationale=_advised(moved, advice),
        patterns=advice.patterns if advice else (),
    )


def strategist(seen: Features, chance: Random, advise: Advise = no_advice) -> Choice:
    """Choose a strategy: follow an unusual month, turn against an unusual week, or stay out."""
    scores = {
        "momentum": seen.unusual(seen.return_20d, MONTH),
        "mean_reversion": seen.unusual(seen.return_5d, WEEK),
        "stay_out": DULL,
    }
    advice = advise(scores)
    best = advice.preferred if advice else max(scores, key=scores.__getitem__)
    explores = chance.random() < EXPLORE
    selected = chance.choice(STRATEGIES) if explores else best
    by_chance = EXPLORE / len(STRATEGIES)
    return Choice(
        options=STRATEGIES,
        scores=_rounded(scores),
        selected=selected,
        confidence=scores[selected] / sum(scores.values()),
        propensity=by_chance + (1 - EXPLORE if selected == best else 0),
        tags=("explore" if explores else "exploit",),
        rationale=_advised(
            f"month {scores['momentum']:.1f}, week {scores['mean_reversion']:.1f}, "
            f"dull under {DULL}, in ordinary moves",
            advice,
        ),
        patterns=advice.patterns if advice else (),
    )


def direction(strategy: str, seen: Features) -> int:
    """Return which way a strategy trades: 1 buys, -1 sells short, 0 does neither."""
    move = {"momentum": seen.return_20d, "mean_reversion": -seen.return_5d, "stay_out": 0.0}
    return (move[strategy] > 0) - (move[strategy] < 0)


def risk(
    seen: Features, position: int, strategist_confidence: float, advise: Advise = no_advice
) -> Choice:
    """Choose how much of the desk's money a trade may use, or veto it."""
    weight = min(TARGET_VOLATILITY / seen.volatility, 1.0) if seen.volatility else 1.0
    reasons = [f"volatility {seen.volatility:.0%}"]
    if (seen.trend, position) in {("up", -1), ("down", 1)}:
        weight /= 2
        reasons.append(f"against a trend that is {seen.trend}")
    if strategist_confidence < DOUBTFUL:
        weight /= 2
        reasons.append("the strategist is in doubt")
    scores = {name: 1 - abs(size - weight) for name, size in SIZES.items()}
    advice = advise(scores)
    selected = advice.preferred if advice else max(scores, key=scores.__getitem__)
    return Choice(
        options=tuple(SIZES),
        scores=_rounded(scores),
        selected=selected,
        confidence=scores[selected],
        rationale=_advised(", ".join(reasons), advice),
        patterns=advice.patterns if advice else (),
    )


def _advised(reasons: str, advice: Advice | None) -> str:
    return f"{reasons}. {advice.because}" if advice else reasons


def _rounded(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: round(score, 6) for name, score in scores.items()}
