"""What the digests say of a workflow's run, so that the runs of a task type are one query.

A decision of the type `workflow_selection` whose context names a `task_type`, and that chose one
workflow, says both in its digest. Its outcome repeats them, adds the cost, and is listed under
the task type in `DecisionTypeIndex`: one index entry more, and only for workflows.
"""

from daybook.decisions import digests
from daybook.models import DecisionOutcome, DecisionRecord, DecisionType
from daybook.models.drafts import DecisionDraft
from daybook.models.identity import DecisionId
from daybook.models.json_values import JsonValue
from daybook.models.workflow_names import LONGEST_NAME, session_mark
from daybook.models.workflows import TaskType, WorkflowRun
from daybook.store import keys
from daybook.store.attributes import Item

TASK_TYPE = "task_type"
STEPS = "steps"
COST = "cost"
METADATA = "metadata"

_TYPES = frozenset(TaskType)
_MILLISECONDS = 1000.0


def of_decision(said: DecisionRecord | DecisionDraft) -> tuple[str | None, ...]:
    """Return task type, workflow and the session's mark of a run; nothing of other decisions."""
    if said.decision_type is not DecisionType.WORKFLOW_SELECTION:
        return ()
    reasoning = said.reasoning if isinstance(said, DecisionRecord) else said
    task_type = said.context.as_dict().get(TASK_TYPE)
    if not isinstance(task_type, str) or task_type not in _TYPES or len(reasoning.selected) != 1:
        return ()
    (workflow,) = reasoning.selected
    if len(workflow.encode()) > LONGEST_NAME:
        return ()
    return task_type, workflow, session_mark(said.session_id)


def of_outcome(
    outcome: DecisionOutcome, decision: Item
) -> tuple[str | None, tuple[JsonValue, ...]]:
    """Return the task type of a run, and what its outcome's digest says besides."""
    also = digests.beyond_confidence(decision)
    if not also:
        return None, ()
    task_type, workflow, mark, *_ = also
    return task_type, (task_type, workflow, mark, _cost(outcome.details.get(COST)))


def read_run(agent_id: str, item: Item) -> WorkflowRun:
    """Return the run that an entry of the index tells of."""
    outcome = digests.read_outcome(item)
    task_type, workflow, mark, cost, *_ = digests.beyond_outcome(item)
    latency = outcome.latency_ms
    # all parts have been checked when they were written
    return WorkflowRun.model_construct(
        decision_id=str(DecisionId(keys.uuid_of(str(item["sk"])), agent_id)),
        task_type=TaskType(task_type),
        workflow=workflow,
        success=outcome.success,
        duration=None if latency is None else latency / _MILLISECONDS,
        cost=cost,
        session=mark,
    )


def _cost(said: JsonValue) -> float | None:
    """Return the cost in dollars, None for what is none: details are whatever somebody said."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    try:
        return float(said) if said >= 0 else None
    except OverflowError:
        return None
