"""A day at the desk: three decisions, each with its parent, and what came of them."""

import hashlib
import json
from collections.abc import Callable
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
from examples.trading_desk.features import features_of
from examples.trading_desk.plan import AGENT_VERSION, Plan
from examples.trading_desk.prices import Market
from examples.trading_desk.results import Result

Context = dict[str, Any]

TYPES = {
    SCOUT: DecisionType.SOURCE_SELECTION,
    STRATEGIST: DecisionType.STRATEGY_SELECTION,
    RISK: DecisionType.RISK_ASSESSMENT,
}


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


def trade(market: Market, plan: Plan, day: int) -> TradingDay:
    """Let the three agents decide at the close of a day, and look up what followed.

    The risk agent is asked only when the strategist wants to trade.
    """
    known = market.until(day)
    at = _Desk(plan, market.close_of(day))

    seen = {symbol: features_of(closes) for symbol, closes in known.closes.items()}
    listed = {symbol: features for symbol, features in seen.items() if features}
    returns = {symbol: market.following_return(symbol, day, plan.every) for symbol in listed}

    look, took = _timed(lambda: agents.scout(listed, at.chance(SCOUT)))
    context: Context = {symbol: features.as_context() for symbol, features in listed.items()}
    scout = at.entry(SCOUT, look, took, results.of_scout(returns, look.selected), context, None)

    symbol, features, earned = look.selected, listed[look.selected], returns[look.selected]
    ordinary = features.ordinary_move(plan.every)
    plot, took = _timed(lambda: agents.strategist(features, at.chance(STRATEGIST)))
    position = agents.direction(plot.selected, features)
    tempting = max(("momentum", "mean_reversion"), key=plot.scores.__getitem__)
    judged = results.of_strategist(
        earned, position, agents.direction(tempting, features), ordinary
    )
    context = {"symbol": symbol, "position": position, **features.as_context()}
    strategist = at.entry(STRATEGIST, plot, took, judged, context, scout.decision_id)

    entries, size = [scout, strategist], 0.0
    if position:
        sizing, took = _timed(lambda: agents.risk(features, position, plot.confidence))
        size = agents.SIZES[sizing.selected]
        judged = results.of_risk(earned, position, size, ordinary)
        context = {**context, "strategist_confidence": plot.confidence}
        entries.append(at.entry(RISK, sizing, took, judged, context, strategist.decision_id))
    return TradingDay(
        day=market.days[day],
        entries=tuple(entries),
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

    def entry(
        self,
        agent_id: str,
        choice: Choice,
        latency_ms: float,
        result: Result,
        market: Context,
        parent: str | None,
    ) -> Entry:
        """Put a choice and its result into the forms that Daybook takes."""
        fields: dict[str, Any] = {
            "options": list(choice.options),
            "scores": dict(choice.scores),
            "selected": [choice.selected],
            "confidence": choice.confidence,
            "propensity": choice.propensity,
            "rationale": choice.rationale,
            "tags": ["trading-desk", *choice.tags],
            "context": {"market": market, "horizon_days": self.plan.every},
            "session_id": self.plan.session_id,
            "agent_version": AGENT_VERSION,
            "parent_decision_id": parent,
        }
        decision_id = id_by_content(agent_id, self.moment, fields)
        return Entry(
            agent_id=agent_id,
            decision=DecisionDraft.checked(
                decision_type=TYPES[agent_id],
                decision_id=decision_id,
                decided_at=self.moment,
                **fields,
            ),
            outcome=OutcomeDraft.checked(
                decision_id=decision_id,
                decision_type=TYPES[agent_id],
                success=result.success,
                quality_score=result.quality,
                latency_ms=latency_ms,
                details=dict(result.details),
            ),
        )


def id_by_content(agent_id: str, moment: datetime, fields: dict[str, Any]) -> str:
    """Make an id whose random bits are a digest of the decision.

    So the same decision made again, in a second run of the demo, is the same decision to the
    log and counts once, and another decision can never be taken for it.
    """
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).digest()
    return new_decision_id(agent_id, moment, random_bits=int.from_bytes(digest[:8]) >> 2)


def _timed(decide: Callable[[], Choice]) -> tuple[Choice, float]:
    """Return a choice and the milliseconds that it took to make."""
    began = perf_counter()
    choice = decide()
    return choice, (perf_counter() - began) * 1000
