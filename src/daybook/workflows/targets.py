"""What a workflow is chosen by."""

from collections.abc import Callable, Sequence
from typing import Literal

from daybook.errors import InvalidInputError
from daybook.models.workflows import WorkflowPattern

Target = Literal["success_rate", "duration", "cost"]
TARGETS = ("success_rate", "duration", "cost")


def best_of(target: str) -> Callable[[Sequence[WorkflowPattern]], WorkflowPattern | None]:
    """Return the function that chooses by this target. Raises InvalidInputError."""
    if target not in TARGETS:
        raise InvalidInputError(
            f"optimization_target is {target!r:.60}: use one of {', '.join(TARGETS)}"
        )

    def choose(ranked: Sequence[WorkflowPattern]) -> WorkflowPattern | None:
        if target == "success_rate":
            return next(iter(ranked), None)
        told = [(amount, one) for one in ranked if (amount := _amount(one, target)) is not None]
        # of equal amounts the first, which did better
        return min(told, key=lambda each: each[0])[1] if told else None

    return choose


def _amount(pattern: WorkflowPattern, target: str) -> float | None:
    return pattern.average_duration if target == "duration" else pattern.average_cost
