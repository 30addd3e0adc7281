"""What there is in the tables and in the archive, once so many days of log are kept."""

from daybook.costs import consolidation
from daybook.costs.calls import planned_a_day
from daybook.costs.capacity import (
    CHECKPOINTS_KEPT,
    INDEX_ENTRY,
    OUTCOME_ITEM,
    decision_bytes,
    state_bytes,
)
from daybook.costs.deployment import Fn
from daybook.costs.workload import Workload

ITEM = 100
"""Bytes that DynamoDB counts for each item, and for each entry of an index, besides its own."""

_SIGNAL = 1_500
"""A signal and its delivery, which go after a day, with their entries."""


def table_bytes(workload: Workload) -> float:
    """Return the bytes of all items, without the indexes: what point-in-time recovery holds."""
    return (
        log_bytes(workload)
        + workload.agents * (_memory(workload) + _state(workload))
        + (workload.agents * workload.cycles_per_day * workload.signals_per_cycle * _SIGNAL)
    )


def index_bytes(workload: Workload) -> float:
    """Return the bytes of the log's indexes; those of the other tables are too small to count."""
    return _logged(workload) * INDEX_ENTRY * (1 + 2 * workload.outcomes)


def archive_bytes(workload: Workload) -> float:
    """Return the bytes of the archive of the days whose log is kept; it grows on after that."""
    return _logged(workload) * consolidation.archived_bytes(workload.decision_kb)


def log_bytes(workload: Workload) -> float:
    """Return the bytes of the decisions and outcomes that are kept, without the indexes."""
    each = decision_bytes(workload.decision_kb) + ITEM + OUTCOME_ITEM * workload.outcomes
    return _logged(workload) * each


def _logged(workload: Workload) -> float:
    """Return how many decisions are in the log."""
    a_day = workload.agents * workload.cycles_per_day * workload.decisions_per_cycle
    return a_day * workload.retention_days


def _memory(workload: Workload) -> float:
    """Return the bytes of an agent's long-term memory."""
    days = workload.retention_days
    types = consolidation.types_of(workload.decisions_per_cycle)
    learned = min(1.0, workload.outcomes * workload.decisions_per_cycle)
    runs = min(planned_a_day(Fn.PLANNER), workload.cycles_per_day * learned)
    records = runs * min(days, consolidation.RUN_RECORDS_DAYS) * consolidation.RUN_RECORD_BYTES
    hours = min(24.0, workload.cycles_per_day) * days * consolidation.HOUR_BYTES
    return types * consolidation.KNOWLEDGE_BYTES + records + hours


def _state(workload: Workload) -> float:
    """Return the bytes of an agent's state and of the checkpoints that are kept."""
    if not workload.saves_per_cycle:
        return 0.0
    return (1 + CHECKPOINTS_KEPT) * (state_bytes(workload.state_kb) + 2 * ITEM)
