"""States and actions: what is one and the same, and what is none."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from daybook import InvalidInputError
from daybook.training.values import key_of, plain, value_of


def deep() -> Any:
    """Return a list in a list, a thousand times."""
    value: Any = 0
    for _ in range(1000):
        value = (value,)
    return value


json_values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(10**30), 10**30)
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(some.characters(codec="utf-8"), max_size=10),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.text(some.characters(codec="utf-8"), max_size=5), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_key_reads_back(value: Any) -> None:
    """A key is JSON, and its value has the same key: a table that is saved finds its states."""
    key = key_of(plain(value, "it"))
    assert key_of(value_of(key)) == key
    assert key_of(json.loads(json.dumps(value))) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0, -0.0),
        ((1, 2), [1, 2]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ({"at": np.array([1.5]), "n": np.int8(2)}, {"n": 2, "at": [1.5]}),
        ((np.int64(1), (np.bool_(True), "x")), [1, [True, "x"]]),
    ],
    ids=["float", "minus", "tuple", "order", "int64", "float32", "array", "dict", "nested"],
)
def test_equal_values_are_one(one: Any, other: Any) -> None:
    """What is equal as a number, a sequence or a mapping is one state."""
    assert key_of(plain(one, "it")) == key_of(plain(other, "it"))


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0, False), (0, None), (1, "1"), ([1], 1), (2**53, 2**53 + 1), ("a", ["a"])],
    ids=["true", "false", "none", "text", "list", "large", "letters"],
)
def test_different_values_are_two(one: Any, other: Any) -> None:
    """What only looks alike is another state."""
    assert key_of(plain(one, "it")) != key_of(plain(other, "it"))


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        np.array([1.0, np.inf]),
        {1: 2},
        {"a": object()},
        b"x",
        "\ud800",
        10**2000,
        deep(),
    ],
    ids=["nan", "infinite", "key", "object", "bytes", "surrogate", "huge", "deep"],
)
def test_what_is_no_json_is_refused(value: Any) -> None:
    """The error names what it is about."""
    with pytest.raises(InvalidInputError, match=r"the state .* is no JSON value"):
        plain(value, "the state")
