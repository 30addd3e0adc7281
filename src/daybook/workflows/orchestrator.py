"""`LearningOrchestrator`: any pipeline, with memory around it.

Infer the type of the task, recall what did well on it, execute, store how it went, compact. Memory
only helps: when it fails or does not answer, the pipeline runs as it would without.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from daybook.deciding.faults import described, warned
from daybook.errors import InvalidInputError
from daybook.models.base import checked_kind
from daybook.models.workflows import TaskType, WorkflowPattern, checked_task_type
from daybook.workflows.guard import Guard
from daybook.workflows.pipeline import Pipeline, Steps
from daybook.workflows.targets import Target, best_of
from daybook.workflows.task_types import Classifier, infer_task_type
from daybook.workflows.tool import CompactionService, MemoryTool

PATIENCE = 2.0
"""Seconds that all calls of memory around one request may hold it up, together."""

COMPACT_AFTER = 20
_LONGEST_REQUEST = 20_000
_MOST_SESSIONS = 10_000

Cost = float | Callable[[Any], float] | None
"""Dollars, or what tells them from the pipeline's result."""


@dataclass(frozen=True)
class OrchestratedRun:
    """What came of a request.

    `pattern` is the workflow of earlier runs that was followed, None if the pipeline's own order
    was; `duration` in seconds; `decision_id` is None when memory did not store the run.
    """

    result: Any
    task_type: TaskType
    session_id: str
    steps: tuple[str, ...]
    pattern: WorkflowPattern | None
    duration: float
    decision_id: str | None


@dataclass
class _Memory:
    """Memory around one request: what it may still take."""

    guard: Guard
    left: float

    async def call(self, name: str, work: Callable[[], Any], most: float | None = None) -> Any:
        if self.left <= 0:
            self.guard.left_out(name)
            return None
        seconds = self.left if most is None else min(most, self.left)
        began = time.monotonic()
        _, answer = await self.guard.call(name, work, seconds)
        self.left = max(0.0, self.left - (time.monotonic() - began))
        return answer


@dataclass
class _Attempt:
    """A request under way."""

    request: str
    task_type: TaskType
    session_id: str
    is_own_session: bool
    order: tuple[str, ...]
    pattern: WorkflowPattern | None
    metadata: Mapping[str, Any] | None
    began: float = field(default_factory=time.perf_counter)


class LearningOrchestrator:
    """Runs pipelines with what an agent remembers of earlier ones.

    `classify` tells a request's type of task; `optimization_target`, `min_success_rate` and
    `scope` say which pattern is best; `patience` is how many seconds memory may hold up a request,
    in all. A session of the caller's is compacted after every `compact_after` runs in it; one that
    is made here, for a request that names none, when the request is done. Raises
    InvalidInputError.
    """

    def __init__(
        self,
        memory_tool: MemoryTool,
        *,
        compaction: CompactionService | None = None,
        classify: Classifier = infer_task_type,
        optimization_target: Target = "success_rate",
        min_success_rate: float = 0.7,
        scope: str = "app",
        patience: float = PATIENCE,
        compact_after: int = COMPACT_AFTER,
        new_session_id: Callable[[], str] = lambda: f"session-{uuid4().hex}",
    ) -> None:
        self.tool = checked_kind(memory_tool, MemoryTool, "MemoryTool(memory_manager)")
        self.compaction = compaction or CompactionService(self.tool)
        self._best = best_of(optimization_target)
        if scope not in {"agent", "app"}:
            raise InvalidInputError(f"scope is {scope!r:.60}: use 'agent' or 'app'")
        if not callable(classify):
            raise InvalidInputError(f"classify is {classify!r:.60}: use a function of a text")
        if isinstance(patience, bool) or not isinstance(patience, int | float) or patience <= 0:
            raise InvalidInputError(f"patience is {patience!r:.60}: use a number of seconds")
        if isinstance(compact_after, bool) or not isinstance(compact_after, int):
            raise InvalidInputError(f"compact_after is {compact_after!r:.60}: use a whole number")
        if compact_after < 1:
            raise InvalidInputError(f"compact_after is {compact_after}: use a number from 1")
        self._classify = classify
        self._least, self._scope = min_success_rate, scope
        self._patience = float(patience)
        self._compact_after = compact_after
        self._new_session_id = new_session_id
        self._runs_in: dict[str, int] = {}
        self._guard = Guard(self.tool.sync.measures, self.tool.sync.namespace)

    def wrap(self, steps: Steps) -> Callable[..., Awaitable[Any]]:
        """Return the pipeline as an async function of a request, which returns its result.

        It takes the keywords of `run`. Raises InvalidInputError for what is no pipeline.
        """
        pipeline = Pipeline.of(steps)

        async def execute(request: str, **said: Any) -> Any:
            return (await self.run(request, pipeline.steps, **said)).result

        return execute

    async def run(
        self,
        request: str,
        steps: Steps,
        *,
        session_id: str | None = None,
        task_type: TaskType | str | None = None,
        cost: Cost = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> OrchestratedRun:
        """Run a pipeline for a request, by the best workflow that earlier runs have shown.

        Each step is given what the one before returned, the first the request. The best pattern
        whose steps are all in this pipeline says which are done, and in which order; without one
        all are, as they stand. What a step raises is raised as it is, and stored as an
        unsuccessful run; a request that is cancelled is not stored. Failures of memory are logged,
        counted in `memory_failures_total`, and take no more than `patience` seconds in all. Raises
        InvalidInputError for what is no pipeline, before anything is done.
        """
        pipeline = Pipeline.of(steps)
        kind = self._kind(request) if task_type is None else checked_task_type(task_type)
        memory = _Memory(self._guard, self._patience)
        pattern = await self._recalled(memory, kind, pipeline)
        order = tuple(pattern.workflow_steps) if pattern else tuple(pipeline.steps)
        attempt = _Attempt(
            request=request,
            task_type=kind,
            session_id=session_id or self._new_session_id(),
            is_own_session=not session_id,
            order=order,
            pattern=pattern,
            metadata=metadata,
        )
        try:
            result = await pipeline.run(order, request)
        except Exception as fault:
            await self._keep(memory, attempt, described(fault), None)
            raise
        duration = time.perf_counter() - attempt.began
        decision_id = await self._keep(memory, attempt, None, _cost(cost, result))
        return OrchestratedRun(
            result, kind, attempt.session_id, order, pattern, duration, decision_id
        )

    def _kind(self, request: str) -> TaskType:
        try:
            return checked_task_type(self._classify(request))
        except Exception as fault:  # noqa: BLE001 - a classifier of the caller's is part of memory
            measures, namespace = self.tool.sync.measures, self.tool.sync.namespace
            measures.failures.add(namespace=namespace, call="classify")
            warned("the request's type cannot be told, and is taken for general", fault)
            return TaskType.GENERAL

    async def _recalled(
        self, memory: _Memory, kind: TaskType, pipeline: Pipeline
    ) -> WorkflowPattern | None:
        def recall() -> list[WorkflowPattern]:
            return self.tool.sync.retrieve_workflow_patterns(kind, self._least, self._scope)

        # what it leaves is for storing
        found = await memory.call("recall", recall, self._patience / 2)
        return self._best([each for each in found or () if pipeline.can_run(each)])

    async def _keep(
        self, memory: _Memory, attempt: _Attempt, error: str | None, cost: float | None
    ) -> str | None:
        """Store the run, remember it in its session, and compact that if it is time."""
        duration, sync = time.perf_counter() - attempt.began, self.tool.sync
        if attempt.pattern is not None:
            rate = attempt.pattern.success_rate
            sync.measures.used(sync.namespace, rate, success=error is None)

        def store() -> str:
            return sync.store_workflow(
                attempt.task_type,
                attempt.order,
                error is None,
                duration,
                attempt.session_id,
                cost,
                attempt.metadata,
                error=error,
                patterns_applied=attempt.pattern.pattern_ids if attempt.pattern else (),
            )

        decision_id: str | None = await memory.call("store", store)
        said = {
            "request": attempt.request[:_LONGEST_REQUEST],
            "task_type": attempt.task_type,
            "steps": list(attempt.order),
            "decision_id": decision_id,
            "success": error is None,
            "error": error,
            "duration": duration,
        }
        await memory.call("remember", lambda: sync.remember(attempt.session_id, said))
        await self._compact(memory, attempt)
        return decision_id

    async def _compact(self, memory: _Memory, attempt: _Attempt) -> None:
        session_id = attempt.session_id
        if not attempt.is_own_session:
            if len(self._runs_in) >= _MOST_SESSIONS:
                self._runs_in.clear()
            runs = self._runs_in.get(session_id, 0) + 1
            self._runs_in[session_id] = runs % self._compact_after
            if runs < self._compact_after:
                return

        def compact() -> None:
            if attempt.is_own_session:
                self.tool.sync.close_session(session_id)
            self.compaction.sync.compact_session(session_id)

        await memory.call("compact", compact)


def _cost(cost: Cost, result: Any) -> float | None:
    if not callable(cost):
        return cost
    # the request has been served: what it cost is only told to memory
    with suppress(Exception):
        return cost(result)
    return None
