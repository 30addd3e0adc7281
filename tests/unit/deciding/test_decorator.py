"""Decorated functions: what is recorded of a call, whose log it is, and what is refused."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from enum import StrEnum
from typing import Any, assert_type

import pytest

from daybook import (
    DecisionLogger,
    DecisionRecord,
    DecisionType,
    InvalidInputError,
    UnreachableError,
    current_decision,
    decision,
)
from tests.unit.deciding.broken import Broken

QUERY = DecisionType.QUERY_EXECUTION


class Side(StrEnum):
    """A choice by another name."""

    BUY = "buy"


def only(log: DecisionLogger) -> DecisionRecord:
    """Return the one decision in the log."""
    (found,) = log.query_decisions()
    return found


def test_a_call_is_a_decision(log: DecisionLogger) -> None:
    """Its arguments are the context, its returned text the choice, its end the success."""

    @decision(QUERY, log=log, options=["a", "b"], tags=["t"])
    def choose(limit: int, *, fast: bool = True) -> str:
        """Choose."""
        return "a" if fast and limit else "b"

    assert_type(choose(3), str)
    read = only(log)
    assert read.decision_type is QUERY
    assert read.context.as_dict() == {"limit": 3, "fast": True}
    assert (read.reasoning.selected, read.reasoning.confidence) == (["a"], 1.0)
    assert (read.reasoning.options, read.tags) == (["a", "b"], ["t"])
    assert read.outcome is not None
    assert read.outcome.success
    assert (choose.__name__, choose.__doc__) == ("choose", "Choose.")
    assert list(inspect.signature(choose).parameters) == ["limit", "fast"]


def test_an_async_call_is_a_decision(log: DecisionLogger) -> None:
    """The same, awaited; it stays a coroutine function."""

    @decision(QUERY, log=log)
    async def choose(limit: int) -> list[str]:
        await asyncio.sleep(0.02)
        return ["a", "b"][:limit]

    assert inspect.iscoroutinefunction(choose)
    assert asyncio.run(choose(2)) == ["a", "b"]
    read = only(log)
    assert (read.context.as_dict(), read.reasoning.selected) == ({"limit": 2}, ["a", "b"])
    assert read.outcome is not None
    assert read.outcome.latency_ms is not None
    assert read.outcome.latency_ms >= 20


@pytest.mark.parametrize(
    ("returned", "selected"),
    [
        ("a", ["a"]),
        (Side.BUY, ["buy"]),
        (["a", "b"], ["a", "b"]),
        (("a",), ["a"]),
        ("", []),
        ([], []),
        ([""], []),
        (["a", 1], []),
        (None, []),
        (True, []),
        ({"a": 1}, []),
        (b"a", []),
    ],
)
def test_what_is_returned_is_the_choice(
    log: DecisionLogger, returned: object, selected: list[str]
) -> None:
    """Text or a list of texts; anything else is not a choice."""

    @decision(QUERY, log=log)
    def choose() -> object:
        return returned

    assert choose() is returned
    assert only(log).reasoning.selected == selected


def test_the_choice_from_what_is_returned(log: DecisionLogger) -> None:
    """`selected` makes it; a function may also make it itself, and say more."""

    @decision(QUERY, log=log, selected=lambda order: order["side"])
    def order() -> dict[str, str]:
        return {"side": "buy"}

    @decision(QUERY, log=log, confidence=None)
    def choose() -> str:
        d = current_decision()
        assert d is not None
        d.select("a", confidence=0.25)
        d.outcome(False, 0.1)
        return "not the choice"

    order()
    choose()
    later, first = log.query_decisions()
    assert first.reasoning.selected == ["buy"]
    assert (later.reasoning.selected, later.reasoning.confidence) == (["a"], 0.25)
    assert later.outcome is not None
    assert (later.outcome.success, later.outcome.quality_score) == (False, 0.1)


def test_a_returned_choice_that_is_no_option(
    log: DecisionLogger, caplog: pytest.LogCaptureFixture
) -> None:
    """The function went well, and so it is logged; the choice is an error, or a warning."""

    @decision(QUERY, log=log, options=["a"])
    def choose() -> str:
        return "c"

    @decision(QUERY, log=log, options=["a"])
    async def choose_async() -> str:
        return "c"

    @decision(QUERY, log=log, selected=lambda result: result["no such"], on_log_failure="warn")
    def kept() -> dict[str, str]:
        return {"side": "buy"}

    for call in (choose, lambda: asyncio.run(choose_async())):
        with pytest.raises(InvalidInputError, match="not an option") as told:
            call()
        assert "went well" in told.value.__notes__[0]
    assert kept() == {"side": "buy"}
    assert "no such" in caplog.text
    read = list(log.query_decisions())
    assert [d.outcome is not None and d.outcome.success for d in read] == [True] * 3
    assert [d.reasoning.selected for d in read] == [[]] * 3


def test_exceptions_are_failures(log: DecisionLogger) -> None:
    """They go on unchanged, also out of async functions."""
    fault = KeyError("x")

    @decision(QUERY, log=log, outcome="later")
    def choose() -> str:
        raise fault

    @decision(QUERY, log=log)
    async def choose_async() -> str:
        raise fault

    for call in (choose, lambda: asyncio.run(choose_async())):
        with pytest.raises(KeyError) as caught:
            call()
        assert caught.value is fault
    errors = [d.outcome and d.outcome.error for d in log.query_decisions()]
    assert errors == ["KeyError: 'x'"] * 2


def test_context_replaces_the_arguments(log: DecisionLogger) -> None:
    """By a mapping, or by what a function makes of the arguments by name."""

    @decision(QUERY, log=log, context=lambda call: {"count": len(call["prices"])})
    def first(prices: list[float]) -> None: ...

    @decision(QUERY, log=log, context={"fixed": 1})
    def second(prices: list[float]) -> None: ...

    @decision(QUERY, log=log, include=["b"])
    def third(a: int, b: int) -> None: ...

    @decision(QUERY, log=log, exclude=("b",))
    def fourth(a: int, b: int) -> None: ...

    first([1.0, 2.0])
    second([1.0])
    third(1, 2)
    fourth(1, 2)
    contexts = [d.context.as_dict() for d in log.query_decisions()]
    assert contexts == [{"a": 1}, {"b": 2}, {"fixed": 1}, {"count": 2}]


def test_keywords_are_recorded_by_their_names(log: DecisionLogger) -> None:
    """A password among them is not, and `exclude` may name any."""

    @decision(QUERY, log=log, exclude=["account"])
    def choose(a: int, **options: str) -> None: ...

    choose(1, password="hunter2", account="7", mode="fast")  # noqa: S106 - what must not be kept
    recorded = only(log).context.as_dict()
    assert recorded == {"arguments_left_out": ["password"], "a": 1, "mode": "fast"}


def test_a_bad_context_is_told_before_the_function_runs(log: DecisionLogger) -> None:
    """Nothing has happened then, and nothing is written."""
    ran: list[int] = []

    @decision(QUERY, log=log, context=lambda _: {"x": {1, 2}})
    def choose() -> None:
        ran.append(1)

    with pytest.raises(InvalidInputError, match="x"):
        choose()
    assert ran == []
    assert list(log.query_decisions()) == []


def test_a_call_that_does_not_fit_is_pythons_own_error(log: DecisionLogger) -> None:
    """And no decision, because nothing ran."""

    @decision(QUERY, log=log)
    def choose(a: int) -> None: ...

    @decision(QUERY, log=log)
    async def choose_async(a: int) -> None: ...

    wrong: Any = choose
    with pytest.raises(TypeError, match=r"choose\(\) missing 1 required positional argument"):
        wrong()
    wrong = choose_async
    with pytest.raises(TypeError, match="missing 1 required"):
        asyncio.run(wrong())
    assert list(log.query_decisions()) == []


def generator() -> Iterator[int]:
    """Yield."""
    yield 1


async def async_generator() -> AsyncIterator[int]:
    """Yield."""
    yield 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (generator, "a generator"),
        (async_generator, "a generator"),
        (functools.partial(generator), "a generator"),
        (Side, "a class"),
        (classmethod(lambda _: None), "below @classmethod"),
        (staticmethod(lambda: None), "below @staticmethod"),
        (property(lambda _: None), "below @property"),
        ("text", "a str"),
        (None, "a NoneType"),
    ],
)
def test_what_is_no_function_is_refused(wrong: Any, said: str) -> None:
    """As it is decorated."""
    with pytest.raises(InvalidInputError, match=said):
        decision(QUERY)(wrong)


@pytest.mark.parametrize(
    "faulty",
    [
        {"decision_type": lambda: None},
        {"decision_type": "no such"},
        {"log": 5},
        {"options": ["a", "a"]},
        {"confidence": 2.0},
        {"context": {}, "include": ["a"]},
        {"context": {}, "exclude": ["a"]},
        {"include": ["nobody"]},
        {"exclude": ["nobody"]},
        {"exclude": "a"},
        {"outcome": False},
        {"on_log_failure": 1},
        {"tagz": []},
    ],
)
def test_bad_arguments_are_told_as_it_is_decorated(log: DecisionLogger, faulty: Any) -> None:
    """Not at the first call."""

    def choose(a: int) -> None: ...

    with pytest.raises(InvalidInputError):
        decision(**{"decision_type": QUERY, "log": log} | faulty)(choose)


def test_a_decorator_without_its_type_is_told_how() -> None:
    """`@decision` alone gets the function where the type belongs."""
    bare: Any = decision
    for wrong in (only, staticmethod(only), None):
        with pytest.raises(InvalidInputError, match=r"write @decision\(DecisionType.X\)"):
            bare(wrong)


def test_recursion_nests(log: DecisionLogger) -> None:
    """Each call is a decision of the one that made it."""

    @decision(QUERY, log=log)
    def down(n: int) -> None:
        if n:
            down(n - 1)

    down(5)
    (leaf,) = (d for d in log.query_decisions() if d.context.as_dict() == {"n": 0})
    chain = log.get_decision_chain(leaf.decision_id)
    assert [d.context.as_dict()["n"] for d in chain] == [5, 4, 3, 2, 1, 0]


def test_what_was_returned_survives_with_a_warning(log: DecisionLogger) -> None:
    """With on_log_failure="warn" a caller gets its result although the log is down."""
    broken = DecisionLogger(Broken(log.memory, "decision", 2, UnreachableError("no answer")))

    @decision(QUERY, log=broken, on_log_failure="warn")
    def kept() -> str:
        return "a"

    @decision(QUERY, log=broken)
    def lost() -> str:
        return "a"

    assert kept() == "a"
    with pytest.raises(UnreachableError):
        lost()


def test_other_callables(log: DecisionLogger) -> None:
    """Builtins, lambdas and partials work too, unless Python cannot tell their parameters."""
    functions: list[tuple[Callable[..., Any], Any]] = [
        (lambda x: x + x, "ab"),
        (functools.partial(sorted, reverse=True), "ab"),
        (len, "ab"),
    ]
    for function, argument in functions:
        assert decision(QUERY, log=log)(function)(argument) == function(argument)
    contexts = [d.context.as_dict() for d in log.query_decisions()]
    assert contexts == [
        {"obj": "ab"},
        {"iterable": "ab", "key": None, "reverse": True},
        {"x": "ab"},
    ]
    with pytest.raises(InvalidInputError, match="no parameters of min"):
        decision(QUERY, log=log)(min)
