"""The API as a door, on the deployed stack: an agent's state, and what agents tell each other."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AgentState,
    AWSClientManager,
    BodyTooLargeError,
    ClaimExpiredError,
    MemoryManager,
    SignalStatus,
    StaleStateError,
)
from daybook.models import SignalReport
from daybook.signals.claims import Claim
from daybook.signals.inbox import MOST_ATTEMPTS
from tests.conftest import AGENTS
from tests.e2e.test_deployed_stack import eventually

Handles = Callable[..., MemoryManager]


@pytest.fixture
def scout(through_api: Handles) -> MemoryManager:
    """Give the scout's handle, which has nothing but the API."""
    return through_api("scout")


@pytest.fixture(scope="module")
def desk(through_api: Handles) -> Iterator[list[MemoryManager]]:
    """Give three agents that have registered through the API, with empty inboxes."""
    made = [through_api(agent) for agent in AGENTS]
    for agent in made:
        agent.register(["trade"], topics=["liquidity"] if agent.agent_id != "risk" else [])
        while claims := agent.claim_signals():
            for claim in claims:
                claim.ack()
    yield made
    for agent in made:
        agent.unregister()


def saved(memory: MemoryManager, data: Mapping[str, Any]) -> AgentState:
    """Save a state after whichever one stands."""
    standing = memory.load_state()
    return memory.save_state(data, standing.version if standing else None)


def claimed(memory: MemoryManager, signal_id: str) -> Claim:
    """Wait for a signal, and claim it."""

    def look() -> Claim | None:
        found = memory.claim_signals()
        assert all(each.signal.signal_id == signal_id for each in found)
        return found[0] if found else None

    got: Claim = eventually(look)
    return got


def test_state_goes_on_and_back(scout: MemoryManager, deployed: AWSClientManager) -> None:
    """Saved, kept, changed, rolled back and taken over: what the API says is in the tables."""
    straight = MemoryManager("scout", deployed)
    first = saved(scout, {"position": 1, "näme": [1, 2.5, None, 0.1 + 0.2]})
    assert scout.load_state() == straight.load_state() == first
    checkpoint = scout.create_checkpoint("before the storm")
    second = scout.save_state({"position": 2}, first.version)
    with pytest.raises(StaleStateError) as stale:
        scout.save_state({"position": 3}, first.version)
    assert stale.value.found == second.version == first.version + 1

    listed = {each.checkpoint_id: each for each in scout.list_checkpoints()}
    assert listed[checkpoint.checkpoint_id] == checkpoint
    assert (checkpoint.label, checkpoint.kind, checkpoint.data) == (
        "before the storm",
        "manual",
        None,
    )
    assert scout.get_checkpoint(checkpoint.checkpoint_id).data == first.data
    with pytest.raises(StaleStateError):
        scout.rollback(checkpoint.checkpoint_id, first.version)
    back = scout.rollback(checkpoint.checkpoint_id, second.version)
    assert (back.version, back.data) == (second.version + 1, first.data)
    assert back.restored_from == checkpoint.checkpoint_id
    assert scout.load_state() == straight.load_state() == back
    replaced = [each for each in scout.list_checkpoints() if each.kind == "replaced"]
    assert scout.get_checkpoint(replaced[0].checkpoint_id).data == {"position": 2}

    taken = scout.load_state(take_over=True)
    assert taken is not None
    assert (taken.version, taken.data) == (back.version + 1, first.data)
    with pytest.raises(StaleStateError):
        scout.save_state({"position": 4}, back.version)


def test_large_states(scout: MemoryManager, deployed: AWSClientManager) -> None:
    """Several MB travel both ways; what is too large is refused, and nothing is changed."""
    straight = MemoryManager("scout", deployed)
    rows = [{"price": 40_000 + n / 8, "näme": "bid"} for n in range(75_000)]
    made = saved(scout, {"rows": rows})
    assert scout.load_state() == straight.load_state() == made
    noise = "".join(uuid4().hex for _ in range(180_000))
    made = saved(scout, {"noise": noise})
    assert scout.load_state() == straight.load_state() == made
    kept = scout.create_checkpoint()
    assert scout.get_checkpoint(kept.checkpoint_id).data == {"noise": noise}
    assert scout.rollback(kept.checkpoint_id).data == {"noise": noise}
    standing = scout.load_state()
    assert standing is not None
    larger = {"noise": noise * 2 + uuid4().hex, "more": [uuid4().hex for _ in range(100_000)]}
    with pytest.raises(BodyTooLargeError, match="door='tables'"):
        scout.save_state(larger, standing.version)
    assert straight.load_state() == standing
    by_hand = straight.save_state(larger, standing.version)
    with pytest.raises(BodyTooLargeError):
        scout.load_state()
    assert scout.save_state({"position": 0}, by_hand.version).version == by_hand.version + 1


def test_signals_reach_the_named(desk: list[MemoryManager]) -> None:
    """Published by the API, delivered by the router, claimed, held, given back, acknowledged."""
    scout, strategist, risk = desk
    payload = {"level": 3, "text": "é" * 3000}
    sid = scout.publish_signal("risk_alert", payload, ["strategist", "risk"], priority=0)

    def progress() -> dict[str, SignalStatus]:
        report: SignalReport = scout.signal_status(sid)
        return {each.agent_id: each.status for each in report.deliveries}

    assert eventually(lambda: len(progress()) == 2)
    (waiting,) = strategist.pending_signals()
    assert (waiting.signal_id, waiting.payload, waiting.sender) == (sid, payload, "scout")
    first = claimed(strategist, sid)
    assert (first.signal, first.attempt) == (waiting, 1)
    assert progress() == {"strategist": "claimed", "risk": "pending"}
    assert strategist.claim_signals() == []
    until = first.visible_until
    first.extend(600)
    assert (first.visible_until - until).total_seconds() > 500
    first.release()
    second = claimed(strategist, sid)
    assert (second.attempt, second.fence) == (2, first.fence + 1)
    with pytest.raises(ClaimExpiredError):
        first.ack()
    second.ack()
    second.ack()
    with claimed(risk, sid) as signal:
        assert signal.payload == payload
    assert progress() == {"strategist": "processed", "risk": "processed"}


def test_signals_reach_a_topic_and_everybody(desk: list[MemoryManager]) -> None:
    """A topic reaches its subscribers, a broadcast everybody but its sender; each of them once."""
    scout, strategist, risk = desk
    assert {"scout", "strategist", "risk"} <= {each.agent_id for each in scout.agents(600.0)}
    dedupe_id = uuid4().hex
    topic, again = (
        risk.publish_signal("market_event", {"n": 1}, topic="liquidity", dedupe_id=dedupe_id)
        for _ in range(2)
    )
    assert topic == again
    for agent in (scout, strategist):
        claimed(agent, topic).ack()
    broadcast = strategist.publish_signal("coordination", {"stop": True})
    for agent in (scout, risk):
        claimed(agent, broadcast).ack()
    told = {each.agent_id for each in strategist.signal_status(broadcast).deliveries}
    assert "strategist" not in told
    assert [agent.claim_signals() for agent in desk] == [[], [], []]


def test_a_signals_effect_on_the_state(desk: list[MemoryManager]) -> None:
    """State and acknowledgement are written together, or neither; a large state too."""
    scout, strategist, _ = desk
    before = saved(strategist, {"position": 0})
    sid = scout.publish_signal("request", {"buy": 5}, ["strategist"])
    claim = claimed(strategist, sid)
    with pytest.raises(StaleStateError) as stale:
        claim.ack(state={"position": 99}, expected_version=before.version + 3)
    assert stale.value.found == before.version
    data = {"position": 5, "noise": [uuid4().hex for _ in range(30_000)]}
    written = claim.ack(state=data, expected_version=before.version)
    assert written is not None
    assert (written.version, written.data) == (before.version + 1, data)
    assert strategist.load_state() == written
    assert scout.signal_status(sid).count(SignalStatus.PROCESSED) == 1
    assert strategist.claim_signals() == []


def test_a_dead_one(desk: list[MemoryManager]) -> None:
    """A signal that is given up again and again leaves the inbox, and its sender sees that."""
    scout, _, risk = desk
    sid = scout.publish_signal("request", {"n": 1}, ["risk"])
    for attempt in range(MOST_ATTEMPTS):
        claim = claimed(risk, sid)
        assert claim.attempt == attempt + 1
        claim.release()
    assert risk.claim_signals() == []
    assert risk.pending_signals() == []
    assert scout.signal_status(sid).count(SignalStatus.DEAD) == 1
