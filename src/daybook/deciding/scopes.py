"""Where the running code stands: in which decision, and whose log it writes.

A context variable holds it. So each thread and each asyncio task has its own; a task, and
`asyncio.to_thread`, start where they were made, and a plain thread or a pool's starts nowhere
unless the work is handed over with `carrying`.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from daybook.errors import InvalidInputError
from daybook.memory_manager import MemoryManager

if TYPE_CHECKING:
    from daybook.deciding.blocks import DecisionBlock

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(eq=False)
class Scope:
    """Whose log is written here, and the decision that this is part of.

    `before` is where to go back to. A scope that was `left_early`, while another was current,
    is not gone back to.
    """

    memory: MemoryManager
    block: "DecisionBlock | None"
    before: "Scope | None" = None
    left_early: bool = False


_here: ContextVar[Scope | None] = ContextVar("daybook_scope", default=None)


def current_decision() -> "DecisionBlock | None":
    """Return the decision that the running code is part of, or None.

    In a task that outlives its block it is still that block, which no longer changes.
    """
    scope = _here.get()
    return scope.block if scope else None


def current_memory() -> MemoryManager | None:
    """Return the handle of the agent whose block, or whose `active`, is the innermost."""
    scope = _here.get()
    return scope.memory if scope else None


def enter(scope: Scope) -> None:
    """Make a scope the current one."""
    scope.before = _here.get()
    _here.set(scope)


def leave(scope: Scope) -> None:
    """Go back to the scope around this one.

    Elsewhere nothing happens: blocks that are entered by hand may be left in any order, and in
    another context than they were entered in.
    """
    if _here.get() is not scope:
        scope.left_early = True
        return
    before = scope.before
    while before is not None and before.left_early:
        before = before.before
    _here.set(before)
    scope.before = None


@contextmanager
def active(memory: MemoryManager) -> Iterator[None]:
    """Make this agent's log the one that decorated functions write; decisions nest on."""
    scope = Scope(memory, current_decision())
    enter(scope)
    try:
        yield
    finally:
        leave(scope)


def carrying(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return the function, to be run elsewhere as if it were called here.

    For work that a block hands to another thread: `pool.submit(carrying(work), x)`. Decisions
    in there get the block as their parent. It may run many times, also at once. Raises
    InvalidInputError for an async function: asyncio carries it by itself.
    """
    if not callable(function):
        raise InvalidInputError(f"carrying takes a function, not {type(function).__name__}")
    if inspect.iscoroutinefunction(function):
        raise InvalidInputError(
            f"{function.__qualname__} is async: asyncio's tasks and to_thread carry the current "
            "decision by themselves. carrying is for functions that run in other threads"
        )
    captured = copy_context()

    @wraps(function)
    def carried(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        # a copy for each call, because a context can be entered by one thread at a time
        return captured.copy().run(function, *args, **kwargs)

    return carried
