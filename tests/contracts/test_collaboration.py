"""What every backend must do for the collaboration graph of signals."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    CapacityMeter,
    CollaborationGraph,
    Exchange,
    InvalidAgentIdError,
    InvalidInputError,
    MemoryManager,
    MultiAgentCoordinator,
    SignalType,
    symbiosis_score,
)
from daybook.models.signal_ids import SignalId
from daybook.store import SIGNALS, keys
from tests.clocks import Clock

ASK = SignalType.REQUEST


@pytest.fixture
def coordinator(client_manager: AWSClientManager) -> MultiAgentCoordinator:
    """Give a coordinator."""
    return MultiAgentCoordinator(client_manager)


def act(agent: MemoryManager) -> int:
    """Acknowledge what waits for an agent, and return how much that was."""
    claims = agent.claim_signals(100)
    for claim in claims:
        claim.ack()
    return len(claims)


def told(sender: MemoryManager, target: MemoryManager, sent: int, acted_on: int) -> Exchange:
    """Make an exchange."""
    return Exchange(sender=sender.agent_id, target=target.agent_id, sent=sent, acted_on=acted_on)


def in_order(*exchanges: Exchange) -> list[Exchange]:
    """Sort exchanges as a graph has them."""
    return sorted(exchanges, key=lambda each: (each.sender, each.target))


def test_who_told_whom_and_was_acted_on(
    coordinator: MultiAgentCoordinator, memory: MemoryManager, desk: Any
) -> None:
    """What is acknowledged was acted on; what waits, is claimed or was given back was not."""
    scout, risk = desk(), desk()
    memory.register()
    agents = [memory.agent_id, scout.agent_id, risk.agent_id]
    for n in range(4):
        scout.publish_signal(ASK, {"n": n}, [risk.agent_id], dedupe_id=f"{n}" if n % 2 else None)
    first, second = risk.claim_signals(2)
    first.ack()
    second.release()
    risk.claim_signals(1)
    risk.publish_signal(ASK, {}, [scout.agent_id, memory.agent_id])
    assert act(scout) == 1
    graph = coordinator.get_collaboration(agents)
    assert graph.exchanges == in_order(
        told(scout, risk, 4, 1), told(risk, scout, 1, 1), told(risk, memory, 1, 0)
    )
    assert graph.members == sorted(agents)
    assert 0 < symbiosis_score(graph) < 1


def test_full_exchange_is_1(coordinator: MultiAgentCoordinator, desk: Any) -> None:
    """By topic, three agents tell each other something, and all of it is acted on."""
    topic = uuid4().hex
    agents = [desk(topic) for _ in range(3)]
    for agent in agents:
        agent.publish_signal(ASK, {}, topic=topic)
    assert [act(agent) for agent in agents] == [2, 2, 2]
    graph = coordinator.get_collaboration([agent.agent_id for agent in agents])
    assert len(graph.exchanges) == 6
    assert symbiosis_score(graph) == 1


def test_nothing_is_known_of_who_is_silent(
    coordinator: MultiAgentCoordinator, memory: MemoryManager
) -> None:
    """There is no exchange, and the score is 0; nor does telling oneself something count."""
    memory.register()
    memory.publish_signal(ASK, {}, [memory.agent_id])
    assert act(memory) == 1
    graph = coordinator.get_collaboration([memory.agent_id])
    assert graph == CollaborationGraph(exchanges=[], agents=[memory.agent_id])
    assert symbiosis_score(graph) == 0
    assert coordinator.get_collaboration([]).members == []


def test_the_registered_unless_named(coordinator: MultiAgentCoordinator, desk: Any) -> None:
    """Without a list it is everybody who is registered."""
    scout, risk = desk(), desk()
    scout.publish_signal(ASK, {}, [risk.agent_id])
    graph = coordinator.get_collaboration()
    assert {scout.agent_id, risk.agent_id} <= set(graph.members)
    assert told(scout, risk, 1, 0) in graph.exchanges


def test_a_window(coordinator: MultiAgentCoordinator, desk: Any, clock: Clock) -> None:
    """`since` is in it and `until` is not, also for signals whose ids carry no time."""
    scout, risk = desk(), desk()
    made = []
    for n in range(3):
        scout.publish_signal(ASK, {"n": n}, [risk.agent_id])
        scout.publish_signal(ASK, {"n": n}, [risk.agent_id], dedupe_id=f"{n}")
        made.append(clock())
        clock.advance(hours=1)

    def count(since: datetime | None, until: datetime | None) -> int:
        graph = coordinator.get_collaboration([scout.agent_id], since, until)
        return sum(each.sent for each in graph.exchanges)

    assert count(made[1], made[2]) == 2
    assert count(None, made[2]) == 4
    assert count(made[1], None) == 4
    assert count(made[1], made[1]) == 0
    assert count(None, made[0]) == 0
    clock.advance(hours=22)
    assert count(None, None) == 2  # the others have expired


@pytest.mark.parametrize(
    ("window", "match"),
    [
        ({"since": datetime(2026, 3, 1)}, "since .* has no time zone"),  # noqa: DTZ001
        ({"until": datetime(2026, 3, 1)}, "until .* has no time zone"),  # noqa: DTZ001
        ({"since": "yesterday"}, "since must be a datetime"),
        ({"agents": "scout"}, "use a list of agents' ids"),
        ({"agents": 3}, "use a list of agents' ids"),
    ],
    ids=["since", "until", "text", "one id", "a number"],
)
def test_what_cannot_be_asked(
    coordinator: MultiAgentCoordinator, window: dict[str, Any], match: str
) -> None:
    """Each is refused in a sentence, and nothing is read."""
    with (
        CapacityMeter(coordinator.client_manager.dynamodb) as meter,
        pytest.raises(InvalidInputError, match=match),
    ):
        coordinator.get_collaboration(**{"agents": ["scout"]} | window)
    assert not meter.requests


def test_a_window_that_ends_before_it_begins(
    coordinator: MultiAgentCoordinator, clock: Clock
) -> None:
    """And an id that is none."""
    with pytest.raises(InvalidInputError, match="the window ends before it begins"):
        coordinator.get_collaboration(["scout"], clock(), clock() - timedelta(seconds=1))
    with pytest.raises(InvalidAgentIdError, match="is not an agent id"):
        coordinator.get_collaboration(["scout", "no agent"])


def test_what_cannot_be_read_is_left_out(
    coordinator: MultiAgentCoordinator, client_manager: AWSClientManager, desk: Any
) -> None:
    """A damaged signal, and a delivery that its target has damaged, hide no other."""
    scout, risk, other = desk(), desk(), desk()
    store = client_manager.store
    for target in (risk, risk, other):
        scout.publish_signal(ASK, {}, [target.agent_id])
    graph = coordinator.get_collaboration([scout.agent_id])
    assert graph.exchanges == in_order(told(scout, risk, 2, 0), told(scout, other, 1, 0))
    own = SignalId.parse(risk.pending_signals()[0].signal_id)
    store.update(SIGNALS, keys.signal(own), {"body": "{"})
    own = SignalId.parse(other.pending_signals()[0].signal_id)
    store.update(SIGNALS, keys.delivery(other.agent_id, own), {"status": "loved"})
    graph = coordinator.get_collaboration([scout.agent_id])
    assert graph.exchanges == [told(scout, risk, 1, 0)]


def test_it_reads_no_more_than_it_needs(coordinator: MultiAgentCoordinator, desk: Any) -> None:
    """One query for an agent, one for each of its signals, and nothing is scanned."""
    scout, risk = desk(), desk()
    for n in range(7):
        scout.publish_signal(ASK, {"n": n}, [risk.agent_id])
    with CapacityMeter(coordinator.client_manager.dynamodb) as meter:
        coordinator.get_collaboration([scout.agent_id, risk.agent_id])
    assert dict(meter.requests) == {"Query": 9}
