"""What every backend must do for the registry of agents and for the coordinator."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AgentNotRegisteredError,
    AgentSignal,
    AWSClientManager,
    InvalidAgentIdError,
    InvalidInputError,
    MemoryManager,
    MultiAgentCoordinator,
    SignalConflictError,
    SignalNotFoundError,
    SignalType,
    UnknownTargetError,
)
from daybook.models.signal_ids import SignalId
from daybook.store import SIGNALS, keys
from daybook.store.codec import deflated
from tests.clocks import Clock


@pytest.fixture
def coordinator(client_manager: AWSClientManager) -> MultiAgentCoordinator:
    """Give a coordinator."""
    return MultiAgentCoordinator(client_manager)


@pytest.fixture
def word() -> str:
    """Give a capability, or a topic, that no other test's agents have."""
    return f"word-{uuid4().hex}"


def named(word: str, number: int) -> str:
    """Make an agent id of this test's own."""
    return f"{word}-{number}"


def test_agents_are_found_by_what_they_can(
    coordinator: MultiAgentCoordinator, word: str, clock: Clock
) -> None:
    """By capability and by topic; words are counted once, agents come in order."""
    for number in (3, 1, 2):
        topics = [f"{word}-even"] if number % 2 == 0 else ()
        coordinator.register(named(word, number), [word, "trade", word], topics)
    found = coordinator.agents(capability=word)
    assert [card.agent_id for card in found] == [named(word, n) for n in (1, 2, 3)]
    assert found[0].capabilities == sorted({word, "trade"})
    assert found[0].registered_at == found[0].heartbeat_at == clock()
    assert [c.agent_id for c in coordinator.agents(topic=f"{word}-even")] == [named(word, 2)]
    assert coordinator.agents(capability=word, topic="none of theirs") == []


def test_liveness_is_the_heartbeat(
    coordinator: MultiAgentCoordinator, word: str, clock: Clock
) -> None:
    """Whoever was not heard of lately is left out, and is not forgotten."""
    for number in range(2):
        coordinator.register(named(word, number), [word])
    clock.advance(seconds=60)
    assert coordinator.heartbeat(named(word, 1)).heartbeat_at == clock()
    clock.advance(seconds=30)

    def alive(within: Any) -> list[str]:
        found = coordinator.agents(alive_within=within, capability=word)
        return [card.agent_id for card in found]

    assert alive(45) == alive(timedelta(seconds=30)) == [named(word, 1)]
    assert alive(90) == alive(None) == [named(word, 0), named(word, 1)]
    assert alive(29.5) == []


def test_registering_again_replaces(
    coordinator: MultiAgentCoordinator, word: str, clock: Clock
) -> None:
    """What the agent says of itself is new; the time of its first registration stays."""
    first = coordinator.register(named(word, 1), [word], ["old"])
    clock.advance(hours=1)
    again = coordinator.register(named(word, 1), [word], ["new"])
    assert coordinator.agents(capability=word) == [again]
    assert (again.topics, again.registered_at) == (["new"], first.registered_at)
    assert again.heartbeat_at == clock()


def test_unregistered_agents_are_gone(coordinator: MultiAgentCoordinator, word: str) -> None:
    """Once or twice; they can come back, and have no heartbeat until then."""
    coordinator.register(named(word, 1), [word])
    for _ in range(2):
        coordinator.unregister(named(word, 1))
    assert coordinator.agents(capability=word) == []
    with pytest.raises(AgentNotRegisteredError, match="register it before"):
        coordinator.heartbeat(named(word, 1))
    coordinator.register(named(word, 1), [word])
    assert len(coordinator.agents(capability=word)) == 1


def test_agent_registers_itself(
    coordinator: MultiAgentCoordinator, memory: MemoryManager, clock: Clock
) -> None:
    """An agent's own verbs are about the same registry."""
    with pytest.raises(AgentNotRegisteredError, match=r"MemoryManager\.register"):
        memory.heartbeat()
    card = memory.register(capabilities=["risk"], topics=["vol"])
    assert card in coordinator.agents(capability="risk")
    clock.advance(days=400)
    assert memory.agent_id not in {each.agent_id for each in memory.agents(alive_within=60)}
    memory.heartbeat()
    assert memory.agent_id in {each.agent_id for each in memory.agents(alive_within=60)}
    memory.unregister()
    assert memory.agent_id not in {each.agent_id for each in memory.agents()}


def test_coordinator_finishes_a_routing(
    coordinator: MultiAgentCoordinator, memory: MemoryManager, word: str
) -> None:
    """What was published and not delivered is delivered by its id, once."""
    coordinator.register(named(word, 1))
    memory.signals_routed = True
    sid = memory.publish_signal("request", {"n": 1}, [named(word, 1)])
    for _ in range(2):
        assert coordinator.route(sid) == [named(word, 1)]
    target = MemoryManager(named(word, 1), memory.client_manager)
    assert [claim.signal.signal_id for claim in target.claim_signals()] == [sid]


def test_coordinator_publishes_what_it_is_given(
    coordinator: MultiAgentCoordinator, memory: MemoryManager, word: str, clock: Clock
) -> None:
    """A signal that nobody has published is published as it is, by the same rules."""
    coordinator.register(named(word, 1), topics=[word])

    def made(**more: Any) -> AgentSignal:
        fields = {
            "signal_id": str(SignalId.make(memory.agent_id, clock(), None)),
            "sender": memory.agent_id,
            "signal_type": SignalType.RESPONSE,
            "created_at": clock(),
            "expires_at": clock() + timedelta(hours=1),
        }
        return AgentSignal.checked(**fields | more)

    signal = made(topic=word)
    for _ in range(2):
        assert coordinator.route(signal) == [named(word, 1)]
    assert memory.signal_status(signal.signal_id).deliveries[0].attempts == 0
    with pytest.raises(UnknownTargetError):
        coordinator.route(made(targets=["nobody-at-all"]))
    other = signal.model_copy(update={"payload": {"n": 2}})
    with pytest.raises(SignalConflictError, match="Use a new signal_id"):
        coordinator.route(other)
    late = made(topic=word)
    clock.advance(hours=2)
    with pytest.raises(InvalidInputError, match="expired"):
        coordinator.route(late)
    with pytest.raises(SignalNotFoundError, match="has expired"):
        coordinator.route(signal.signal_id)
    early = made(topic=word)
    clock.advance(hours=-1)
    with pytest.raises(InvalidInputError, match="clock"):
        coordinator.route(early)
    with pytest.raises(SignalNotFoundError):
        coordinator.route(early.signal_id)
    with pytest.raises(InvalidInputError):
        coordinator.route(3)  # type: ignore[arg-type]


def test_damaged_card_hides_nobody(coordinator: MultiAgentCoordinator, word: str) -> None:
    """A registration that cannot be read is left out; the others are there."""
    for number in range(2):
        coordinator.register(named(word, number), [word])
    key = keys.registration(named(word, 0))
    coordinator.store.update(SIGNALS, key, {"body": '{"topics":3}'})
    assert [c.agent_id for c in coordinator.agents(capability=word)] == [named(word, 1)]


@pytest.mark.parametrize(
    "swollen",
    [
        b'{"topics":["%s"]' + b" " * 200_000 + b"}",
        b'{"topics":["%s"],"capabilities":["a"' + b',"a"' * 50 + b"]}",
    ],
)
def test_swollen_card_is_left_out(
    coordinator: MultiAgentCoordinator, word: str, swollen: bytes
) -> None:
    """A small item that becomes more than a card can be costs no reader anything."""
    for number in range(2):
        coordinator.register(named(word, number), topics=[word])
    body = deflated(swollen.replace(b"%s", word.encode()))
    assert len(body) < 300
    coordinator.store.update(SIGNALS, keys.registration(named(word, 0)), {"body": body})
    assert [c.agent_id for c in coordinator.agents(topic=word)] == [named(word, 1)]


def test_largest_card_is_kept(coordinator: MultiAgentCoordinator, word: str) -> None:
    """As many words as may be, of letters that JSON escapes, are read back."""
    words = [f"{number:02}".ljust(256, "\x01") for number in range(50)]
    coordinator.register(named(word, 0), words, [word, *words[1:]])
    (card,) = coordinator.agents(topic=word)
    assert card.capabilities == words


def test_coordinator_shows_shared_patterns(
    coordinator: MultiAgentCoordinator, memory: MemoryManager
) -> None:
    """As the agent's own handle does."""
    assert coordinator.shared_patterns(memory.agent_id) == memory.shared_patterns() == []


@pytest.mark.parametrize("bad", ["trade", [3], [""], ["x" * 257], [f"w{n}" for n in range(51)], 3])
def test_bad_words_are_refused(coordinator: MultiAgentCoordinator, word: str, bad: Any) -> None:
    """Capabilities and topics are lists of short texts."""
    for given in ({"capabilities": bad}, {"topics": bad}):
        with pytest.raises(InvalidInputError):
            coordinator.register(named(word, 1), **given)
    with pytest.raises(InvalidInputError, match=r"topics: 'trade' is no list: use \['trade'\]"):
        coordinator.register(named(word, 1), topics="trade")
    assert coordinator.store.get(SIGNALS, keys.registration(named(word, 1))) is None


def test_bad_agent_ids_are_refused(coordinator: MultiAgentCoordinator) -> None:
    """By every verb that takes one."""
    verbs: list[Any] = [
        coordinator.register,
        coordinator.heartbeat,
        coordinator.unregister,
        coordinator.shared_patterns,
    ]
    for verb in verbs:
        for bad in ("", "a#b", 3, None):
            with pytest.raises(InvalidAgentIdError):
                verb(bad)


@pytest.mark.parametrize(
    "bad",
    [
        *({"alive_within": each} for each in (0, -1, True, float("nan"), float("inf"), "3", 1e30)),
        {"alive_within": timedelta(0)},
        {"capability": ""},
        {"capability": 3},
        {"topic": ["a"]},
    ],
)
def test_bad_filters_are_refused(coordinator: MultiAgentCoordinator, bad: dict[str, Any]) -> None:
    """A span is a positive time, a word a text."""
    with pytest.raises(InvalidInputError):
        coordinator.agents(**bad)
