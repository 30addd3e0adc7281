"""A worker that dies anywhere, and the next one: the same files, the same head."""

from collections.abc import Iterator

import pytest

from daybook import AWSClientManager, DecisionRecord
from daybook.models.json_values import JsonObject
from daybook.testing import local_aws
from tests.clocks import Clock
from tests.unit.archive.conftest import FIRST, Agent, DiedError, requests

STEPS = 10  # of a run over two new days and a dirty one; the test checks that
END = Clock().now.replace(day=6)


@pytest.fixture(scope="module")
def clock() -> Clock:
    """Give one clock for all of these tests, whose agents differ."""
    return Clock()


@pytest.fixture(scope="module")
def manager(clock: Clock) -> Iterator[AWSClientManager]:
    """Give one client manager for all of these tests."""
    with local_aws(clock=clock) as made:
        yield made


def story(name: str, manager: AWSClientManager, clock: Clock) -> Agent:
    """Give an agent with two days to archive, and two archived ones that something came for."""
    clock.now = Clock().now
    agent = Agent(name, manager, clock)
    ids = []
    for _ in range(2):
        ids.append(agent.decide(context={"price": 0.1}))
        clock.advance(days=1)
    agent.archive()
    agent.judge(ids[0])
    agent.decide(decided_at=Clock().now.replace(day=2, hour=13))
    agent.note()
    for _ in range(2):
        agent.judge(agent.decide())
        clock.advance(days=1)
    clock.now = END
    return agent


def result(agent: Agent) -> tuple[list[list[DecisionRecord]], JsonObject]:
    """Return all that the archive holds, without the ids, and its notes."""
    days = [agent.archived(FIRST.replace(day=day)) for day in (1, 2, 3, 4)]
    for decisions in days:
        assert decisions == [agent.log.get_decision(d.decision_id) for d in decisions]
    return days, agent.head.notes


def test_the_run_has_as_many_requests(manager: AWSClientManager, clock: Clock) -> None:
    """Of the undisturbed run: so the crashes below are at every boundary of it."""
    agent = story("whole", manager, clock)
    head = agent.head
    with requests(manager) as sent:
        agent.archive(head)
    assert len(sent) == STEPS
    days, notes = result(agent)
    assert [len(decisions) for decisions in days] == [1, 2, 1, 1]
    assert notes == {"archived_until": "2026-03-05", "dirty": {}}


@pytest.mark.parametrize("boundary", [step / 2 for step in range(2 * STEPS)])
def test_a_crash_at_every_boundary(
    manager: AWSClientManager, clock: Clock, boundary: float
) -> None:
    """Before each request and after each answer; the next run leaves what no crash leaves."""
    agent = story(f"died-at-{boundary}", manager, clock)
    head = agent.head
    with requests(manager, boundary), pytest.raises(DiedError):
        agent.archive(head)
    agent.archive()
    days, notes = result(agent)
    assert [len(decisions) for decisions in days] == [1, 2, 1, 1]
    assert [d.outcome is not None for decisions in days for d in decisions] == [
        True,
        False,
        False,
        True,
        True,
    ]
    assert notes == {"archived_until": "2026-03-05", "dirty": {}}
    assert agent.archive().days == ()
