"""Transitions as arrays: types, shapes, and what makes none."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from daybook import InvalidInputError, MissingExtraError, ReplayBuffer, Trajectory, Transition
from daybook.training import batches, episode, torch_batches
from tests.unit.training.trajectories import walk


def of(*states: Any, **more: Any) -> Trajectory:
    """Return a trajectory that was in these states."""
    steps = [
        Transition(**{"state": s, "action": 0, "reward": 1.0, "next_state": s} | more)
        for s in states
    ]
    return episode(steps, agent_id="a", task="t")


def test_arrays_of_a_buffer() -> None:
    """All transitions in their order, over trajectories, the last batch smaller."""
    found = list(batches([walk(0), walk(1, 4)], 5))
    assert [len(batch) for batch in found] == [5, 2]
    np.testing.assert_array_equal(found[0].states, [0, 1, 2, 0, 1])
    np.testing.assert_array_equal(found[0].next_states, [1, 2, 3, 1, 2])
    np.testing.assert_array_equal(found[0].actions, [0, 1, 0, 0, 1])
    np.testing.assert_array_equal(found[0].rewards, [0, 0.5, 1, 0, 0.5])
    np.testing.assert_array_equal(found[0].dones, [False, False, True, False, False])
    assert found[0].states.dtype == np.int64
    assert found[1].terminated.tolist() == [False, True]
    assert not found[1].truncated.any()
    assert [len(batch) for batch in batches([walk(0), walk(1, 4)], 5, drop_last=True)] == [5]
    buffer = ReplayBuffer()
    buffer.store_trajectory(walk(0))
    assert [len(batch) for batch in batches(buffer, 100)] == [3]
    assert list(batches([], 3)) == []


@pytest.mark.parametrize(
    ("states", "dtype", "shape"),
    [
        ([1, 2], "int64", (2,)),
        ([1, 2.5], "float64", (2,)),
        ([[1, 2], [3, 4]], "int64", (2, 2)),
        ([[[0.5]], [[1]]], "float64", (2, 1, 1)),
        ([True, False], "bool", (2,)),
        (["up", "down"], "<U4", (2,)),
    ],
    ids=["whole", "floats", "lists", "nested", "flags", "texts"],
)
def test_states_become_arrays_as_they_are(
    states: list[Any], dtype: str, shape: tuple[int, ...]
) -> None:
    """Numbers, lists of them, flags and texts need no encoding."""
    (batch,) = batches([of(*states)], 10)
    assert (str(batch.states.dtype), batch.states.shape) == (dtype, shape)


def test_all_batches_have_one_type() -> None:
    """The first batch decides; a later one is brought to it if that loses nothing."""
    found = list(batches([of(0.5), of(1), of(2)], 1))
    assert {str(batch.states.dtype) for batch in found} == {"float64"}
    words = list(batches([of("a"), of("longer")], 1))
    assert words[1].states.tolist() == ["longer"]


@pytest.mark.parametrize(
    "states",
    [
        ([1], [0.5]),
        ([1], ["a"]),
        ([1, "a"],),
        ([[1, "a"]],),
        ([[1], [1, 2]],),
        ([[1]], [[1, 2]]),
        ([{"a": 1}],),
        ([None],),
        ([10**30],),
    ],
    ids=["float later", "text later", "mixed", "mixed list", "ragged", "wider later", *"onb"],
)
def test_states_that_make_no_array(states: tuple[list[Any], ...]) -> None:
    """The error says what they are, and which argument helps."""
    given_ones = [of(*some) for some in states]
    size = 1 if len(states) > 1 else 10
    with pytest.raises(InvalidInputError, match=r"states make no array: .* encode_state"):
        list(batches(given_ones, size))


def test_encoding_makes_arrays_of_anything() -> None:
    """States and actions that are words or objects become what their encoder says."""
    colours = {"red": [1, 0], "blue": [0, 1]}
    given_ones = [of({"c": "red"}, {"c": "blue"}, action="left")]
    (batch,) = batches(
        given_ones,
        10,
        encode_state=lambda state: np.array(colours[state["c"]], np.float32),
        encode_action=["left", "right"].index,
    )
    assert (batch.states.dtype, batch.states.tolist()) == (np.float32, [[1, 0], [0, 1]])
    assert batch.actions.tolist() == [0, 0]


def test_the_end_may_have_no_next_state() -> None:
    """Its own state stands there, which a learner must not look at."""
    (batch,) = batches([of(3, next_state=None, terminated=True)], 10)
    assert (batch.next_states.tolist(), batch.dones.tolist()) == ([3], [True])
    with pytest.raises(InvalidInputError, match="states make no array"):
        list(batches([of(3, next_state=None, truncated=True)], 10))


@pytest.mark.parametrize("size", [0, -1, True, 2.0, 10**7], ids=str)
def test_sizes_that_are_none(size: Any) -> None:
    """A batch is of one at least, of a million at most; told at once, not when it is iterated."""
    with pytest.raises(InvalidInputError, match="use a whole number"):
        batches([walk(0)], size)


def test_arrays_pass_to_others_without_a_copy() -> None:
    """By DLPack, as every framework takes them, and torch's from_numpy does."""
    (batch,) = batches([walk(0)], 10)
    for name in ("states", "actions", "rewards", "next_states", "terminated", "truncated"):
        array = getattr(batch, name)
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert np.shares_memory(np.from_dlpack(array), array)


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is never asked for")
def test_tensors() -> None:
    """Where torch is installed batches are tensors."""
    (batch,) = torch_batches([walk(0)], 10)
    assert (batch.states.tolist(), str(batch.states.dtype)) == ([0, 1, 2], "torch.int64")
    assert str(batch.rewards.dtype) == "torch.float64"
    assert batch.dones.tolist() == [False, False, True]
    with pytest.raises(InvalidInputError, match=r"are no tensors: .*encode_state"):
        list(torch_batches([of("text")], 10))


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_tensors_without_torch() -> None:
    """The error says what is missing and what to take instead."""
    with pytest.raises(MissingExtraError, match="pip install torch, or take numpy's"):
        torch_batches([walk(0)], 10)
