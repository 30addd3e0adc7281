"""Learners in files: whole, equal, and never believed more than they deserve."""

import hashlib
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from daybook import DaybookError, InvalidInputError, QLearner, Transition, UnreadableFileError
from daybook.training import saved_tables
from tests.unit.training.test_values import json_values

SUFFIXES = (".json", ".npz")
PARTS = ("header", "states", "ends", "values")


def learned(seed: int = 1) -> QLearner:
    """Return a learner that knows some states of every kind."""
    learner = QLearner(["a", [1], None], learning_rate=0.3, discount=0.8, epsilon=0.5, seed=seed)
    for number, state in enumerate([0, 1.5, "ü\n", [1, [2]], {"k": None}, True, None]):
        learner.learn(Transition(state, [1], 0.1 * number, state))
        learner.choose(state)
    return learner


@pytest.fixture(params=SUFFIXES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Name a file of each format."""
    return tmp_path / f"learner{request.param}"


def test_what_is_loaded_goes_on_the_same(path: Path) -> None:
    """Values, rates and random numbers: the next choices and errors are the same ones."""
    first = learned()
    first.save(path)
    second = QLearner.load(path)
    assert list(second.policy()) == list(first.policy())
    for name in ("actions", "learning_rate", "discount", "epsilon", "steps_learned", "task"):
        assert getattr(second, name) == getattr(first, name)
    for number in range(50):
        state = number % 5
        action = first.choose(state)
        assert second.choose(state) == action
        step = Transition(state, action, math.sin(number), state + 1)
        assert second.learn(step) == first.learn(step)


@settings(max_examples=60, deadline=None)
@given(some.lists(json_values, max_size=6), some.sampled_from(SUFFIXES), some.data())
def test_nothing_is_lost(states: list[Any], suffix: str, data: Any) -> None:
    """Every state and value reads back, to the last bit; the file again is the same file."""
    floats = some.floats(-1e300, 1e300)
    learner = QLearner([0, 1], learning_rate=1.0, discount=0.0, seed=2)
    for state in states:
        learner.learn(Transition(state, data.draw(some.sampled_from([0, 1])), data.draw(floats)))
    with TemporaryDirectory() as folder:
        learner.save(f"{folder}/x{suffix}")
        loaded = QLearner.load(f"{folder}/x{suffix}")
    assert list(loaded.policy()) == list(learner.policy())
    assert [loaded.values(state) for state in states] == [learner.values(s) for s in states]


def test_an_empty_learner(path: Path) -> None:
    """One that has learned nothing yet is saved, too."""
    QLearner([0], initial_value=-2.0).save(path)
    assert QLearner.load(path).value("anything") == -2.0


def test_a_file_cut_anywhere_is_refused(path: Path) -> None:
    """Whatever part of the file is missing, the error says that it is not whole."""
    learned().save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        with pytest.raises(UnreadableFileError, match=r"load a file that QLearner\.save"):
            QLearner.load(path)


def test_a_damaged_byte_is_noticed(path: Path) -> None:
    """A bit that flips is an error, or (in the zip's own fields) changes nothing that is read."""
    first = learned()
    first.save(path)
    whole = path.read_bytes()
    refused = 0
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            found = QLearner.load(path)
        except UnreadableFileError:
            refused += 1
        else:
            assert [found.values(s) for s, _ in first.policy()] == [
                first.values(s) for s, _ in first.policy()
            ]
    assert refused > 75


def npz(path: Path, **changes: Any) -> None:
    """Write a learner's npz with other arrays in place of its own."""
    learned().save(path)
    with np.load(path) as found:
        parts = {name: found[name] for name in PARTS}
    np.savez(path, **parts | changes)


def header(**changes: Any) -> Any:
    """Return a header with other settings in place of its own, as an npz holds it."""
    own = {
        "format": saved_tables.FORMAT,
        "version": 1,
        "actions": ["a", [1], None],
        "learning_rate": 0.5,
        "discount": 0.5,
        "epsilon": 0.5,
        "initial_value": 0.0,
        "steps_learned": 3,
        "agent_id": "a",
        "task": "t",
        "random": np.random.PCG64(1).state,
    }
    return np.frombuffer(json.dumps(own | changes).encode(), np.uint8)


class Hostile:
    """Would write a file if it were unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        """Say what to call."""
        return Path.touch, (self.mark,)


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    """An array of objects is never unpickled; numpy told to would run what is in it."""
    path, mark = tmp_path / "x.npz", tmp_path / "mark"
    values = np.array([[Hostile(mark)] * 3], dtype=object)
    npz(path, values=values)
    with pytest.raises(UnreadableFileError, match="its values are object"):
        QLearner.load(path)
    assert not mark.exists()
    with np.load(path, allow_pickle=True) as control:
        control["values"]
    assert mark.exists()


def compressed(path: Path) -> None:
    """Write an npz that unpacks to far more than it is."""
    parts: dict[str, Any] = dict.fromkeys(PARTS, np.zeros(1 << 22, np.uint8))
    np.savez_compressed(path, **parts)


def claims_much(path: Path) -> None:
    """Write an npz whose values claim a shape that no memory holds."""
    npz(path)
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    body = parts["values.npy"]
    small, large = b"(7, 3), }          ", b"(7, 30000000000), }"
    assert small in body
    parts["values.npy"] = body.replace(small, large)
    with zipfile.ZipFile(path, "w") as new:
        for name, part in parts.items():
            new.writestr(name, part)


def without_a_part(path: Path) -> None:
    """Write an npz that lacks its values."""
    learned().save(path)
    with np.load(path) as found:
        np.savez(path, **{name: found[name] for name in PARTS[:3]})


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (compressed, "compressed"),
        (claims_much, "shape"),
        (without_a_part, "values"),
        (lambda path: npz(path, values=np.zeros((7, 3), np.float32)), "its values are float32"),
        (lambda path: npz(path, values=np.zeros((7, 2))), "rows of other lengths"),
        (lambda path: npz(path, values=np.zeros((6, 3))), "not as many rows"),
        (lambda path: npz(path, values=np.full((7, 3), np.nan)), "finite number"),
        (lambda path: npz(path, ends=np.arange(7)), "do not fit"),
        (lambda path: npz(path, ends=np.full(7, 1 << 60)), "do not fit"),
        (lambda path: npz(path, states=np.full(40, 255, np.uint8)), "load a file"),
        (lambda path: npz(path, header=header(version=2)), "version is 2 .* upgrade"),
        (lambda path: npz(path, header=header(format="other")), "its format is not"),
        (lambda path: npz(path, header=header(learning_rate=7)), "learning_rate"),
        (lambda path: npz(path, header=header(actions=[])), "actions"),
        (lambda path: npz(path, header=header(random={"state": "x"})), "random numbers"),
        (lambda path: npz(path, header=header(extra=1)), "extra"),
        (lambda path: npz(path, header=np.frombuffer(b"[" * 100_000, np.uint8)), "load a file"),
        (lambda path: path.write_bytes(b"\x80\x04K\x01."), "zip"),
    ],
    ids=[
        *("compressed", "claims much", "part", "type", "width", "rows", "nan", "ends", "far"),
        *("bytes", "version", "format", "rate", "actions", "random", "extra", "deep", "pickle"),
    ],
)
def test_hostile_npz(tmp_path: Path, write: Callable[[Path], object], words: str) -> None:
    """Each is refused with one error that says why."""
    path = tmp_path / "x.npz"
    write(path)
    with pytest.raises(UnreadableFileError, match=words):
        QLearner.load(path)


def signed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write a learner's JSON with a change, and with a checksum that fits it."""
    learned().save(path)
    content = json.loads(path.read_text())
    del content["sha256"]
    change(content)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps({"sha256": digest} | content, ensure_ascii=False))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content["header"].update(version=9), "version is 9"),
        (lambda content: content["values"].pop(), "not as many rows"),
        (lambda content: content["values"][0].append(1.0), "rows of other lengths"),
        (lambda content: content.update(values={"a": 1}), "not as many rows"),
        (lambda content: content["states"].__setitem__(0, 1.5), "one state twice"),
        (lambda content: content["values"].__setitem__(0, [1, 2, "x"]), "valid number"),
        (lambda content: content.pop("states"), "states"),
        (lambda content: content.update(header=[1]), "its format is not"),
    ],
    ids=["version", "rows", "width", "kind", "twice", "text", "states", "header"],
)
def test_hostile_json(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str
) -> None:
    """Each is refused with one error that says why; the control, unchanged, is read."""
    path = tmp_path / "x.json"
    signed(path, lambda _: None)
    assert len(QLearner.load(path)) == 7
    signed(path, change)
    with pytest.raises(UnreadableFileError, match=words):
        QLearner.load(path)


@pytest.mark.parametrize("text", ["", "1", "[]", "{}", "[" * 100_000, '{"header":NaN}'])
def test_other_json(tmp_path: Path, text: str) -> None:
    """What is JSON, or nearly, and nothing of ours."""
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UnreadableFileError, match="load a file that"):
        QLearner.load(path)


def test_other_suffixes_and_no_file(tmp_path: Path) -> None:
    """A suffix says the format, so there must be one; a file that is not there is an OSError."""
    for call in (learned().save, QLearner.load):
        with pytest.raises(InvalidInputError, match=r"neither \.json nor \.npz"):
            call(tmp_path / "x.pkl")
    with pytest.raises(FileNotFoundError):
        QLearner.load(tmp_path / "x.json")
    with pytest.raises(FileNotFoundError):
        learned().save(tmp_path / "nowhere" / "x.json")
    assert issubclass(UnreadableFileError, DaybookError)


def test_a_save_that_fails_leaves_what_was_there(path: Path) -> None:
    """A full disk costs nothing: the old file stands, and nothing is left beside it."""
    learned(seed=1).save(path)
    before = path.read_bytes()
    with (
        patch("os.fsync", side_effect=OSError(28, "No space left on device")),
        pytest.raises(OSError, match="No space"),
    ):
        learned(seed=2).save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    learned(seed=2).save(path)
    assert path.read_bytes() != before
