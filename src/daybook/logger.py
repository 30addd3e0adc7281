"""`DecisionLogger`: the words in which an agent logs and looks back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self, Unpack

from daybook.analytics import DecisionStats
from daybook.deciding import (
    BlockDetails,
    Context,
    DecisionBlock,
    active,
    current_decision,
    decision_draft,
    plain,
)
from daybook.deciding.blocks import Unlogged, When
from daybook.decisions import DecisionPage, DecisionQuery
from daybook.errors import InvalidInputError
from daybook.memory_manager import MemoryManager, checked_memory
from daybook.models import DecisionRecord, DecisionType, MemoryTier
from daybook.models.base import MOST_PROBLEMS
from daybook.models.decisions import checked_decision_type
from daybook.models.drafts import DecisionDraft, OutcomeDraft


class DecisionDetails(BlockDetails, total=False):
    """What every `log_…` method takes besides the choice itself."""

    decided_at: datetime | None
    decision_id: str | None


class DecisionLogger:
    """Logs an agent's decisions and their outcomes, and reads them back.

    Every `log_…` method of a decision returns its `decision_id`, which sorts by time, and
    raises InvalidInputError, naming each faulty field, before anything is written. Inside a
    `deciding` block the decision is its child, unless a `parent_decision_id` is given; None
    makes it a root. Raises InvalidInputError when it is made of what is no MemoryManager.
    """

    def __init__(self, memory_manager: MemoryManager) -> None:
        self.memory = checked_memory(memory_manager)

    def deciding(
        self,
        decision_type: DecisionType | str,
        *,
        options: Sequence[str] = (),
        scores: Mapping[str, float] | None = None,
        selected: Sequence[str] | str = (),
        context: Context = None,
        confidence: float | None = None,
        outcome: When = "now",
        on_log_failure: Unlogged = "raise",
        **details: Unpack[BlockDetails],
    ) -> DecisionBlock:
        """Return a block, for `with` or `async with`, that is a decision and logs itself.

        It records the decision with the block around it as its parent, the block's time in
        milliseconds, and its outcome: success, what `.outcome(…)` said, or the exception that
        left it, which goes on unchanged. With `outcome="later"` a block that ends well has no
        outcome yet. What is not known at once is set in the block, the confidence at the
        latest there. Bad arguments raise InvalidInputError here. When the block went well and
        logging fails, that error is raised, or with `on_log_failure="warn"` written to the
        Python logger `daybook`.
        """
        return DecisionBlock(
            self.memory,
            decision_type,
            options=options,
            scores=scores,
            selected=selected,
            context=context,
            confidence=confidence,
            outcome=outcome,
            on_log_failure=on_log_failure,
            **details,
        )

    @contextmanager
    def active(self) -> Iterator[Self]:
        """Make this the log of functions decorated with `@decision` that name no other."""
        with active(self.memory):
            yield self

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

    def log_decisions(self, decisions: Iterable[Mapping[str, Any]]) -> list[str]:
        """Log many decisions and return their ids, in the same order.

        Each is a mapping of what `log_decision` takes. With a spool all are on the disk when
        this returns, in one commit, or none is; without, they are written 25 to a request.
        InvalidInputError names the faulty ones by their place, before anything is written.
        Whatever else is raised carries all ids in `decision_ids`, for some may be written: hand
        them in with the decisions to try again, and each counts once.
        """
        drafts = _drafts(decisions)
        _settle_parent(drafts)
        return self.memory.record_decisions(drafts)

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
        draft = _drafted(
            {
                "decision_type": decision_type,
                "options": options,
                "scores": scores,
                "selected": selected,
                "context": context,
                "confidence": confidence,
                **details,
            }
        )
        _settle_parent([draft])
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
            details=plain(details),
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

        An iterator: `next(…, None)` is the most recent one, `list(…)` all of them.
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


def _drafted(said: Mapping[str, Any]) -> DecisionDraft:
    """Return a draft, a child of the block around it unless it names a parent, or None."""
    around = None if "parent_decision_id" in said else current_decision()
    parent = {"parent_decision_id": around.decision_id} if around else {}
    return decision_draft({**said, **parent})


def _drafts(decisions: object) -> list[DecisionDraft]:
    """Return the drafts, or raise InvalidInputError that names every faulty field of every one."""
    if isinstance(decisions, Mapping | str) or not isinstance(decisions, Iterable):
        raise InvalidInputError(
            f"{decisions!r:.80} is no list of decisions: pass a list, of a mapping of "
            "log_decision's arguments for each"
        )
    drafts: list[DecisionDraft] = []
    faults: list[InvalidInputError] = []
    for place, said in enumerate(decisions):
        try:
            drafts.append(_drafted(_checked_names(said)))
        except InvalidInputError as fault:
            faults.append(fault.at(f"decisions.{place}"))
            if len(faults) == MOST_PROBLEMS:
                break
    if faults:
        problems = [problem for fault in faults for problem in fault.problems]
        raise InvalidInputError("; ".join(map(str, faults)), problems)
    return drafts


def _checked_names(said: object) -> Mapping[str, Any]:
    if not isinstance(said, Mapping) or not all(isinstance(name, str) for name in said):
        raise InvalidInputError(f"it is {said!r:.80}: pass a mapping of log_decision's arguments")
    return said


def _settle_parent(drafts: Sequence[DecisionDraft]) -> None:
    """Have the block around written first, if these are its children."""
    around = current_decision()
    if around and any(draft.parent_decision_id == around.decision_id for draft in drafts):
        around.settle()
