"""What every backend must do for signals: publish, claim, acknowledge, expire."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AgentSignal,
    ClaimExpiredError,
    InvalidInputError,
    InvalidSignalIdError,
    MemoryManager,
    SignalConflictError,
    SignalNotFoundError,
    SignalPriority,
    SignalStatus,
    SignalTooLargeError,
    SignalType,
    UnknownTargetError,
)
from daybook.models.signal_ids import SignalId
from daybook.signals import get_signal, route
from daybook.store import SIGNALS, keys
from daybook.store.expressions import begins_with, equals
from tests.clocks import Clock
from tests.contracts.inboxes import ids, statuses

ALERT = SignalType.RISK_ALERT


def test_signal_reaches_its_target(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """It is pending, claimed, acknowledged and gone, and its sender sees that."""
    target = desk()
    payload = {"näme": [1, 2.5, None, {"a": True}], "level": 0.1 + 0.2}
    sid = memory.publish_signal(ALERT, payload, [target.agent_id], SignalPriority.HIGH)
    (waiting,) = target.pending_signals()
    assert waiting == AgentSignal(
        signal_id=sid,
        sender=memory.agent_id,
        signal_type=ALERT,
        priority=SignalPriority.HIGH,
        payload=payload,
        targets=[target.agent_id],
        created_at=clock(),
        expires_at=clock() + timedelta(hours=24),
    )
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.PENDING}
    (claim,) = target.claim_signals(visibility_seconds=30)
    assert claim.signal == waiting
    assert (claim.attempt, claim.visible_until) == (1, clock() + timedelta(seconds=30))
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.CLAIMED}
    assert target.pending_signals() == []
    assert target.claim_signals() == []
    claim.ack()
    claim.ack()
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.PROCESSED}
    assert memory.signal_status(sid).count(SignalStatus.PROCESSED) == 1
    clock.advance(seconds=31)
    assert target.claim_signals() == []


def test_nothing_is_there_at_first(memory: MemoryManager) -> None:
    """An agent without signals has an empty inbox, and clear errors for ids."""
    assert memory.pending_signals() == []
    assert memory.claim_signals() == []
    unknown = str(SignalId.make(memory.agent_id, memory.client_manager.store.clock(), None))
    with pytest.raises(SignalNotFoundError, match="has expired"):
        memory.signal_status(unknown)
    with pytest.raises(ClaimExpiredError, match="unknown, or has expired"):
        memory._ack(unknown, 1)  # noqa: SLF001 - as a claim would
    with pytest.raises(InvalidSignalIdError, match="publish_signal"):
        memory.signal_status("nothing")


def test_most_urgent_first_then_oldest(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """Priority decides, then age, in `pending` as in `claim`."""
    target = desk()
    made: dict[SignalPriority, list[str]] = {each: [] for each in SignalPriority}
    for number in range(12):
        priority = SignalPriority((number * 7) % 4)
        sid = memory.publish_signal(ALERT, {}, [target.agent_id], priority)
        made[priority].append(sid)
        clock.advance(seconds=1)
    order = [sid for priority in SignalPriority for sid in made[priority]]
    assert [signal.signal_id for signal in target.pending_signals()] == order
    assert [signal.signal_id for signal in target.pending_signals(5)] == order[:5]
    assert ids(target.claim_signals(5)) == order[:5]
    assert ids(target.claim_signals(100)) == order[5:]


def test_unknown_targets_are_named(memory: MemoryManager, desk: Any) -> None:
    """Nothing is written when one of them is not registered."""
    target = desk()
    nobody = f"nobody-{uuid4().hex}"
    with pytest.raises(
        UnknownTargetError, match=rf"'{nobody}' is not registered.*MemoryManager\.register"
    ):
        memory.publish_signal(ALERT, {}, [target.agent_id, nobody])
    assert target.pending_signals() == []
    mine = equals("pk", memory.agent_id) & begins_with("sk", "S#")
    assert list(memory.client_manager.store.query(SIGNALS, mine, consistent=True)) == []


def test_target_registered_just_now(memory: MemoryManager, desk: Any) -> None:
    """Whoever the sender's list does not hold yet is looked up by key."""
    first = desk()
    memory.publish_signal(ALERT, {}, [first.agent_id])
    second = desk()
    memory.publish_signal(ALERT, {}, [first.agent_id, second.agent_id, first.agent_id])
    assert len(first.pending_signals()) == 2
    assert len(second.pending_signals()) == 1


def test_topic_reaches_its_subscribers(memory: MemoryManager, desk: Any) -> None:
    """All of them but the sender; a topic of nobody is told to nobody."""
    topic = uuid4().hex
    one, two, other = desk(topic), desk(topic, "more"), desk("more")
    memory.register(topics=[topic])
    sid = memory.publish_signal(ALERT, {"n": 1}, topic=topic)
    assert set(statuses(memory, sid)) == {one.agent_id, two.agent_id}
    assert other.pending_signals() == memory.pending_signals() == []
    quiet = memory.publish_signal(ALERT, {}, topic=uuid4().hex)
    assert memory.signal_status(quiet).deliveries == []


def test_broadcast_reaches_everybody_else(memory: MemoryManager, desk: Any) -> None:
    """Every registered agent but the sender."""
    others = {desk().agent_id for _ in range(3)}
    memory.register()
    sid = memory.publish_signal("coordination")
    assert others <= set(statuses(memory, sid))
    assert memory.agent_id not in statuses(memory, sid)


def test_own_id_as_a_target(memory: MemoryManager) -> None:
    """An agent may send itself a note."""
    with pytest.raises(UnknownTargetError):
        memory.publish_signal(ALERT, {}, [memory.agent_id])
    memory.register()
    memory.publish_signal(ALERT, {}, [memory.agent_id])
    assert len(memory.claim_signals()) == 1


def test_dedupe_id_makes_one_signal(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """Published twice it is one, also once it was dealt with; other content is refused."""
    target = desk()

    def publish(level: object = 3, **more: Any) -> str:
        to = [target.agent_id]
        return memory.publish_signal(ALERT, {"level": level}, to, dedupe_id="alert-7", **more)

    sid = publish()
    clock.advance(minutes=1)
    assert publish() == sid
    assert len(target.pending_signals()) == 1
    target.claim_signals()[0].ack()
    assert publish() == sid
    assert target.claim_signals() == []
    for level, more in ((4, {}), (True, {}), (3, {"priority": 0})):
        with pytest.raises(SignalConflictError, match="alert-7"):
            publish(level, **more)
    assert memory.publish_signal(ALERT, {}, [target.agent_id], dedupe_id="alert-8") != sid


def test_everything_ends_after_a_day(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """From the second at which it expires a signal is hidden, and its id is free again."""
    target = desk()
    send: dict[str, Any] = {"targets": [target.agent_id], "dedupe_id": "daily"}
    sid = memory.publish_signal(ALERT, {"day": 1}, **send)
    (old,) = target.claim_signals(visibility_seconds=43_200)
    clock.advance(hours=24)
    assert target.pending_signals() == []
    assert target.claim_signals() == []
    with pytest.raises(SignalNotFoundError):
        memory.signal_status(sid)
    assert memory.publish_signal(ALERT, {"day": 2}, **send) == sid
    (new,) = target.claim_signals()
    assert (new.signal.payload, new.attempt) == ({"day": 2}, 1)
    with pytest.raises(ClaimExpiredError):
        old.ack()
    new.ack()


def test_routing_again_delivers_nothing_twice(memory: MemoryManager, desk: Any) -> None:
    """Neither what waits, nor what is claimed, nor what is done."""
    target = desk()
    sid = memory.publish_signal(ALERT, {}, [target.agent_id])
    signal = get_signal(memory.client_manager.store, sid)
    route(memory.client_manager.store, signal)
    (claim,) = target.claim_signals()
    route(memory.client_manager.store, signal)
    assert target.claim_signals() == []
    claim.ack()
    route(memory.client_manager.store, signal)
    assert target.claim_signals() == []
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.PROCESSED}


def test_router_delivers(memory: MemoryManager, desk: Any) -> None:
    """With a deployed router publishing writes the signal, and the router the deliveries."""
    target = desk()
    memory = MemoryManager(memory.agent_id, memory.client_manager, door="tables")
    memory.signals_routed = True
    sid = memory.publish_signal(ALERT, {}, [target.agent_id])
    assert target.pending_signals() == []
    assert memory.signal_status(sid).deliveries == []
    route(memory.client_manager.store, get_signal(memory.client_manager.store, sid))
    assert ids(target.claim_signals()) == [sid]
    with pytest.raises(UnknownTargetError):
        memory.publish_signal(ALERT, {}, ["nobody-at-all"])


def test_forged_items_are_passed_over(memory: MemoryManager, desk: Any) -> None:
    """Another's name on an item of one's own puts nothing into its inbox, nor into a report."""
    target, mallory = desk(), desk()
    sid = memory.publish_signal(ALERT, {"n": 1}, [target.agent_id])
    item = memory.client_manager.store.get(
        SIGNALS, keys.delivery(target.agent_id, SignalId.parse(sid))
    )
    assert item is not None
    forged = item | {"pk": mallory.agent_id, "sk": "FORGED", "due_key": "0"}
    memory.client_manager.store.put(SIGNALS, forged | {"registry_key": keys.REGISTRY})
    assert len(target.pending_signals()) == len(target.claim_signals()) == 1
    assert set(statuses(memory, sid)) == {target.agent_id}
    cards = [card for card in memory.agents() if card.agent_id == mallory.agent_id]
    assert len(cards) == 1


@pytest.mark.parametrize("damage", [{"attempts": "many"}, {"status": "lost"}, {"attempts": b"x"}])
def test_damaged_delivery_hides_no_other(
    memory: MemoryManager, desk: Any, damage: dict[str, Any]
) -> None:
    """The sender's report leaves out what cannot be read, and tells of the others."""
    target, mallory = desk(), desk()
    sid = memory.publish_signal(ALERT, {}, [target.agent_id, mallory.agent_id])
    key = keys.delivery(mallory.agent_id, SignalId.parse(sid))
    memory.client_manager.store.update(SIGNALS, key, damage)
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.PENDING}


@pytest.mark.parametrize(
    "bad",
    [
        {"signal_type": "shout"},
        {"signal_type": 3},
        {"payload": [1]},
        {"payload": {"x": float("nan")}},
        {"payload": {"x": object()}},
        {"payload": {1: 2}},
        {"targets": []},
        {"targets": "scout"},
        {"targets": ["a#b"]},
        {"targets": [3]},
        {"targets": [f"a{n}" for n in range(1001)]},
        {"targets": ["a"], "topic": "t"},
        {"topic": ""},
        {"topic": "x" * 257},
        {"topic": 3},
        {"priority": 4},
        {"priority": True},
        {"priority": "high"},
        {"priority": 1.0},
        {"dedupe_id": ""},
        {"dedupe_id": "\ud800"},
        {"dedupe_id": 3},
    ],
)
def test_bad_signals_are_refused(memory: MemoryManager, bad: dict[str, Any]) -> None:
    """With a clear error, before anything is written."""
    with pytest.raises(InvalidInputError):
        memory.publish_signal(**{"signal_type": ALERT} | bad)
    mine = equals("pk", memory.agent_id)
    assert list(memory.client_manager.store.query(SIGNALS, mine, consistent=True)) == []


@pytest.mark.parametrize("bad", [0, -1, 101, True, 1.0, float("nan"), "3", None, 10**30])
def test_bad_numbers_are_refused(memory: MemoryManager, bad: Any) -> None:
    """Limits and visibilities are whole numbers of a range."""
    for verb in (memory.pending_signals, memory.claim_signals):
        with pytest.raises(InvalidInputError, match="limit"):
            verb(bad)
    if bad != 101:
        with pytest.raises(InvalidInputError, match="visibility_seconds"):
            memory.claim_signals(1, bad)
        with pytest.raises(InvalidInputError, match="visibility_seconds"):
            memory.listen(bad)


def test_payload_over_the_limit(memory: MemoryManager, desk: Any) -> None:
    """256 KB of JSON fit, and come back whole; a byte more is refused."""
    target = desk()
    room = 256 * 1024 - len('{"x":""}')
    memory.publish_signal(ALERT, {"x": "é" * (room // 2)}, [target.agent_id])
    (claim,) = target.claim_signals()
    assert claim.signal.payload == {"x": "é" * (room // 2)}
    with pytest.raises(SignalTooLargeError, match="payload"):
        memory.publish_signal(ALERT, {"x": "y" * (room + 1)}, [target.agent_id])
