"""What the metrics of several types of task add up to."""

import math
from collections.abc import Mapping

from daybook.models.workflows import LearningMetrics, TaskMetrics


def together(
    by_type: Mapping[str, TaskMetrics],
    *,
    patterns_learned: int,
    retrieval_accuracy: float | None,
) -> LearningMetrics:
    """Return the sum of the metrics; averages weighted by the runs that say them."""
    total = sum(each.total for each in by_type.values())
    successful = sum(each.successful for each in by_type.values())
    durations = [(e.average_duration, e.timed) for e in by_type.values()]
    costs = [(e.average_cost, e.costed) for e in by_type.values()]
    return LearningMetrics(
        total=total,
        successful=successful,
        success_rate=successful / total if total else None,
        average_duration=_weighted(durations),
        timed=sum(e.timed for e in by_type.values()),
        average_cost=_weighted(costs),
        costed=sum(e.costed for e in by_type.values()),
        by_task_type=dict(by_type),
        patterns_learned=patterns_learned,
        retrieval_accuracy=retrieval_accuracy,
    )


def _weighted(found: list[tuple[float | None, int]]) -> float | None:
    counted = sum(count for amount, count in found if amount is not None)
    if not counted:
        return None
    return math.fsum(amount * count for amount, count in found if amount is not None) / counted
