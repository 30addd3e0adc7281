"""`DecisionLogger`: the words in which an agent logs and looks back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from daybook.analytics import DecisionStats
from daybook.decisions import DecisionPage, DecisionQuery
from daybook.memory_manager import MemoryManager
from daybook.models import DecisionContext, DecisionRecord, DecisionType, MemoryTier
from daybook.models.decisions import checked_decision_type
from daybook.models.drafts import DecisionDraft, OutcomeDraft

Context = Mapping[str, Any] | DecisionContext | None


class DecisionDetails(TypedDict, total=False):
    """What every `log_…` method takes besides the choice itself."""

    parent_decision_id: str | None
    decided_at: datetime | None
    patterns_applied: Sequence[str]
    rationale: str | None
    session_id: str | None
    tags: Sequence[str]
    agent_version: str | None
    propensity: float | None
    decision_id: str | None


class DecisionLogger:
    """Logs an agent's decisions and their outcomes, and reads them back.

    Every `log_…` method of a decision returns its `decision_id`, which sorts by time, and
    raises InvalidInputError, naming each faulty field, before anything is written.
    """

    def __init__(self, memory_manager: MemoryManager) -> None:
        self.memory = memory_manager

    def log_decision(
        self,
        decision_type: DecisionType | str,
        *,
        options: Sequence[str] = (),
        scores: Mapping[str, float] | None = None,
        selected: Sequence[str] | str = (),
        context: Context = None,
        confidence: float,
        **details: Unpack[DecisionDetails],
    ) -> str:
        """Log a decision and return its id.

        `selected` and the keys of `scores` are among `options`, when there are any.
        `confidence` is 0 to 1; `propensity`, above 0 and up to 1, is the probability with
        which the acting policy made this choice. `decided_at` may lie in the past. Pass a
        `decision_id` from `new_decision_id` to be able to repeat the call after a failure.
        """
        return self._log(decision_type, options, scores, selected, context, confidence, details)

    def log_source_selection(
        self,
        sources: Sequence[str],
        scores: Mapping[str, float],
        selected: Sequence[str] | str,
        context: Context,
        confidence: float,
        **details: Unpack[DecisionDetails],
    ) -> str:
        """Log which of the data sources the agent turned to."""
        kind = DecisionType.SOURCE_SELECTION
        return self._log(kind, sources, scores, selected, context, confidence, details)

    def log_query_execution(
        self,
        queries: Sequence[str],
        scores: Mapping[str, float],
        selected: Sequence[str] | str,
        context: Context,
        confidence: float,
        **details: Unpack[DecisionDetails],
    ) -> str:
        """Log which of the queries the agent ran."""
        kind = DecisionType.QUERY_EXECUTION
        return self._log(kind, queries, scores, selected, context, confidence, details)

    def log_signal_generation(
        self,
        signals: Sequence[str],
        scores: Mapping[str, float],
        selected: Sequence[str] | str,
        context: Context,
        confidence: float,
        **details: Unpack[DecisionDetails],
    ) -> str:
        """Log which signal the agent derived: buy, sell or hold, say."""
        kind = DecisionType.SIGNAL_GENERATION
        return self._log(kind, signals, scores, selected, context, confidence, details)

    def log_risk_assessment(
        self,
        assessments: Sequence[str],
        scores: Mapping[str, float],
        selected: Sequence[str] | str,
        context: Context,
        confidence: float,
        **details: Unpack[DecisionDetails],
    ) -> str:
        """Log how the agent judged the risk: which size it allowed, or a veto."""
        kind = DecisionType.RISK_ASSESSMENT
        return self._log(kind, assessments, scores, selected, context, confidence, details)

    def log_strategy_selection(
        self,
        strategies: Sequence[str],
        scores: Mapping[str, float],
        selected: Sequence[str] | str,
        context: Context,
        confidence: float,
        **details: Unpack[DecisionDetails],
    ) -> str:
        """Log which strategy the agent follows."""
        kind = DecisionType.STRATEGY_SELECTION
        return self._log(kind, strategies, scores, selected, context, confidence, details)

    def _log(
        self,
        decision_type: DecisionType | str,
        options: Sequence[str],
        scores: Mapping[str, float] | None,
        selected: Sequence[str] | str,
        context: Context,
        confidence: float,
        details: DecisionDetails,
    ) -> str:
        named_lists = {"tags", "patterns_applied"}
        draft = DecisionDraft.checked(
            decision_type=decision_type,
            options=_listed(options),
            scores=_plain(scores),
            selected=_listed(selected),
            context=_plain(context),
            confidence=confidence,
            **{k: _listed(v) if k in named_lists else v for k, v in details.items()},
        )
        return self.memory.record_decision(draft).decision_id

    def log_outcome(
        self,
        decision_id: str,
        decision_type: DecisionType | str,
        success: bool,
        quality_score: float | None = None,
        latency_ms: float | None = None,
        error: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Log what came of a decision, at once or weeks later.

        `quality_score` is 0 to 1, `latency_ms` milliseconds, `details` any JSON. The same
        outcome twice counts once. Raises OutcomeConflictError when a different one is
        recorded already (the first stands), DecisionNotFoundError, WrongDecisionTypeError,
        or ForeignDecisionError when the decision is another agent's.
        """
        draft = OutcomeDraft.checked(
            decision_id=decision_id,
            decision_type=decision_type,
            success=success,
            quality_score=quality_score,
            latency_ms=latency_ms,
            error=error,
            details=_plain(details),
        )
        self.memory.record_outcome(draft)

    def get_decision(self, decision_id: str) -> DecisionRecord:
        """Return a decision; its `.outcome` is None until one is logged.

        Raises DecisionNotFoundError, or InvalidDecisionIdError for what is no id.
        """
        return self.memory.get_decision(decision_id)

    def get_decision_chain(self, decision_id: str) -> list[DecisionRecord]:
        """Return the decisions that led to this one, the root first, across agents.

        Raises BrokenChainError or CyclicChainError, whose `.chain` is what could be read.
        """
        return self.memory.get_decision_chain(decision_id)

    def get_children(self, decision_id: str) -> list[DecisionRecord]:
        """Return the decisions of any agent that name this one as their parent."""
        return self.memory.get_children(decision_id)

    def query_decisions(
        self,
        decision_type: DecisionType | str | None = None,
        success: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        tier: MemoryTier | str | None = None,
        limit: int | None = None,
    ) -> Iterator[DecisionRecord]:
        """Iterate this agent's decisions, newest first, reading on as they are taken.

        `since` is inclusive, `until` exclusive. `tier` is `stm` for decisions younger than a
        day, `ltm` for older ones.
        """
        query = self._query(decision_type, success, since, until, tier)
        return self.memory.query_decisions(query, limit)

    def page_decisions(
        self,
        decision_type: DecisionType | str | None = None,
        success: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        tier: MemoryTier | str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> DecisionPage:
        """Return one page: `.decisions`, and the `.cursor` to pass for the next (or None).

        Raises InvalidCursorError when the cursor is damaged or another query's.
        """
        query = self._query(decision_type, success, since, until, tier)
        return self.memory.page_decisions(query, limit, cursor)

    def get_decision_stats(
        self, time_window_hours: float = 24, decision_type: DecisionType | str | None = None
    ) -> DecisionStats:
        """Return counts, rates, averages and latency percentiles of the last hours."""
        kind = None if decision_type is None else checked_decision_type(decision_type)
        return self.memory.get_decision_stats(time_window_hours, kind)

    def _query(
        self,
        decision_type: DecisionType | str | None,
        success: bool | None,
        since: datetime | None,
        until: datetime | None,
        tier: MemoryTier | str | None,
    ) -> DecisionQuery:
        return DecisionQuery.checked(
            agent_id=self.memory.agent_id,
            decision_type=decision_type,
            success=success,
            since=since,
            until=until,
            tier=tier,
        )


def _listed(value: object) -> object:
    """Take one name for a list of one, and any other sequence for a list."""
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, Sequence) else value


def _plain(value: object) -> object:
    """Take None for an empty mapping, and any mapping for a dict."""
    if isinstance(value, DecisionContext):
        return value.as_dict()
    if value is None:
        return {}
    return dict(value) if isinstance(value, Mapping) else value
