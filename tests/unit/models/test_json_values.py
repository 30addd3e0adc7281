"""JSON that reads back equal, or a fault that is named with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.models.json_values import checked_json

text = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=30,
)


@given(json_values)
def test_json_passes_unchanged(value: Any) -> None:
    """What JSON can say is let through, and survives being written down."""
    checked = checked_json(value)
    assert checked == value
    assert repr(json.loads(json.dumps(checked))) == repr(checked)


def test_tuples_become_lists() -> None:
    """JSON has one kind of sequence."""
    assert checked_json({"a": (1, (2,))}) == {"a": [1, [2]]}


def test_the_place_is_named() -> None:
    """The message leads to the value through dicts and lists."""
    with pytest.raises(ValueError, match=r"^a\.1\.b: a set is not JSON"):
        checked_json({"a": [0, {"b": {1}}]})


def test_input_is_not_shared() -> None:
    """Changing what was handed in does not change what was recorded."""
    given_list = [1]
    checked = checked_json({"a": given_list})
    given_list.append(2)
    assert checked == {"a": [1]}
