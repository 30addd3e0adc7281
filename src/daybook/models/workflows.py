"""Workflows: the types of tasks, runs as the log tells them, and what they add up to."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field

from daybook.errors import InvalidInputError
from daybook.models.base import ListOf, Record
from daybook.models.decisions import Label, Share, Text
from daybook.models.identity import DecisionIdText
from daybook.models.json_values import Json, JsonDict

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
"""Seconds, or dollars."""


class TaskType(StrEnum):
    """What a request asks for; what fits none of the others is general."""

    CODE_GENERATION = "code_generation"
    DATA_ANALYSIS = "data_analysis"
    TESTING = "testing"
    DEPLOYMENT = "deployment"
    DEBUGGING = "debugging"
    SYSTEM_DESIGN = "system_design"
    DOCUMENTATION = "documentation"
    OPTIMIZATION = "optimization"
    GENERAL = "general"


_TASK_TYPES = frozenset(TaskType)


def checked_task_type(value: object) -> TaskType:
    """Return the type of this name, or raise InvalidInputError that lists the names."""
    if not isinstance(value, str) or value not in _TASK_TYPES:
        raise InvalidInputError(f"{value!r:.60} is unknown: use one of {', '.join(TaskType)}")
    return TaskType(value)


TaskKind = Annotated[TaskType, BeforeValidator(checked_task_type)]


class WorkflowRun(Record, title="the run"):
    """One run of a workflow, as an index of the log tells it.

    `workflow` is the name that `workflow_names.name_of` makes of the steps; `session` the mark of
    the session's id; `duration` in seconds and `cost` in dollars, None where nobody said.
    """

    decision_id: DecisionIdText
    task_type: TaskKind
    workflow: Text
    success: bool
    duration: Amount | None = None
    cost: Amount | None = None
    session: str | None = None


class WorkflowPattern(Record, title="the workflow pattern"):
    """A workflow, and how it did on a type of task.

    `success_rate` is successes by `sample_size`, `lower_bound` the lower end of its 95% Wilson
    interval; `average_duration` is in seconds and `average_cost` in dollars, over the runs that
    say them, None if none does. `recent_runs` of the sample are in the agent's own log; the rest
    was learned earlier, or by the agents of `shared_by`. `pattern_ids` are the patterns of
    long-term memory that say something about it.
    """

    task_type: TaskKind
    workflow: Text
    workflow_steps: ListOf[Json]
    success_rate: Share
    lower_bound: Share
    sample_size: Amount
    recent_runs: Count
    average_duration: Amount | None = None
    average_cost: Amount | None = None
    pattern_ids: ListOf[Label] = Field(default_factory=list)
    shared_by: ListOf[str] = Field(default_factory=list)


class TaskMetrics(Record, title="the metrics"):
    """What an agent's runs of a type of task add up to; of all types for `task_type` None.

    `average_duration` is in seconds, over the `timed` runs that say one, and `average_cost` in
    dollars, over the `costed` ones;
    the rate and the averages are None where there is nothing to divide.
    """

    task_type: TaskKind | None = None
    total: Count
    successful: Count
    success_rate: Share | None = None
    average_duration: Amount | None = None
    average_cost: Amount | None = None
    timed: Count = 0
    costed: Count = 0


class LearningMetrics(TaskMetrics, title="the learning metrics"):
    """What all runs of an agent add up to, also by type of task, and what was learned.

    `patterns_learned` are live patterns of workflows in the agent's own memory.
    `retrieval_accuracy` is the share of recalled patterns whose predicted success came true, of
    those that this process has used; None before the first.
    """

    by_task_type: dict[str, TaskMetrics]
    patterns_learned: Count
    retrieval_accuracy: Share | None = None


class WorkflowDraft(Record, title="the workflow run"):
    """A run that is about to be stored: `duration` in seconds, `cost` in dollars."""

    task_type: TaskKind
    workflow_steps: Annotated[ListOf[Json], Field(min_length=1)]
    success: bool
    duration: Amount
    session_id: Label | None = None
    cost: Amount | None = None
    metadata: JsonDict = Field(default_factory=dict)

    @classmethod
    def of(cls, workflow_steps: Sequence[Any], **said: Any) -> Self:
        """Return the draft; a step is text, or a JSON object. Raises InvalidInputError."""
        if isinstance(workflow_steps, str) or not isinstance(workflow_steps, Sequence):
            raise InvalidInputError(
                f"workflow_steps is {workflow_steps!r:.60}: use a list, of a text or an object "
                "for each step"
            )
        for place, step in enumerate(workflow_steps):
            if not isinstance(step, str | dict) or not step:
                raise InvalidInputError(
                    f"workflow_steps.{place} is {step!r:.60}: use a text or an object",
                    [(f"workflow_steps.{place}", "is neither a text nor an object")],
                )
        return cls.checked(workflow_steps=list(workflow_steps), **said)
