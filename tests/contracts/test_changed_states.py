"""Which states the schedule has to keep, on every backend."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from daybook import AWSClientManager
from daybook.progress.changed_states import (
    ChangedState,
    changed_states,
    note_checkpointed,
    note_states,
)
from daybook.progress.watched_agents import due_agents, note_news
from daybook.store import MEMORY, Store, keys
from tests.clocks import Clock


@pytest.fixture
def agent() -> str:
    """Give an agent that nobody else uses."""
    return f"agent-{uuid4().hex}"


@pytest.fixture
def store(client_manager: AWSClientManager, agent: str) -> Iterator[Store]:
    """Give the store of a backend; afterwards the agent is watched no more."""
    yield client_manager.store
    client_manager.store.delete_all(MEMORY, [keys.watched_agent(agent)])


def due(store: Store, agent: str) -> ChangedState | None:
    """Return what the watch list knows of the agent, if its state is to be kept."""
    return next((state for state in changed_states(store) if state.agent_id == agent), None)


def test_a_change_is_due_until_it_is_kept(store: Store, agent: str) -> None:
    """And no more after that, until the next one."""
    assert due(store, agent) is None
    note_states(store, {agent: 1})
    assert due(store, agent) is not None
    note_checkpointed(store, agent, 1)
    assert due(store, agent) is None
    note_states(store, {agent: 2})
    assert due(store, agent) is not None


def test_notes_in_any_order(store: Store, agent: str) -> None:
    """A belated note takes nothing back, whoever writes it and whatever the clocks say."""
    note_states(store, {agent: 7})
    note_checkpointed(store, agent, 6)
    note_states(store, {agent: 3})
    assert due(store, agent) is not None
    note_checkpointed(store, agent, 7)
    note_checkpointed(store, agent, 2)
    note_states(store, {agent: 7})
    assert due(store, agent) is None


def test_a_checkpoint_before_the_note(store: Store, agent: str) -> None:
    """A worker may be ahead of the stream."""
    note_checkpointed(store, agent, 4)
    note_states(store, {agent: 4})
    assert due(store, agent) is None


def test_waiting_counts_from_the_first_change(store: Store, agent: str, clock: Clock) -> None:
    """A state that changes all the time does not look new for ever."""
    note_states(store, {agent: 1})
    note_checkpointed(store, agent, 1)
    clock.advance(days=3)
    note_states(store, {agent: 2})
    for version in range(3, 6):
        clock.advance(minutes=10)
        note_states(store, {agent: version})
    found = due(store, agent)
    assert found is not None
    assert found.waiting(clock()) == timedelta(minutes=30)
    note_checkpointed(store, agent, 5)
    assert ChangedState(agent_id=agent, version=5, checkpointed=5).waiting(clock()) == timedelta()


def test_log_and_state_do_not_mix(store: Store, agent: str) -> None:
    """The same item says both, and neither makes the other due."""
    note_states(store, {agent: 1})
    assert agent not in {each.agent_id for each in due_agents(store)}
    note_checkpointed(store, agent, 1)
    note_news(store, [agent])
    assert agent in {each.agent_id for each in due_agents(store)}
    assert due(store, agent) is None


def test_noting_nothing(store: Store) -> None:
    """A batch without states is fine."""
    note_states(store, {})
