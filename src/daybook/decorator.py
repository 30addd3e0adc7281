"""`@decision`: a function each of whose calls is a decision."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from functools import partial, wraps
from typing import Any, Protocol, TypeVar, Unpack, cast

from daybook.deciding import (
    BlockDetails,
    Context,
    DecisionBlock,
    current_memory,
    recorded_arguments,
)
from daybook.deciding.arguments import bound_arguments, keywords_of, owner_of
from daybook.deciding.blocks import Unlogged, When, checked_block
from daybook.deciding.faults import noted, warned
from daybook.errors import InvalidInputError, NoLoggerError
from daybook.logger import DecisionLogger
from daybook.memory_manager import MemoryManager
from daybook.models import DecisionType

Function = TypeVar("Function", bound=Callable[..., Any])
Arguments = dict[str, Any]
Log = DecisionLogger | Callable[[], DecisionLogger]


class Decorator(Protocol):
    """Wraps a function and keeps its type."""

    def __call__(self, function: Function, /) -> Function:
        """Return the wrapped function."""


def decision(
    decision_type: DecisionType | str,
    *,
    log: Log | None = None,
    options: Sequence[str] = (),
    confidence: float | None = 1.0,
    context: Context | Callable[[Arguments], Context] = None,
    include: Collection[str] | None = None,
    exclude: Collection[str] = (),
    selected: Callable[[Any], Sequence[str] | str] | None = None,
    outcome: When = "now",
    on_log_failure: Unlogged = "raise",
    **details: Unpack[BlockDetails],
) -> Decorator:
    """Make each call of a function, or of an `async def`, a decision.

    A call that returns an awaitable is a decision until that has been awaited to its end.

    Its arguments are the context, its returned text or list of texts is what was selected, and
    an exception is its failure. `context` (a mapping, or a function of the arguments by name)
    replaces the arguments; `include` and `exclude` name some of them; `selected` makes the
    choice out of what is returned. The log is `log` (a DecisionLogger, or a function that
    gives one), else the attribute `log` or `logger` of a method's object, else that of the
    block, or of the `with log.active():`, around the call.

    Raises InvalidInputError at once for what is no function, for a generator, and for bad
    arguments; each call raises NoLoggerError, before the function runs, when there is no log.
    The rest is as in `DecisionLogger.deciding`.
    """
    if not isinstance(decision_type, str):
        raise InvalidInputError(
            f"@decision was given {_name(decision_type)} in place of a type of decision: "
            "write @decision(DecisionType.X)",
            [("decision_type", "is not a DecisionType")],
        )
    begin = partial(
        DecisionBlock,
        decision_type=decision_type,
        options=options,
        confidence=confidence,
        outcome=outcome,
        on_log_failure=on_log_failure,
        **details,
    )
    checked_block(**begin.keywords)  # bad arguments are told here, not at the first call
    factory = _BlockFactory(begin, log, context, include, exclude)

    def decorate(function: Function, /) -> Function:
        _refuse_unfit(function)
        block = factory.for_calls_of(function)

        async def awaited(around: DecisionBlock, work: Callable[[], Awaitable[Any]]) -> Any:
            async with around as decided:
                result = await work()
                unfit = _choose(decided, result, selected)
            _tell(decided, unfit, on_log_failure)
            return result

        if any(map(inspect.iscoroutinefunction, _run_by(function))):

            @wraps(function)
            async def decided_async(*args: Any, **kwargs: Any) -> Any:
                around = block(args, kwargs)
                work = partial(function, *args, **kwargs)
                # a call that does not fit has no block: Python says how
                return await (work() if around is None else awaited(around, work))

            return cast("Function", decided_async)

        @wraps(function)
        def decided(*args: Any, **kwargs: Any) -> Any:
            around = block(args, kwargs)
            if around is None:
                return function(*args, **kwargs)
            with ExitStack() as open_block:
                decided = open_block.enter_context(around)
                result = function(*args, **kwargs)
                if inspect.isawaitable(result):
                    open_block.pop_all()
                    decided.set_aside()
                    return awaited(decided, lambda: result)
                unfit = _choose(decided, result, selected)
            _tell(decided, unfit, on_log_failure)
            return result

        return cast("Function", decided)

    return decorate


class _BlockFactory:
    """Makes the blocks of decorated functions' calls."""

    def __init__(
        self,
        begin: Callable[..., DecisionBlock],
        log: Log | None,
        context: Context | Callable[[Arguments], Context],
        include: Collection[str] | None,
        exclude: Collection[str],
    ) -> None:
        if log is not None and not isinstance(log, DecisionLogger) and not callable(log):
            raise InvalidInputError(
                f"log is a {type(log).__name__}: pass a DecisionLogger, or a function that "
                "gives one"
            )
        if context is not None and (include is not None or exclude):
            raise InvalidInputError(
                "context replaces the arguments: leave include and exclude out"
            )
        self.begin, self.log, self.context = begin, log, context
        self.include, self.exclude = include, exclude

    def for_calls_of(
        self, function: Callable[..., Any]
    ) -> Callable[[tuple[Any, ...], Mapping[str, Any]], DecisionBlock | None]:
        """Return what makes the block of a call; it makes none of a call that does not fit."""
        try:
            signature = inspect.signature(function)
        except ValueError:
            raise InvalidInputError(
                f"Python knows no parameters of {_name(function)}: decorate a `def` that calls it"
            ) from None
        owner, gathering = owner_of(signature), keywords_of(signature)
        _refuse_unknown(function, signature, self.include, self.exclude)

        def block(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> DecisionBlock | None:
            arguments = bound_arguments(signature, args, kwargs)
            if arguments is None:
                return None
            whose = arguments.pop(owner) if owner else None
            memory = _memory_for(function, self.log, whose)
            return self.begin(memory, context=self._seen(arguments, gathering))

        return block

    def _seen(self, arguments: Arguments, gathering: str | None) -> Context:
        if self.context is None:
            return recorded_arguments(arguments, self.include, self.exclude, gathering)
        return self.context(arguments) if callable(self.context) else self.context


def _choose(
    decided: DecisionBlock,
    result: object,
    selected: Callable[[Any], Sequence[str] | str] | None,
) -> Exception | None:
    """Take the choice from what was returned, unless the function made it itself.

    Returns why it cannot be taken: the function has gone well, and that is no failure of it.
    """
    try:
        if selected is not None:
            decided.select(selected(result))
        elif not decided.selected:
            names = [result] if isinstance(result, str) else result
            if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
                chosen = [name for name in names if name]
                if chosen:
                    decided.select(chosen)
    except Exception as unfit:  # noqa: BLE001 - `selected` may raise anything
        return unfit
    return None


def _tell(decided: DecisionBlock, unfit: Exception | None, on_log_failure: Unlogged) -> None:
    """Tell of a choice that could not be taken, once the decision is logged without it."""
    if unfit is None:
        return
    note = f"the function itself went well; {decided.decision_id} has no choice from its result"
    if on_log_failure == "warn":
        warned(note, unfit)
        return
    noted(unfit, note)
    raise unfit


def _memory_for(function: Callable[..., Any], log: Log | None, whose: object) -> MemoryManager:
    if log is not None:
        logger = log if isinstance(log, DecisionLogger) else log()
        if not isinstance(logger, DecisionLogger):
            raise NoLoggerError(
                f"the log given to @decision of {_name(function)} gave a "
                f"{type(logger).__name__}: it has to give a DecisionLogger"
            )
        return logger.memory
    for attribute in ("log", "logger"):
        own = getattr(whose, attribute, None)
        if isinstance(own, DecisionLogger):
            return own.memory
    around = current_memory()
    if around is None:
        raise NoLoggerError(
            f"{_name(function)} is a decision, and there is no log to write it into: pass "
            "@decision(…, log=log), call it inside `with log.active():` or a "
            "`with log.deciding(…):`, or give its object an attribute `log`, a DecisionLogger"
        )
    return around


def _run_by(function: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """Return what a call may run: an object that is no function runs its class's `__call__`."""
    return function, type(function).__call__


def _refuse_unfit(function: object) -> None:
    found = None
    if isinstance(function, classmethod | staticmethod | property):
        kind = type(function).__name__
        found = f"a {kind}: put @decision below @{kind}"
    elif inspect.isclass(function):
        found = "a class: decorate the method that decides"
    elif not callable(function):
        found = f"a {type(function).__name__}: use @decision(DecisionType.…) above a function"
    elif any(
        inspect.isgeneratorfunction(run) or inspect.isasyncgenfunction(run)
        for run in _run_by(function)
    ):
        found = (
            "a generator, which runs piece by piece among other code: use "
            "`with log.deciding(…):` around each choice inside it"
        )
    if found:
        raise InvalidInputError(f"@decision cannot wrap {_name(function)}, which is {found}")


def _refuse_unknown(
    function: object,
    signature: inspect.Signature,
    include: Collection[str] | None,
    exclude: Collection[str],
) -> None:
    takes_any = keywords_of(signature) is not None
    for wanted, names in (("include", include or ()), ("exclude", exclude)):
        if isinstance(names, str):
            raise InvalidInputError(f'{wanted} is the text {names!r}: use ("{names}",)')
        for name in names:
            if name not in signature.parameters and not takes_any:
                raise InvalidInputError(
                    f"{wanted} names {name!r}, which is no parameter of {_name(function)}"
                )


def _name(function: object) -> str:
    return str(getattr(function, "__qualname__", repr(function)))
