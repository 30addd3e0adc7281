"""Minari datasets: written by Minari, read back by Minari."""

import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import minari
import numpy as np
import pytest
from gymnasium import spaces

from daybook import InvalidInputError, MissingExtraError, ReplayBuffer, Transition
from daybook.training import episode, export_minari
from tests.unit.training.trajectories import walk

needs_hdf5 = pytest.mark.skipif(
    find_spec("h5py") is None or find_spec("PIL") is None,
    reason="the extra minari is not installed: make setup",
)
WALK: dict[str, Any] = {
    "observation_space": spaces.Discrete(10),
    "action_space": spaces.Discrete(2),
}


@pytest.fixture(autouse=True)
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give Minari a folder of its own."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    return tmp_path


@needs_hdf5
def test_minari_reads_it_back() -> None:
    """Episodes with one observation more than actions, and what they are said to be."""
    buffer = ReplayBuffer()
    for number in range(3):
        buffer.store_trajectory(walk(number, length=number + 1))
    written = export_minari(
        buffer, "hills/walk-v0", environment="CliffWalking-v1", author="scout", description="d"
    )
    found = minari.load_dataset("hills/walk-v0")
    assert (written, found.total_episodes, found.total_steps) == (3, 3, 6)
    last = found[2]
    assert last.observations.tolist() == [0, 1, 2, 3]
    assert last.actions.tolist() == [0, 1, 0]
    assert last.rewards.tolist() == [0.0, 0.5, 1.0]
    assert last.terminations.tolist() == [False, False, True]
    assert not last.truncations.any()
    assert found.observation_space == spaces.Discrete(48)
    assert found.recover_environment().spec.id == "CliffWalking-v1"
    assert found.storage.metadata["author"] == {"scout"}
    assert list(minari.list_local_datasets()) == ["hills/walk-v0"]


@needs_hdf5
def test_spaces_of_every_kind(datasets: Path) -> None:
    """Numbers, boxes, texts, tuples and dicts go through JSON and come back as the space's."""
    seen = spaces.Dict(
        {
            "at": spaces.Box(-1, 1, (2,), np.float32),
            "hand": spaces.Tuple((spaces.Discrete(5), spaces.MultiBinary(2))),
            "word": spaces.Text(8),
        }
    )
    seen.seed(1)
    states = [seen.sample() for _ in range(4)]
    done: Any = spaces.MultiDiscrete([3, 3])
    steps = [
        Transition(one, [n, 2 - n], 1.0, other, truncated=n == 2)
        for n, (one, other) in enumerate(pairwise(states))
    ]
    made = episode(steps, agent_id="a", task="t")
    assert export_minari(made, "kinds-v1", observation_space=seen, action_space=done) == 1
    (found,) = minari.load_dataset("kinds-v1").iterate_episodes()
    at = np.stack([state["at"] for state in states])
    np.testing.assert_array_equal(found.observations["at"], at)
    assert found.observations["word"] == [state["word"] for state in states]
    assert found.observations["hand"][0].tolist() == [int(s["hand"][0]) for s in states]
    assert found.actions.tolist() == [[0, 2], [1, 1], [2, 0]]
    assert found.truncations.tolist() == [False, False, True]
    assert [path.name for path in datasets.iterdir()] == ["kinds-v1"]


@needs_hdf5
@pytest.mark.parametrize(
    ("given_ones", "more", "words"),
    [
        ([], WALK, "no trajectories"),
        ([walk(0)], {}, "give environment=, or both"),
        ([walk(0)], {"environment": "Nowhere-v0"}, "gymnasium makes no 'Nowhere-v0'"),
        ([walk(0), walk(1, 11)], WALK, r"'w1': the state 10 is none of Discrete\(10\)"),
        ([walk(0)], WALK | {"action_space": spaces.Discrete(1)}, "the action 1 is none of"),
        (
            [
                episode(
                    [Transition(0, 0, 0.0, 5), Transition(1, 0, 0.0, 2)], agent_id="a", task="t"
                )
            ],
            WALK,
            "step 0 ends in 5 and the next one begins in 1",
        ),
        ([walk(0).model_copy(update={"steps": []})], WALK, "has no steps"),
    ],
    ids=["nothing", "no spaces", "environment", "state", "action", "gap", "no steps"],
)
def test_what_makes_no_dataset(
    datasets: Path, given_ones: Any, more: dict[str, Any], words: str
) -> None:
    """Each fault is told in words, and no half of a dataset is left."""
    with pytest.raises(InvalidInputError, match=words):
        export_minari(given_ones, "walk-v0", **more)
    assert list(datasets.iterdir()) == []


@needs_hdf5
def test_ids_that_are_taken_or_none() -> None:
    """A dataset is never written over, and an id is one by Minari's own rule."""
    export_minari([walk(0)], "walk-v0", **WALK)
    with pytest.raises(InvalidInputError, match="walk-v0 is there already"):
        export_minari([walk(1)], "walk-v0", **WALK)
    assert minari.load_dataset("walk-v0").total_steps == 3
    for wrong in ("walk", "../walk-v0", "", 7):
        with pytest.raises(InvalidInputError, match=r"the dataset id .* is none"):
            export_minari([walk(1)], wrong, **WALK)  # type: ignore[arg-type]


def test_without_the_extra() -> None:
    """The error names what is missing and the extra that brings it."""
    with (
        patch.dict(sys.modules, {"h5py": None}),
        pytest.raises(MissingExtraError, match=r"h5py: pip install 'daybook-aws\[minari\]'"),
    ):
        export_minari([walk(0)], "walk-v0", **WALK)
