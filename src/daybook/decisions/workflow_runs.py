"""Runs of workflows, read from the log by type of task, and what they add up to."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice

from daybook.decisions import items, workflow_facts
from daybook.errors import InvalidInputError
from daybook.models import DecisionId, new_decision_id
from daybook.models.key_parts import checked_key_part
from daybook.models.workflows import TaskMetrics, TaskType, WorkflowRun, checked_task_type
from daybook.store import DECISIONS, Store, keys, session_keys
from daybook.store.expressions import equals

MOST_RUNS = 1000
"""Runs that are read at once: their entries, of some 300 bytes, fit into one page of an index."""


def recent(store: Store, agent_id: str, task_type: str, limit: int = 500) -> list[WorkflowRun]:
    """Return the newest runs of a type of task that have an outcome, newest first.

    One request, of some 40 read units for 500 runs. Raises InvalidInputError.
    """
    kind = checked_task_type(task_type)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_RUNS:
        raise InvalidInputError(f"limit is {limit!r}: use a whole number from 1 to {MOST_RUNS}")
    return list(islice(_runs(store, agent_id, kind, limit), limit))


def metrics(store: Store, agent_id: str, task_type: str) -> TaskMetrics:
    """Return what all runs of a type of task add up to.

    One request for every megabyte of the index, which is some 3,500 runs.
    """
    kind = checked_task_type(task_type)
    return summed(kind, _runs(store, agent_id, kind, None))


def summed(task_type: TaskType | None, runs: Iterable[WorkflowRun]) -> TaskMetrics:
    """Return what runs add up to: the averages are over those that say a duration, or a cost."""
    total = successful = 0
    durations: list[float] = []
    costs: list[float] = []
    for run in runs:
        total += 1
        successful += run.success
        durations += [] if run.duration is None else [run.duration]
        costs += [] if run.cost is None else [run.cost]
    return TaskMetrics(
        task_type=task_type,
        total=total,
        successful=successful,
        success_rate=successful / total if total else None,
        average_duration=average(durations),
        average_cost=average(costs),
        timed=len(durations),
        costed=len(costs),
    )


def average(amounts: list[float]) -> float | None:
    """Return the mean, or None of nothing; exact sums, so the order plays no part."""
    return math.fsum(amounts) / len(amounts) if amounts else None


def steps_of(store: Store, decision_ids: list[str]) -> dict[str, list[object]]:
    """Return the steps that these runs' decisions say, by decision. One request for a hundred."""
    wanted = [keys.decision(DecisionId.parse(each)) for each in decision_ids]
    found = {}
    for item in store.fetch(DECISIONS, wanted):
        decision = items.read_decision(store, item)
        steps = decision.context.as_dict().get(workflow_facts.STEPS)
        if isinstance(steps, list):
            found[decision.decision_id] = steps
    return found


def claim_run_id(store: Store, agent_id: str, run_id: str) -> str:
    """Return the id of the decision that a run of this id is; the same one each time.

    One request. The item that says so is written before the decision, so a run that was half
    stored goes on under the same id. Raises InvalidInputError for text that cannot be in a key.
    """
    checked_key_part(run_id, "run_id")
    now = store.clock()
    decision_id = new_decision_id(agent_id, now)
    item = session_keys.run_id(agent_id, run_id) | {"decision_id": decision_id}
    standing = store.insert(DECISIONS, item | store.expiry(now))
    return decision_id if standing is None else str(standing["decision_id"])


def _runs(
    store: Store, agent_id: str, kind: TaskType, page_size: int | None
) -> Iterator[WorkflowRun]:
    found = store.query(
        DECISIONS,
        equals("type_key", session_keys.workflow_key(agent_id, kind)),
        index=DECISIONS.index("DecisionTypeIndex"),
        newest_first=True,
        page_size=page_size,
    )
    return (workflow_facts.read_run(agent_id, item) for item in found)
