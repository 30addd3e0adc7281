"""A day at the desk: three decisions, each with its parent, and what came of them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from random import Random
from statistics import fmean
from time import perf_counter
from typing import Any

from daybook import DecisionType, new_decision_id
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from examples.trading_desk import agents, results
from examples.trading_desk.agents import RISK, SCOUT, STRATEGIST, Choice
from examples.trading_desk.features import Features, features_of
from examples.trading_desk.memory import Guide, no_memory
from examples.trading_desk.plan import AGENT_VERSION, TAG, Plan
from examples.trading_desk.prices import Market
from examples.trading_desk.results import Result

Context = dict[str, Any]

TYPES = {
    SCOUT: DecisionType.SOURCE_SELECTION,
    STRATEGIST: DecisionType.STRATEGY_SELECTION,
    RISK: DecisionType.RISK_ASSESSMENT,
}
SIDES = {1: "buy", -1: "sell", 0: "nothing"}


@dataclass(frozen=True, kw_only=True)
class Made:
    """A decision as it was made, and the milliseconds that took (None: nobody knows any more)."""

    agent_id: str
    decision: DecisionDraft
    latency_ms: float | None

    @property
    def selected(self) -> str:
        """The choice."""
        return self.decision.selected[0]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A decision of one agent, and the outcome that is logged once the market has moved."""

    agent_id: str
    decision: DecisionDraft
    outcome: OutcomeDraft

    @property
    def decision_id(self) -> str:
        """The id of the decision."""
        return self.outcome.decision_id


@dataclass(frozen=True, kw_only=True)
class TradingDay:
    """What the desk decided on a day, and what it earned until the next.

    `desk_return` is on all of the desk's money, `average_return` that of all symbols.
    """

    day: date
    entries: tuple[Entry, ...]
    desk_return: float
    average_return: float


def trade(market: Market, plan: Plan, day: int, guide: Guide = no_memory) -> TradingDay:
    """Let the three agents decide at the close of a day, and look up what followed."""
    return judge(market, plan, day, decide(market.until(day), plan, guide))


def decide(known: Market, plan: Plan, guide: Guide = no_memory) -> list[Made]:
    """Let the three agents decide at the last close that is known.

    The risk agent is asked only when the strategist wants to trade. What an agent may recall
    by is all that it logs as its context.
    """
    at = _Desk(plan, known.close_of(-1))
    listed = _listed(known)
    volatility = {symbol: features.volatility for symbol, features in listed.items()}
    context: Context = {
        "market": {symbol: features.as_context() for symbol, features in listed.items()},
        "most_volatile": max(volatility, key=volatility.__getitem__),
        "least_volatile": min(volatility, key=volatility.__getitem__),
        "horizon_days": plan.every,
    }
    ask = guide(SCOUT, TYPES[SCOUT], context)
    look = _timed(lambda: agents.scout(listed, at.chance(SCOUT), ask))
    scout = at.made(SCOUT, look, context, None)

    features = listed[scout.selected]
    seen = {"symbol": scout.selected, **features.as_context()}
    would = {name: SIDES[agents.direction(name, features)] for name in agents.TRADING}
    context = {"market": seen, "would": would, "horizon_days": plan.every}
    ask = guide(STRATEGIST, TYPES[STRATEGIST], context)
    plot = _timed(lambda: agents.strategist(features, at.chance(STRATEGIST), ask))
    strategist = at.made(STRATEGIST, plot, context, scout)

    position, sure = agents.direction(strategist.selected, features), plot[0].confidence
    if not position:
        return [scout, strategist]
    seen = {**seen, "position": position, "strategist_confidence": sure}
    context = {"market": seen, "horizon_days": plan.every}
    ask = guide(RISK, TYPES[RISK], context)
    sizing = _timed(lambda: agents.risk(features, position, sure, ask))
    return [scout, strategist, at.made(RISK, sizing, context, strategist)]


def judge(market: Market, plan: Plan, day: int, made: Sequence[Made]) -> TradingDay:
    """Look up what followed a day's decisions."""
    listed = _listed(market.until(day))
    returns = {symbol: market.following_return(symbol, day, plan.every) for symbol in listed}
    chosen = {each.agent_id: each for each in made}
    symbol = chosen[SCOUT].selected
    features, earned = listed[symbol], returns[symbol]
    ordinary = features.ordinary_move(plan.every)
    position = agents.direction(chosen[STRATEGIST].selected, features)
    tempting = max(agents.TRADING, key=chosen[STRATEGIST].decision.scores.__getitem__)
    forgone = agents.direction(tempting, features)
    came_of = {
        SCOUT: results.of_scout(returns, symbol),
        STRATEGIST: results.of_strategist(earned, position, forgone, ordinary),
    }
    size = 0.0
    if RISK in chosen:
        size = agents.SIZES[chosen[RISK].selected]
        came_of[RISK] = results.of_risk(earned, position, size, ordinary)
    return TradingDay(
        day=market.days[day],
        entries=tuple(_entry(each, came_of[each.agent_id]) for each in made),
        desk_return=position * size * earned,
        average_return=fmean(returns.values()),
    )


@dataclass(frozen=True)
class _Desk:
    """A moment at the desk: what all decisions made then have in common."""

    plan: Plan
    moment: datetime

    def chance(self, agent_id: str) -> Random:
        """Return the agent's dice of the day, which fall the same in every run."""
        return Random(f"{self.plan.seed} {agent_id} {self.moment.date()}")

    def made(
        self, agent_id: str, timed: tuple[Choice, float], context: Context, parent: Made | None
    ) -> Made:
        """Put a choice into the form that Daybook takes."""
        choice, latency_ms = timed
        fields: dict[str, Any] = {
            "options": list(choice.options),
            "scores": dict(choice.scores),
            "selected": [choice.selected],
            "patterns_applied": list(choice.patterns),
            "confidence": choice.confidence,
            "propensity": choice.propensity,
            "rationale": choice.rationale,
            "tags": [TAG, *choice.tags],
            "context": context,
            "session_id": self.plan.session_id,
            "agent_version": AGENT_VERSION,
            "parent_decision_id": parent and parent.decision.decision_id,
        }
        decision = DecisionDraft.checked(
            decision_type=TYPES[agent_id],
            decision_id=id_by_content(agent_id, self.moment, fields),
            decided_at=self.moment,
            **fields,
        )
        return Made(agent_id=agent_id, decision=decision, latency_ms=latency_ms)


def id_by_content(agent_id: str, moment: datetime, fields: dict[str, Any]) -> str:
    """Make an id whose random bits are a digest of the decision.

    So the same decision made again, in a second run of the demo, is the same decision to the
    log and counts once, and another decision can never be taken for it.
    """
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).digest()
    return new_decision_id(agent_id, moment, random_bits=int.from_bytes(digest[:8]) >> 2)


def _listed(known: Market) -> Mapping[str, Features]:
    """Return what is seen of each symbol that has been listed long enough."""
    seen = {symbol: features_of(closes) for symbol, closes in known.closes.items()}
    return {symbol: features for symbol, features in seen.items() if features}


def _entry(made: Made, result: Result) -> Entry:
    return Entry(
        agent_id=made.agent_id,
        decision=made.decision,
        outcome=OutcomeDraft.checked(
            decision_id=made.decision.decision_id,
            decision_type=made.decision.decision_type,
            success=result.success,
            quality_score=result.quality,
            latency_ms=made.latency_ms,
            details=dict(result.details),
        ),
    )


def _timed(choose: Callable[[], Choice]) -> tuple[Choice, float]:
    """Return a choice and the milliseconds that it took to make."""
    began = perf_counter()
    choice = choose()
    return choice, (perf_counter() - began) * 1000
