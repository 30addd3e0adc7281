"""Names of workflows: the same for the same steps, and readable back unless too long."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daybook.models.workflow_names import LONGEST_NAME, name_of, session_mark, steps_in

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
JSON_STEP = st.dictionaries(TEXT, TEXT | st.integers() | st.booleans(), min_size=1, max_size=3)


@given(st.lists(TEXT | JSON_STEP, min_size=1, max_size=8))
def test_a_name_says_its_steps_or_is_a_checksum(steps: list[Any]) -> None:
    """Whatever is in them: arrows, brackets, what looks like a checksum."""
    name = name_of(steps)
    assert name == name_of([*steps])
    assert len(name.encode()) <= LONGEST_NAME
    assert steps_in(name) in (steps, None)


@given(st.lists(TEXT, min_size=1, max_size=5), st.lists(TEXT, min_size=1, max_size=5))
def test_other_steps_have_another_name(one: list[str], other: list[str]) -> None:
    """No two workflows share a name."""
    assert (name_of(one) == name_of(other)) is (one == other)


def test_hostile_steps() -> None:
    """What looks like two steps, like JSON, or like a cut name, is not taken for it."""
    for steps in (["a > b"], ["[1]"], ['["a"]', "b"], ["a… #0123456789abcdef"], ["x" * 9000]):
        assert steps_in(name_of(steps)) in (steps, None)
        assert name_of(steps) != name_of([*steps, "b"])
    assert name_of(["a > b"]) != name_of(["a", "b"])
    assert name_of(["x" * 9000]) != name_of(["x" * 9001])


def test_the_order_of_keys_plays_no_part() -> None:
    """A step that is an object has no order."""
    assert name_of([{"a": 1, "b": 2}]) == name_of([{"b": 2, "a": 1}])


def test_marks_tell_sessions_apart() -> None:
    """No session has none; others have one each."""
    assert session_mark(None) is None
    assert len({session_mark(f"s{number}") for number in range(1000)}) == 1000
