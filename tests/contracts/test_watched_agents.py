"""The watch list of agents that consolidation has to look after, on every backend."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from daybook import AWSClientManager
from daybook.progress.watched_agents import (
    WatchedAgent,
    due_agents,
    note_caught_up,
    note_news,
)
from daybook.store import MEMORY, Store, keys
from tests.clocks import Clock
from tests.contracts.conftest import BY_TABLES

# these speak to the tables themselves, and no verb of an agent is among them
pytestmark = pytest.mark.parametrize("client_manager", BY_TABLES, indirect=True)

LAG = timedelta(minutes=2)
RATE = timedelta(minutes=15)


@pytest.fixture
def store(client_manager: AWSClientManager) -> Iterator[Store]:
    """Give the store of a backend; afterwards no agent of the test is watched."""
    yield client_manager.store
    # one partition holds every test's agents
    left = [keys.watched_agent(agent.agent_id) for agent in watched(client_manager.store)]
    client_manager.store.delete_all(MEMORY, left)


@pytest.fixture
def agent() -> str:
    """Give an agent that nobody else uses."""
    return f"agent-{uuid4().hex}"


def watched(store: Store) -> list[WatchedAgent]:
    """Return every agent with news, by asking as if a hundred days had passed."""
    return list(due_agents(store, store.clock() + timedelta(days=100)))


def due(store: Store) -> list[str]:
    """Return the agents that are due."""
    return [agent.agent_id for agent in due_agents(store)]


def run(store: Store, agent: str) -> None:
    """Note what a run that leaves nothing undone notes."""
    note_caught_up(store, agent, store.clock() - LAG)


def runs_until(store: Store, clock: Clock, agent: str, end: datetime) -> list[str]:
    """Plan at the schedule's rate until then, run what is due, and return when that was."""
    ran = []
    while clock() < end:
        if agent in due(store):
            run(store, agent)
            ran.append(f"{clock():%d %H:%M}")
        clock.advance(seconds=RATE.total_seconds())
    return ran


def test_nobody_is_due_at_first(store: Store) -> None:
    """An empty watch list plans nothing."""
    assert due(store) == []


def test_news_make_due(store: Store, agent: str) -> None:
    """Each agent with news is due, once, however often it is noted."""
    note_news(store, [agent, "other", agent])
    note_news(store, [agent])
    assert sorted(due(store)) == sorted([agent, "other"])


def test_noting_nothing(store: Store) -> None:
    """A batch without agents is fine."""
    note_news(store, [])
    assert due(store) == []


def test_more_agents_than_one_request_reads(store: Store) -> None:
    """Over a hundred agents in one batch are all noted, and listed in order."""
    many = [f"agent-{number:03d}" for number in range(130)]
    note_news(store, many)
    assert due(store) == many


def test_a_run_without_news_is_not_due(store: Store, agent: str) -> None:
    """An agent that was consolidated by hand and never had news is left alone."""
    run(store, agent)
    assert watched(store) == []


def test_steady_state_costs_nothing(store: Store, agent: str, clock: Clock) -> None:
    """One decision at 10:50: soon, after its hour and after its day; no more."""
    clock.now = datetime(2026, 3, 1, 10, 50, tzinfo=UTC)
    note_news(store, [agent])
    ran = runs_until(store, clock, agent, clock() + timedelta(days=4))
    assert ran == ["01 10:50", "01 11:05", "01 11:20", "02 00:20"]


def test_just_before_midnight(store: Store, agent: str, clock: Clock) -> None:
    """A decision that may be of either day leads to runs after both have closed."""
    clock.now = datetime(2026, 3, 1, 23, 58, tzinfo=UTC)
    note_news(store, [agent])
    ran = runs_until(store, clock, agent, clock() + timedelta(days=4))
    assert ran == ["01 23:58", "02 00:13", "02 01:13", "03 00:13"]


def test_a_missed_night_is_made_up_for(store: Store, agent: str, clock: Clock) -> None:
    """If nothing ran when the day closed, the agent is still due days later."""
    note_news(store, [agent])
    clock.advance(minutes=15)
    run(store, agent)
    assert due(store) == []
    clock.advance(days=9)
    assert due(store) == [agent]
    run(store, agent)
    assert due(store) == []


def test_news_during_a_run_are_not_lost(store: Store, agent: str, clock: Clock) -> None:
    """What arrives while a run is under way makes due again, whoever writes last."""
    note_news(store, [agent])
    clock.advance(hours=3)
    began = clock()
    clock.advance(seconds=30)
    note_news(store, [agent])
    note_caught_up(store, agent, began - LAG)
    assert due(store) == [agent]


def test_a_belated_note_does_no_harm(store: Store, agent: str, clock: Clock) -> None:
    """A write that hung for a minute and takes the news back leaves the agent due."""
    note_news(store, [agent])
    belated = watched(store)[0].news_at
    clock.advance(minutes=1)
    note_news(store, [agent])
    store.update(MEMORY, keys.watched_agent(agent), {"news_at": belated})
    clock.advance(minutes=3)
    # everything up to the second news, and no further
    note_caught_up(store, agent, clock() - LAG)
    assert due(store) == [agent]


def test_clocks_that_differ(store: Store, agent: str, clock: Clock) -> None:
    """A note by a slower clock does not take the news back."""
    note_news(store, [agent])
    before = watched(store)[0].news_at
    clock.advance(seconds=-30)
    note_news(store, [agent])
    assert watched(store)[0].news_at == before


def test_a_belated_run_only_repeats(store: Store, agent: str, clock: Clock) -> None:
    """A worker that was taken for dead takes the agent back: one more run, and all is well."""
    note_news(store, [agent])
    stale = clock() - LAG
    clock.advance(minutes=15)
    run(store, agent)
    assert due(store) == []
    note_caught_up(store, agent, stale)
    assert due(store) == [agent]


def test_waiting_counts_from_the_first_news(store: Store, agent: str, clock: Clock) -> None:
    """The lag is that of the oldest news, not the newest, nor of a long silence before it."""
    note_news(store, [agent])
    run(store, agent)
    clock.advance(days=10)
    run(store, agent)
    note_news(store, [agent])
    clock.advance(minutes=20)
    note_news(store, [agent])
    clock.advance(minutes=20)
    (found,) = watched(store)
    assert found.waiting(clock()) == timedelta(minutes=40)
    note_caught_up(store, agent, clock() - timedelta(minutes=30))
    (found,) = watched(store)
    assert found.waiting(clock()) == timedelta(minutes=30)
    run(store, agent)
    (found,) = watched(store)
    assert found.waiting(clock()) == timedelta()


def test_an_agent_leaves_with_its_last_decision(store: Store, agent: str, clock: Clock) -> None:
    """When all of its log has expired, it is not read any more; news bring it back."""
    note_news(store, [agent])
    clock.advance(days=364)
    assert due(store) == [agent]
    clock.advance(days=2)
    assert due(store) == []
    note_news(store, [agent])
    assert due(store) == [agent]


def test_for_ever_is_for_ever(client_manager: AWSClientManager, clock: Clock) -> None:
    """Without a retention an agent stays, also one that was to leave before."""
    store = client_manager.store
    kept = Store(dynamodb=store.dynamodb, s3=store.s3, prefix=store.prefix, clock=clock)
    note_news(store, ["keeper"])
    note_news(kept, ["keeper"])
    clock.advance(days=9_000)
    assert "keeper" in due(store)
    store.delete_all(MEMORY, [keys.watched_agent("keeper")])


def test_what_is_to_be_done_later_makes_due(store: Store, agent: str, clock: Clock) -> None:
    """A day of the archive that waits to be written anew is not forgotten, without any news."""
    note_news(store, [agent])
    clock.advance(days=20)
    again = clock() + timedelta(days=1)
    note_caught_up(store, agent, clock() - LAG, again)
    assert due(store) == []
    clock.now = again + LAG
    assert due(store) == [agent]
    note_caught_up(store, agent, clock() - LAG)
    clock.advance(days=20)
    assert due(store) == []
