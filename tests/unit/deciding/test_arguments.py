"""What of a call goes into the context."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.deciding.arguments import (
    LARGEST_ARGUMENT,
    LARGEST_CALL,
    LEFT_OUT,
    MOST_KEYWORDS,
    bound_arguments,
    owner_of,
    recorded_arguments,
)
from daybook.models import DecisionContext


class Side(StrEnum):
    """A text by another name."""

    BUY = "buy"


loop: list[Any] = []
loop.append(loop)
deep: list[Any] = []
for _ in range(100):
    deep = [deep]


@pytest.mark.parametrize(
    "value", [1, 2**70, 0.5, True, None, "text", Side.BUY, [1, "a"], {"a": [None]}, ("a", 1)]
)
def test_json_is_recorded(value: object) -> None:
    """Under its name; a tuple as a list, a member of a StrEnum as its text."""
    kept = list(value) if isinstance(value, tuple) else value
    assert recorded_arguments({"x": value}) == {"x": kept}


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 1, tzinfo=UTC),
        Decimal(1),
        object(),
        {1, 2},
        b"bytes",
        float("nan"),
        [float("inf")],
        {1: 2},
        "half \ud800",
        loop,
        deep,
        MappingProxyType({"a": 1}),
        "x" * LARGEST_ARGUMENT,
        list(range(LARGEST_ARGUMENT)),
        {"a": {"b": "x" * LARGEST_ARGUMENT}},
        2**4000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_rest_is_named(value: object) -> None:
    """What is no JSON, or too large, is left out and listed, and costs no other its place."""
    assert recorded_arguments({"x": value, "y": 1}) == {LEFT_OUT: ["x"], "y": 1}


def test_the_names_of_the_context_have_their_types() -> None:
    """A `market` that is no mapping and a `cycle` that is no integer would be refused."""
    assert recorded_arguments({"market": {"a": 1}, "cycle": 3}) == {"market": {"a": 1}, "cycle": 3}
    assert recorded_arguments({"market": "up", "cycle": 0.5}) == {LEFT_OUT: ["market", "cycle"]}


def test_what_may_be_a_secret_is_asked_for_by_name() -> None:
    """An immutable log is no place for a key that somebody happened to pass."""
    call = {"symbol": "IBM", "api_key": "k", "db_Password": "p", "token": "ETH"}
    assert recorded_arguments(call) == {
        LEFT_OUT: ["api_key", "db_Password"],
        "symbol": "IBM",
        "token": "ETH",
    }
    assert recorded_arguments(call, include=["api_key"]) == {"api_key": "k"}
    assert recorded_arguments(call, exclude=["api_key", "db_Password", "token"]) == {
        "symbol": "IBM"
    }


def test_a_secret_inside_is_none_to_record() -> None:
    """A mapping with a secret at any depth is left out, unless it is asked for."""
    call = {"config": {"db": [{"Password": "p"}]}, "plain": {"db": ["password"]}}
    assert recorded_arguments(call) == {LEFT_OUT: ["config"], "plain": call["plain"]}
    assert recorded_arguments(call, include=["config"]) == {"config": call["config"]}


def test_keywords_are_arguments() -> None:
    """What `**kwargs` takes is judged by its own names, or all of it by that parameter's."""
    call = {"a": 1, "more": {"password": "p", "b": 2, "c": {"api_key": "k"}}}
    kept = {LEFT_OUT: ["password", "c"], "b": 2, "a": 1}
    assert recorded_arguments(call, gathering="more") == kept
    assert recorded_arguments(call, ["b"], gathering="more") == {"b": 2}
    assert recorded_arguments(call, ["password"], gathering="more") == {"password": "p"}
    assert recorded_arguments(call, ["more"], gathering="more") == {
        LEFT_OUT: ["password", "c"],
        "b": 2,
    }
    assert recorded_arguments(call, None, ["b", "c", "password"], "more") == {"a": 1}
    assert recorded_arguments(call, None, ["more"], "more") == {"a": 1}


@pytest.mark.parametrize("made_up", [{"x" * 10**6: 1}, {"\ud800": 1}, {"": 1}])
def test_keywords_that_nobody_would_write(made_up: dict[str, Any]) -> None:
    """They are named by the parameter that took them."""
    assert recorded_arguments({"more": made_up}, gathering="more") == {LEFT_OUT: ["more"]}
    many = {f"k{n}": object() for n in range(10_000)}
    (left_out,) = recorded_arguments({"more": many}, gathering="more").values()
    assert isinstance(left_out, list)
    assert len(left_out) == MOST_KEYWORDS + 1


def test_all_arguments_together_are_bounded() -> None:
    """Ten arguments that are each small enough are not all recorded."""
    kept = recorded_arguments({f"a{n}": "x" * 4_000 for n in range(10)})
    assert len(kept) == 1 + LARGEST_CALL // 4_002
    assert kept[LEFT_OUT] == ["a8", "a9"]


class Counted(list[int]):
    """A list that counts how much of it is looked at."""

    looked_at = 0

    def __iter__(self) -> Iterator[int]:
        """Count."""
        for number in super().__iter__():
            self.looked_at += 1
            yield number


def test_no_more_is_looked_at_than_would_fit() -> None:
    """So a million numbers cost no more than a thousand."""
    million = Counted(range(1_000_000))
    recorded_arguments({"x": million, "y": {"z": million}})
    assert 0 < million.looked_at <= 2 * LARGEST_ARGUMENT // 8


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.text(st.characters(categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
)


@given(st.dictionaries(st.text(min_size=1), anything))
def test_whatever_is_recorded_is_a_context(arguments: dict[str, Any]) -> None:
    """No argument makes a call fail."""
    recorded = recorded_arguments(arguments)
    left_out = recorded.pop(LEFT_OUT, [])
    DecisionContext.model_validate(recorded)
    assert set(recorded) | set(left_out) == set(arguments)
    assert all(recorded[name] == arguments[name] for name in recorded)


def test_calls_are_bound_as_python_binds_them() -> None:
    """By name, defaults too; a call that does not fit has no arguments."""

    def function(
        self: object, a: int, /, b: int = 2, *rest: int, c: int = 3, **more: int
    ) -> None: ...

    signature = inspect.signature(function)
    assert owner_of(signature) == "self"
    bound = bound_arguments(signature, (None, 1), {"d": 4})
    assert bound == {"self": None, "a": 1, "b": 2, "rest": (), "c": 3, "more": {"d": 4}}
    assert bound_arguments(signature, (), {}) is None
    assert owner_of(inspect.signature(lambda: None)) is None
