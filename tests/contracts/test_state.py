"""What every backend must do for state: versions, checkpoints, rollback."""

import random
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AgentState,
    AWSClientManager,
    BodyTooLargeError,
    CheckpointNotFoundError,
    InvalidInputError,
    MemoryManager,
    StaleStateError,
    StateNotFoundError,
)
from daybook.settings import Settings
from daybook.state import create_checkpoint, create_if_changed, rollback, rollbacks
from daybook.store import STATE
from daybook.store.expressions import equals
from tests.clocks import Clock

DATA: dict[str, Any] = {
    "position": {"BTC": 0.1 + 0.2, "ETH": -1.5e300},
    "cycle": 10**400,
    "näme": ["ü", None, True, [], {}, "\n\0"],
}


def items(memory: MemoryManager) -> list[dict[str, Any]]:
    """Return everything that is stored for the agent."""
    return list(
        memory.client_manager.store.query(STATE, equals("pk", memory.agent_id), consistent=True)
    )


def large(seed: int) -> dict[str, Any]:
    """Make a state of some 5 MB that does not compress to less than an item holds."""
    draw = random.Random(seed)  # noqa: S311 - no secrets here
    return {"weights": [draw.random() for _ in range(270_000)]}


def test_nothing_is_there_at_first(memory: MemoryManager) -> None:
    """A new agent has no state, no checkpoint, and nothing to go back to."""
    assert memory.load_state() is None
    assert memory.load_state(take_over=True) is None
    assert memory.list_checkpoints() == []
    with pytest.raises(StateNotFoundError, match=r"save_state\(\) makes the first"):
        memory.create_checkpoint()
    with pytest.raises(CheckpointNotFoundError, match=r"create_checkpoint\(\) takes one"):
        memory.rollback()
    assert items(memory) == []


def test_state_reads_back_equal(memory: MemoryManager, clock: Clock) -> None:
    """What is saved is what is loaded, and each save makes the next version."""
    first = memory.save_state(DATA)
    assert (first.version, first.data, first.updated_at) == (1, DATA, clock())
    assert memory.load_state() == first
    clock.advance(hours=1)
    second = memory.save_state({}, expected_version=1)
    assert second == AgentState(
        agent_id=memory.agent_id, version=2, data={}, updated_at=clock.now, restored_from=None
    )
    assert memory.load_state() == second


def test_a_stale_writer_is_told(memory: MemoryManager) -> None:
    """Whoever has not seen the version that stands overwrites nothing."""
    memory.save_state({"n": 1}, 0)
    standing = memory.save_state({"n": 2}, 1)
    for expected, words in ((None, "no version"), (0, "no version"), (1, "version 1"), (7, "7")):
        with pytest.raises(StaleStateError, match=f"{words}.*version 2 stands") as told:
            memory.save_state({"n": 9}, expected)
        assert told.value.found == 2
    assert memory.load_state() == standing


def test_there_is_nothing_to_follow(memory: MemoryManager) -> None:
    """A writer that expects a state where none is, is told so."""
    with pytest.raises(StaleStateError, match="there is none") as told:
        memory.save_state({}, 3)
    assert told.value.found == 0
    assert items(memory) == []


def test_taking_over_fences_the_one_before(memory: MemoryManager) -> None:
    """The same data under the next version: what the zombie read is out of date."""
    zombie = memory.save_state({"n": 1})
    taken = memory.load_state(take_over=True)
    assert taken is not None
    assert (taken.version, taken.data) == (2, {"n": 1})
    assert memory.load_state() == taken
    with pytest.raises(StaleStateError, match="version 2 stands"):
        memory.save_state({"n": 0}, zombie.version)
    assert memory.save_state({"n": 2}, taken.version).version == 3


def test_checkpoints_are_listed_newest_first(memory: MemoryManager, clock: Clock) -> None:
    """Lists say what each is; the data comes with one that is asked for."""
    taken = []
    for number in range(3):
        memory.save_state({"n": number}, number)
        clock.advance(minutes=-1)  # no clock decides about the order
        label = "release" if number == 1 else None
        taken += [memory.create_checkpoint(label), memory.create_checkpoint()]
    listed = memory.list_checkpoints()
    assert [each.checkpoint_id for each in listed] == [
        each.checkpoint_id for each in reversed(taken)
    ]
    assert [each.version for each in listed] == [3, 3, 2, 2, 1, 1]
    assert all(each.data is None for each in listed)
    assert [each.label for each in listed].count("release") == 1
    for checkpoint in taken:
        whole = memory.get_checkpoint(checkpoint.checkpoint_id)
        assert whole == checkpoint.model_copy(update={"data": {"n": checkpoint.version - 1}})
        assert checkpoint.kind == "manual"


def test_rollback_to_the_last(memory: MemoryManager, clock: Clock) -> None:
    """History only grows; what was replaced is kept, and is not what `last` means."""
    memory.save_state({"n": 1})
    checkpoint = memory.create_checkpoint()
    memory.save_state({"n": 2}, 1)
    clock.advance(minutes=1)
    restored = memory.rollback()
    assert (restored.version, restored.data) == (3, {"n": 1})
    assert restored.restored_from == checkpoint.checkpoint_id
    assert memory.load_state() == restored
    again = memory.rollback()
    assert (again.version, again.data, again.restored_from) == (
        4,
        {"n": 1},
        checkpoint.checkpoint_id,
    )
    kinds = [(each.kind, each.version) for each in memory.list_checkpoints()]
    assert kinds == [("replaced", 3), ("replaced", 2), ("manual", 1)]
    mistaken = memory.list_checkpoints()[1]
    assert memory.rollback(mistaken.checkpoint_id).data == {"n": 2}
    assert memory.save_state({}, 5).restored_from is None
    latest = memory.load_state()
    assert latest is not None
    assert latest.restored_from is None


def test_rollback_of_a_stale_reader(memory: MemoryManager) -> None:
    """With the version that the caller saw, nothing newer is rolled back unseen."""
    memory.save_state({"n": 1})
    checkpoint = memory.create_checkpoint()
    memory.save_state({"n": 2}, 1)
    for expected in (0, 1, 3):
        with pytest.raises(StaleStateError, match="version 2 stands") as told:
            memory.rollback(checkpoint.checkpoint_id, expected)
        assert told.value.found == 2
    assert len(memory.list_checkpoints()) == 1
    assert memory.rollback(None, 2).version == 3


def test_a_checkpoint_that_is_not_there(memory: MemoryManager) -> None:
    """An id that could be one is not found; anything else is no id."""
    memory.save_state({"n": 1})
    with pytest.raises(CheckpointNotFoundError, match=r"list_checkpoints\(\)"):
        memory.rollback("0000000001-000000-000000000000")
    with pytest.raises(CheckpointNotFoundError, match=r"list_checkpoints\(\)"):
        memory.get_checkpoint("0000000001-000000-000000000000")
    wrong: Any
    for wrong in ("", "x", "CURRENT", "1-0-0", 7, True, b"1", "0000000001-000000-00000000000G"):
        with pytest.raises(InvalidInputError, match="is not a checkpoint"):
            memory.rollback(wrong)
        with pytest.raises(InvalidInputError, match="is not a checkpoint"):
            memory.get_checkpoint(wrong)
    assert len(items(memory)) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": {"b": [1, float("nan")]}}, r"data: a: b: 1|data: a\.b\.1"),
        ({"a": float("inf")}, "inf is not JSON"),
        ({"a": {1: 2}}, "keys must be text"),
        ({"a": datetime(2026, 1, 1, tzinfo=UTC)}, "datetime is not JSON"),
        ({"a": "\ud800"}, "surrogate"),
        ({"a": {1, 2}}, "a set is not JSON"),
        (None, "data: must be a mapping"),
        ([1], "data: must be a mapping"),
        ("x", "data: must be a mapping"),
    ],
)
def test_data_that_is_not_json(memory: MemoryManager, data: Any, words: str) -> None:
    """It is refused with the way to the fault, before anything is written."""
    with pytest.raises(InvalidInputError, match=words):
        memory.save_state(data)
    assert items(memory) == []


def test_bad_arguments(memory: MemoryManager) -> None:
    """What makes no sense is refused, and nothing is written."""
    wrong: Any
    for wrong in (-1, True, 1.0, "1", 10**10, 10**30, float("nan")):
        with pytest.raises(InvalidInputError, match="expected_version"):
            memory.save_state({}, wrong)
        with pytest.raises(InvalidInputError, match="expected_version"):
            memory.rollback(None, wrong)
    memory.save_state({})
    for wrong in ("", "x" * 257, 1, b"x", True, "\ud800"):
        with pytest.raises(InvalidInputError, match="label"):
            memory.create_checkpoint(wrong)
    for wrong in (None, 1, "yes"):
        with pytest.raises(InvalidInputError, match="take_over"):
            memory.load_state(take_over=wrong)
    assert len(items(memory)) == 1


def test_another_agents_state_is_untouched(
    memory: MemoryManager, client_manager: AWSClientManager
) -> None:
    """Each agent has its own versions and checkpoints."""
    other = MemoryManager(f"{memory.agent_id}-2", client_manager)
    memory.save_state({"n": 1})
    checkpoint = memory.create_checkpoint()
    memory.rollback()
    assert items(other) == []
    with pytest.raises(CheckpointNotFoundError):
        other.get_checkpoint(checkpoint.checkpoint_id)
    assert other.save_state({"n": 2}).version == 1


def test_unlabelled_checkpoints_make_room(memory: MemoryManager) -> None:
    """The newest so many stay, and all with a label; data goes with its checkpoint."""
    store, agent = memory.client_manager.store, memory.agent_id
    memory.save_state({"n": 0})
    create_checkpoint(store, agent, "first", keep=3)
    for number in range(1, 6):
        memory.save_state({"n": number}, number)
        create_checkpoint(store, agent, keep=3)
    listed = memory.list_checkpoints()
    assert [each.version for each in listed] == [6, 5, 4, 1]
    assert len(items(memory)) == 1 + 2 * 4
    assert memory.rollback(listed[-1].checkpoint_id).data == {"n": 0}


def test_what_rollback_goes_to_is_kept(memory: MemoryManager) -> None:
    """However many rollbacks have kept what they replaced, the last checkpoint stays."""
    store, agent = memory.client_manager.store, memory.agent_id
    memory.save_state({"n": 0})
    create_checkpoint(store, agent, keep=2)
    for _ in range(5):
        rollback(store, agent, keep=2)
    kinds = [each.kind for each in memory.list_checkpoints()]
    assert kinds == ["replaced", "replaced", "manual"]
    assert memory.rollback().data == {"n": 0}


def test_keeping_all(client_manager: AWSClientManager) -> None:
    """With 0 none goes."""
    settings = client_manager.settings.model_copy(update={"checkpoints_kept": 0})
    keeper = AWSClientManager(dynamodb=client_manager.dynamodb, settings=settings)
    memory = MemoryManager(f"agent-{uuid4().hex}", keeper, door="tables")
    memory.save_state({})
    for _ in range(60):
        memory.create_checkpoint()
    assert len(memory.list_checkpoints()) == 60


def test_a_hundred_more_than_are_kept(memory: MemoryManager) -> None:
    """Keeping fewer than before takes effect by the hundred."""
    store, agent = memory.client_manager.store, memory.agent_id
    memory.save_state({})
    for _ in range(112):
        create_checkpoint(store, agent, keep=0)
    create_checkpoint(store, agent, keep=2)
    assert len(memory.list_checkpoints()) == 13
    create_checkpoint(store, agent, keep=2)
    assert len(memory.list_checkpoints()) == 2


def test_automatic_checkpoints_follow_changes(memory: MemoryManager) -> None:
    """One for each version that has none, whoever took the one it has."""
    store, agent = memory.client_manager.store, memory.agent_id
    with pytest.raises(StateNotFoundError):
        create_if_changed(store, agent, keep=5)
    memory.save_state({"n": 1})
    first = create_if_changed(store, agent, keep=5)
    assert first.checkpoint is not None
    assert (first.version, first.checkpoint.kind) == (1, "automatic")
    assert create_if_changed(store, agent, keep=5) == (1, None)
    memory.save_state({"n": 2}, 1)
    memory.create_checkpoint()
    assert create_if_changed(store, agent, keep=5) == (2, None)
    assert memory.rollback(first.checkpoint.checkpoint_id).data == {"n": 1}
    third = create_if_changed(store, agent, keep=5)
    assert (third.version, third.checkpoint is not None) == (3, True)


def test_state_of_several_megabytes(memory: MemoryManager, has_bucket: bool) -> None:
    """It goes to the bucket, with its checkpoints; without one, nothing is changed."""
    small = memory.save_state({"n": 1})
    if not has_bucket:
        with pytest.raises(BodyTooLargeError, match=r"PAYLOAD_BUCKET .* less data in a state"):
            memory.save_state(large(1), 1)
        assert memory.load_state() == small
        return
    state = memory.save_state(large(1), 1)
    assert memory.load_state() == state
    checkpoint = memory.create_checkpoint()
    assert memory.get_checkpoint(checkpoint.checkpoint_id).data == state.data
    assert memory.save_state({"n": 2}, 2).version == 3
    restored = memory.rollback()
    assert (restored.version, restored.data) == (4, state.data)
    assert memory.load_state() == restored
    taken = memory.load_state(take_over=True)
    assert taken is not None
    assert taken.data == state.data
    assert memory.save_state({"n": 3}, 5).data == {"n": 3}
    now = memory.load_state()
    assert now is not None
    assert now.data == {"n": 3}
    assert "body_object" not in next(each for each in items(memory) if each["sk"] == "CURRENT")


@pytest.mark.parametrize("keep", [1, 2])
@pytest.mark.parametrize("named", [True, False])
def test_rollback_spares_where_it_went(
    memory: MemoryManager, monkeypatch: pytest.MonkeyPatch, keep: int, named: bool
) -> None:
    """However few are kept, the checkpoint gone back to is there to be read afterwards."""

    def keeping_few(*given: Any, **_: Any) -> AgentState:
        return rollback(*given, keep=keep)

    monkeypatch.setattr(rollbacks, "rollback", keeping_few)
    taken = []
    for n in range(keep + 1):
        memory.save_state({"n": n}, n or None)
        taken.append(memory.create_checkpoint().checkpoint_id)
    wanted = taken[0] if named else taken[-1]
    restored = memory.rollback(wanted if named else None)
    assert restored.restored_from == wanted
    assert memory.load_state() == restored
    assert memory.get_checkpoint(wanted).data == restored.data


def test_a_done_rollback_does_not_raise(
    memory: MemoryManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's checkpoint may end the one that was gone back to before its data is read."""

    def ended_at_once(*given: Any, **_: Any) -> AgentState:
        made = rollback(*given, keep=0)
        create_checkpoint(given[0], given[1], keep=1)
        return made

    monkeypatch.setattr(rollbacks, "rollback", ended_at_once)
    memory.save_state({"n": 1})
    wanted = memory.create_checkpoint().checkpoint_id
    memory.save_state({"n": 2}, 1)
    assert memory.rollback(wanted).data == {"n": 1}
    assert wanted not in {each.checkpoint_id for each in memory.list_checkpoints()}


def test_the_default_is_fifty() -> None:
    """Two days of hourly ones."""
    assert Settings().checkpoints_kept == 50
