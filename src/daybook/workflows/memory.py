"""`WorkflowMemory`: runs of workflows stored in the log, and found again as patterns."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from daybook.decisions.workflow_facts import COST, METADATA, STEPS, TASK_TYPE
from daybook.errors import InvalidDecisionIdError, InvalidInputError
from daybook.memory_manager import MemoryManager, checked_memory
from daybook.metrics import Registry
from daybook.models import DecisionId, DecisionType, MemoryPattern
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.models.key_parts import checked_key_part
from daybook.models.sessions import SessionHead, SessionMemory
from daybook.models.workflow_names import name_of, session_mark, steps_in
from daybook.models.workflows import (
    LearningMetrics,
    TaskMetrics,
    TaskType,
    WorkflowDraft,
    WorkflowPattern,
    checked_task_type,
)
from daybook.workflows.measures import MemoryMeasures
from daybook.workflows.merging import Evidence, merge, rank
from daybook.workflows.targets import Target, best_of
from daybook.workflows.totals import together

KIND = DecisionType.WORKFLOW_SELECTION
SCOPES = ("agent", "app", "session")
RECENT = 500
"""Runs of a type of task that are looked at; what lies before them is known by patterns."""

_MOST_PATTERNS = 1000
_MOST_STEPS = 100
_MOST_KNOWN = 10_000
_MILLISECONDS = 1000.0


class WorkflowMemory:
    """What an agent remembers of its workflows and sessions; `MemoryTool` is the same, awaited.

    `namespace` labels the metrics, which go to `metrics`, a registry of this object's own unless
    one is given. Raises InvalidInputError when it is made of what is no MemoryManager.
    """

    def __init__(
        self,
        memory_manager: MemoryManager,
        *,
        namespace: str = "default",
        metrics: Registry | None = None,
    ) -> None:
        self.memory = checked_memory(memory_manager)
        self.namespace = checked_key_part(namespace, "namespace")
        self.metrics = Registry() if metrics is None else metrics
        self.measures = MemoryMeasures.of(self.metrics)
        self._steps: dict[str, Sequence[Any]] = {}
        self._lock = threading.Lock()

    def store_workflow(
        self,
        task_type: TaskType | str,
        workflow_steps: Sequence[Any],
        success: bool,
        duration: float,
        session_id: str | None = None,
        cost: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        run_id: str | None = None,
        error: str | None = None,
        patterns_applied: Sequence[str] = (),
    ) -> str:
        """Store a run of a workflow and return the id of its decision.

        `duration` is in seconds, `cost` in dollars; a step is text or a JSON object; `metadata`
        any JSON, which is kept and not learned from. Calls with the same `run_id` count once:
        it is any text, or a decision's id from `new_decision_id`, which saves a request. Three
        requests, four with such a text. Raises InvalidInputError, or DecisionConflictError or
        OutcomeConflictError when another run is stored under this id.
        """
        run = WorkflowDraft.of(
            workflow_steps,
            task_type=task_type,
            success=success,
            duration=_as_float(duration),
            session_id=session_id,
            cost=_as_float(cost),
            metadata={} if metadata is None else metadata,
        )
        name = name_of(run.workflow_steps)
        decision = DecisionDraft.checked(
            decision_type=KIND,
            selected=[name],
            confidence=1.0,
            context={TASK_TYPE: run.task_type, STEPS: run.workflow_steps},
            session_id=run.session_id,
            patterns_applied=list(patterns_applied),
            decision_id=None if run_id is None else self._decision_id(run_id),
        )
        details = {COST: run.cost, METADATA: run.metadata}
        facts = {
            "decision_type": KIND,
            "success": run.success,
            "latency_ms": run.duration * _MILLISECONDS,
            "error": error,
            "details": {key: value for key, value in details.items() if value not in (None, {})},
        }
        decision_id = self.memory.record_decision(decision).decision_id
        self.memory.record_outcome(OutcomeDraft.checked(decision_id=decision_id, **facts))
        return decision_id

    def retrieve_workflow_patterns(
        self,
        task_type: TaskType | str,
        min_success_rate: float = 0.7,
        scope: str = "app",
        *,
        session_id: str | None = None,
    ) -> list[WorkflowPattern]:
        """Return the workflows that did well on a type of task, best first.

        By success rate; how few outcomes count, `merging.rank` says. `scope` is `agent` for the
        agent's own runs and what it learned from them, `app` for also what other agents share with
        it, `session` for the runs of the session `session_id` alone. Two requests: the 500 newest
        runs of the type, and the patterns; one for a session. What this process has not read yet
        takes one more, at most: workflows whose steps take more than 512 bytes, and patterns of
        other agents (these, of `recall`, once a minute). Raises InvalidInputError.
        """
        kind = checked_task_type(task_type)
        least = _checked_rate(min_success_rate)
        _check_scope(scope, session_id)
        runs = self.memory.workflow_runs(kind, RECENT)
        is_whole = len(runs) < RECENT
        patterns: list[MemoryPattern] = []
        if scope == "session":
            mark = session_mark(session_id)
            runs, is_whole = [run for run in runs if run.session == mark], True
        else:
            patterns = self._patterns(kind, only_own=scope == "agent")
        found = merge(kind, runs, patterns, self.memory.agent_id, is_whole=is_whole)
        return rank(kind, found, self._steps_of(found), least)

    def get_best_workflow_for_task(
        self,
        task_type: TaskType | str,
        optimization_target: Target = "success_rate",
        *,
        min_success_rate: float = 0.7,
        scope: str = "app",
        session_id: str | None = None,
    ) -> WorkflowPattern | None:
        """Return the best workflow for a type of task, or None if none did well enough.

        The first by `success_rate`, or of those that reach `min_success_rate` the one of the
        shortest average `duration` or lowest average `cost`. Requests as of
        `retrieve_workflow_patterns`.
        """
        best = best_of(optimization_target)
        return best(
            self.retrieve_workflow_patterns(
                task_type, min_success_rate, scope, session_id=session_id
            )
        )

    def get_task_success_metrics(self, task_type: TaskType | str) -> TaskMetrics:
        """Return what all of the agent's runs on a type of task add up to.

        One request for some 3,500 runs.
        """
        return self.memory.workflow_metrics(checked_task_type(task_type))

    def get_learning_metrics(self) -> LearningMetrics:
        """Return what all runs add up to, by type of task too, and how much was learned.

        One request for each type of task, and one for the patterns.
        """
        by_type = {str(kind): self.memory.workflow_metrics(kind) for kind in TaskType}
        learned = self.memory.list_patterns(0.0, KIND)
        accuracy = self.measures.accuracy_of(self.namespace)
        return together(by_type, patterns_learned=len(learned), retrieval_accuracy=accuracy)

    def remember(self, session_id: str, content: Any) -> SessionMemory:
        """Remember any JSON in a session. Raises InvalidInputError or BodyTooLargeError."""
        return self.memory.remember(session_id, content)

    def read_session(self, session_id: str) -> list[SessionMemory]:
        """Return all memories of a session in order, compacted or not; [] if there are none."""
        content = self.memory.session_content(session_id)
        if content.decompressed_in is not None:
            milliseconds = content.decompressed_in * _MILLISECONDS
            self.measures.decompression.observe(milliseconds, namespace=self.namespace)
        return content.memories

    def list_sessions(self) -> list[SessionHead]:
        """Return the agent's sessions, by their ids."""
        return self.memory.list_sessions()

    def close_session(self, session_id: str) -> SessionHead:
        """Note that a session is over: `compact_closed` looks after it. SessionNotFoundError."""
        return self.memory.close_session(session_id)

    def _decision_id(self, run_id: str) -> str:
        try:
            return str(DecisionId.parse(run_id))
        except InvalidDecisionIdError:
            return self.memory.decision_of_run(run_id)

    def _patterns(self, kind: TaskType, *, only_own: bool) -> list[MemoryPattern]:
        found = self.memory.recall(KIND, {TASK_TYPE: kind}, _MOST_PATTERNS)
        own = self.memory.agent_id
        return [r.pattern for r in found if not only_own or r.pattern.agent_id == own]

    def _steps_of(self, found: Mapping[str, Evidence]) -> Mapping[str, Sequence[Any]]:
        """Return the steps of the workflows whose names are too short to say them."""
        long = [name for name in found if steps_in(name) is None]
        with self._lock:
            known = {name: self._steps[name] for name in long if name in self._steps}
        # the most used first: a request takes a hundred
        unknown = sorted(
            (name for name in long if name not in known and found[name].runs),
            key=lambda name: -len(found[name].runs),
        )[:_MOST_STEPS]
        asked = {found[name].runs[0].decision_id: name for name in unknown}
        if asked:
            told = self.memory.steps_of_runs(list(asked))
            read = {asked[decision_id]: steps for decision_id, steps in told.items()}
            with self._lock:
                if len(self._steps) > _MOST_KNOWN:
                    self._steps.clear()
                self._steps |= read
            known |= read
        return known


def _as_float(number: Any) -> Any:
    """Take a whole number for seconds or dollars, as a person would say it."""
    is_whole = isinstance(number, int) and not isinstance(number, bool)
    try:
        return float(number) if is_whole else number
    except OverflowError:
        return number


def _checked_rate(rate: object) -> float:
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise InvalidInputError(f"min_success_rate is {rate!r:.60}: use a number from 0 to 1")
    return float(rate)


def _check_scope(scope: object, session_id: str | None) -> None:
    if scope not in SCOPES:
        raise InvalidInputError(f"scope is {scope!r:.60}: use one of {', '.join(SCOPES)}")
    if (scope == "session") is not (session_id is not None):
        raise InvalidInputError(
            "the scope 'session' is that of one session: pass session_id with it, and only with it"
        )
