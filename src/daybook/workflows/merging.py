"""Recent runs and learned patterns, put together as workflow patterns; each run counts once.

Pure: runs and patterns in, workflow patterns out. Of an agent's own patterns only what lies before
the oldest run at hand is added, for they were learned from the same log; the patterns of others
come from other logs, and count whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daybook.decisions.workflow_facts import TASK_TYPE
from daybook.decisions.workflow_runs import average
from daybook.memory.intervals import lower_bound
from daybook.models import ConditionOperator, MemoryPattern
from daybook.models.identity import DecisionId
from daybook.models.workflow_names import steps_in
from daybook.models.workflows import TaskType, WorkflowPattern, WorkflowRun

ENOUGH = 5
"""Outcomes from which on a success rate is taken by its face."""


@dataclass
class Evidence:
    """What is known of one workflow on one type of task; `n` and `successes` of patterns."""

    runs: list[WorkflowRun] = field(default_factory=list)
    n: float = 0.0
    successes: float = 0.0
    patterns: list[str] = field(default_factory=list)
    shared_by: list[str] = field(default_factory=list)

    def add(self, n: float, rate: float) -> None:
        """Add outcomes that are not among the runs."""
        self.n += n
        self.successes += n * rate


def merge(
    task_type: TaskType,
    runs: Sequence[WorkflowRun],
    patterns: Sequence[MemoryPattern],
    agent_id: str,
    *,
    is_whole: bool,
) -> dict[str, Evidence]:
    """Return what is known of each workflow, by its name.

    `runs` are the agent's, newest first; `is_whole` says that there are no older ones. Of each
    agent's patterns about a workflow one counts: that for this type of task rather than that for
    any context.
    """
    found: dict[str, Evidence] = {}
    for run in runs:
        found.setdefault(run.workflow, Evidence()).runs.append(run)
    for pattern in _one_each(task_type, patterns):
        evidence = found.setdefault(pattern.choice, Evidence())
        evidence.patterns.append(pattern.pattern_id)
        if pattern.agent_id != agent_id:
            evidence.shared_by.append(pattern.agent_id)
            evidence.add(pattern.sample_size, pattern.success_rate)
        elif not is_whole:
            evidence.add(*_before(pattern, evidence.runs, task_type))
    return found


def rank(
    task_type: TaskType,
    found: Mapping[str, Evidence],
    steps: Mapping[str, Sequence[Any]],
    min_success_rate: float,
) -> list[WorkflowPattern]:
    """Return the patterns of at least this success rate, best first.

    By success rate from five outcomes on; with fewer, by the lower end of the 95% Wilson interval
    (Wilson 1927), so that one lucky run does not lead. The same bound breaks ties, then the larger
    sample, the shorter duration, the name. `steps` has those that a name does not say; a workflow
    whose steps nobody can say is left out.
    """
    made = [
        pattern
        for name, evidence in found.items()
        if (pattern := _pattern(task_type, name, evidence, steps)) is not None
        and pattern.success_rate >= min_success_rate
    ]
    return sorted(made, key=by_success)


def by_success(pattern: WorkflowPattern) -> tuple[float, float, float, float, str]:
    """Sort key: see `rank`."""
    enough = pattern.sample_size >= ENOUGH
    duration = pattern.average_duration
    return (
        -(pattern.success_rate if enough else pattern.lower_bound),
        -pattern.lower_bound,
        -pattern.sample_size,
        float("inf") if duration is None else duration,
        pattern.workflow,
    )


def about(pattern: MemoryPattern, task_type: TaskType) -> bool | None:
    """Whether a pattern is for this type of task (True), for any context (None), or neither."""
    if not pattern.conditions:
        return None
    (first, *others) = pattern.conditions
    is_this = first.op is ConditionOperator.EQ and first.value == task_type
    return is_this and first.feature == TASK_TYPE and not others


def _one_each(task_type: TaskType, patterns: Sequence[MemoryPattern]) -> list[MemoryPattern]:
    best: dict[tuple[str, str], MemoryPattern] = {}
    for pattern in patterns:
        kind = about(pattern, task_type)
        if kind is False or pattern.sample_size <= 0:
            continue
        key = (pattern.agent_id, pattern.choice)
        if key not in best or (kind and about(best[key], task_type) is None):
            best[key] = pattern
    return list(best.values())


def _before(
    pattern: MemoryPattern, runs: Sequence[WorkflowRun], task_type: TaskType
) -> tuple[float, float]:
    """Return the outcomes that a pattern knows of and that are older than these runs; their rate.

    Its sample is decayed by age, so this is no more than there were. A pattern for any context
    may be about other types of tasks, and adds nothing.
    """
    if not about(pattern, task_type):
        return 0.0, 0.0
    seen = [
        run for run in runs if DecisionId.parse(run.decision_id).decided_at <= pattern.updated_at
    ]
    n = max(0.0, pattern.sample_size - float(len(seen)))
    successes = pattern.sample_size * pattern.success_rate - sum(run.success for run in seen)
    return n, min(max(successes / n, 0.0), 1.0) if n else 0.0


def _pattern(
    task_type: TaskType, name: str, evidence: Evidence, steps: Mapping[str, Sequence[Any]]
) -> WorkflowPattern | None:
    said = steps_in(name) or steps.get(name)
    n = len(evidence.runs) + evidence.n
    if said is None or not n:
        return None
    successes = sum(run.success for run in evidence.runs) + evidence.successes
    return WorkflowPattern(
        task_type=task_type,
        workflow=name,
        workflow_steps=list(said),
        success_rate=min(successes / n, 1.0),
        lower_bound=lower_bound(n, min(successes, n)),
        sample_size=float(n),
        recent_runs=len(evidence.runs),
        average_duration=average([r.duration for r in evidence.runs if r.duration is not None]),
        average_cost=average([r.cost for r in evidence.runs if r.cost is not None]),
        pattern_ids=sorted(evidence.patterns),
        shared_by=sorted(set(evidence.shared_by)),
    )
