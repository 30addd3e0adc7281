"""A pipeline: steps by their names, sync or async, each given what the one before returned."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daybook.deciding.off_loop import off_loop
from daybook.errors import InvalidInputError
from daybook.models.workflows import WorkflowPattern

Step = Callable[[Any], Any]
Steps = Mapping[str, Step] | Sequence[Step | tuple[str, Step]]


@dataclass(frozen=True)
class Pipeline:
    """Steps by name, in the order in which they are done unless something better is known."""

    steps: Mapping[str, Step]

    @classmethod
    def of(cls, given: Steps) -> "Pipeline":
        """Return a pipeline of a mapping, or of a list of functions, or of (name, function).

        Raises InvalidInputError for what cannot be called, has no name, or has another's.
        """
        named: list[tuple[str, Step]]
        if isinstance(given, Mapping):
            named = list(given.items())
        elif isinstance(given, list | tuple):
            named = [each if isinstance(each, tuple) else (_name(each), each) for each in given]
        else:
            raise InvalidInputError(f"steps is {given!r:.60}: use a list of functions, or a dict")
        steps: dict[str, Step] = {}
        for name, step in named:
            if not isinstance(name, str) or not name or not callable(step):
                raise InvalidInputError(
                    f"{name!r:.60}: {step!r:.60} is no step: use a name and a function"
                )
            if name in steps:
                raise InvalidInputError(
                    f"two steps are called {name!r:.60}: name them, as in "
                    "{'look': …, 'look again': …}"
                )
            steps[name] = step
        if not steps:
            raise InvalidInputError("the pipeline has no steps: pass at least one")
        return cls(steps)

    def can_run(self, pattern: WorkflowPattern) -> bool:
        """Whether every step of a pattern is one of these."""
        return all(isinstance(s, str) and s in self.steps for s in pattern.workflow_steps)

    async def run(self, order: Sequence[str], request: Any) -> Any:
        """Do the steps in this order, and return what the last one returned.

        Sync ones run in the loop's thread pool. Whatever a step raises is raised.
        """
        value = request
        for name in order:
            value = await _done(self.steps[name], value)
        return value


async def _done(step: Step, value: Any) -> Any:
    if inspect.iscoroutinefunction(step):
        return await step(value)

    def attempt() -> tuple[Any, Exception | None]:
        # not through the future, which StopIteration would leave waiting
        try:
            return step(value), None
        except Exception as fault:  # noqa: BLE001 - raised where it was asked for
            return None, fault

    answer, fault = await off_loop(attempt)
    if fault is not None:
        raise fault
    return await answer if inspect.isawaitable(answer) else answer


def _name(step: object) -> str:
    name = getattr(step, "__name__", None)
    return name if isinstance(name, str) else type(step).__name__
