"""What every backend must do for claims: held for a while, settled once, given up at last."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from daybook import (
    AWSClientManager,
    ClaimExpiredError,
    ConflictError,
    InvalidInputError,
    MemoryManager,
    SignalPriority,
    SignalStatus,
    SignalType,
    StaleStateError,
)
from daybook.models.signal_ids import SignalId
from daybook.signals import acknowledge, get_signal, route
from daybook.signals.inbox import MOST_ATTEMPTS
from daybook.store import SIGNALS, keys
from daybook.store.expressions import absent, equals
from daybook.store.requests import Put
from tests.clocks import Clock
from tests.contracts.inboxes import ids, statuses

ALERT = SignalType.RISK_ALERT


def test_claim_outlasts_no_signal(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """A claim ends with its signal at the latest."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    clock.advance(hours=23)
    (claim,) = target.claim_signals(visibility_seconds=43_200)
    assert claim.visible_until == claim.signal.expires_at == clock() + timedelta(hours=1)


def test_extending_outlasts_no_signal(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """An extended claim ends with its signal too, and then changes nothing any more."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    clock.advance(hours=23, minutes=59)
    (claim,) = target.claim_signals(visibility_seconds=10)
    claim.extend(600)
    assert claim.visible_until == claim.signal.expires_at == clock() + timedelta(minutes=1)
    clock.advance(seconds=30)
    claim.extend(30)
    clock.advance(seconds=30)
    for verb in (claim.ack, claim.release, lambda: claim.extend(5)):
        with pytest.raises(ClaimExpiredError):
            verb()


def test_claim_that_ran_out(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """It changes nothing any more, whether or not somebody else has the signal."""
    target = desk()
    sid = memory.publish_signal(ALERT, {}, [target.agent_id])
    (late,) = target.claim_signals(visibility_seconds=60)
    clock.advance(seconds=60)
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.PENDING}
    with pytest.raises(ClaimExpiredError, match="time of the claim is over"):
        late.ack()
    (current,) = target.claim_signals(visibility_seconds=60)
    assert current.attempt == 2
    assert current.fence > late.fence
    for verb in (late.ack, late.release, lambda: late.extend(5)):
        with pytest.raises(ClaimExpiredError, match="somebody else"):
            verb()
    current.ack()
    with pytest.raises(ClaimExpiredError):
        late.ack()


def test_extend_keeps_a_claim(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """It counts from now, and the signal stays out of sight."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals(visibility_seconds=10)
    clock.advance(seconds=9)
    claim.extend(60)
    assert claim.visible_until == clock() + timedelta(seconds=60)
    clock.advance(seconds=59)
    assert target.claim_signals() == []
    claim.ack()


def test_release_gives_back(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """At once or later; after that, and after an acknowledgement, the claim is worth nothing."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals()
    claim.release()
    claim.release()
    with pytest.raises(ClaimExpiredError, match=r"this claim has given it back already$"):
        claim.ack()
    (claim,) = target.claim_signals()
    claim.release(delay_seconds=30)
    assert target.claim_signals() == target.pending_signals() == []
    clock.advance(seconds=30)
    (claim,) = target.claim_signals()
    assert claim.attempt == 3
    claim.ack()
    for late in (claim.release, lambda: claim.extend(60)):
        with pytest.raises(ClaimExpiredError, match=r"this claim has acknowledged it already$"):
            late()


def test_claim_as_a_context_manager(memory: MemoryManager, desk: Any) -> None:
    """Acknowledged when the block ends well, given back when it raises."""
    target = desk()
    sid = memory.publish_signal(ALERT, {"n": 1}, [target.agent_id])
    (claim,) = target.claim_signals()
    seen: list[object] = []
    with pytest.raises(KeyError), claim as signal:
        seen.append(signal.payload["missing"])
    (claim,) = target.claim_signals()
    with claim as signal:
        seen.append(signal.payload)
    assert seen == [{"n": 1}]
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.PROCESSED}


def test_dead_after_five_attempts(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """The next claimer puts it aside, and no routing brings it back."""
    target = desk()
    sid = memory.publish_signal(ALERT, {}, [target.agent_id])
    fine = memory.publish_signal(ALERT, {}, [target.agent_id], SignalPriority.LOW)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        (claim,) = target.claim_signals(1)
        assert (claim.signal.signal_id, claim.attempt) == (sid, attempt)
        clock.advance(seconds=61)
    assert ids(target.claim_signals(1)) == [fine]
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.DEAD}
    assert route(memory.client_manager.store, get_signal(memory.client_manager.store, sid)) == [
        target.agent_id
    ]
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.DEAD}
    assert target.pending_signals() == []


def test_untried_release_is_no_attempt(memory: MemoryManager, desk: Any) -> None:
    """What nobody has tried does not die of being claimed and given back."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    for _ in range(2 * MOST_ATTEMPTS):
        (claim,) = target.claim_signals()
        assert claim.attempt == 1
        claim.release(untried=True)


def test_effect_and_acknowledgement_are_one(memory: MemoryManager, desk: Any) -> None:
    """What goes with it is written once, with the acknowledgement or not at all."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals()
    sid, effect = claim.signal.signal_id, {"pk": target.agent_id, "sk": "EFFECT"}

    def act(fence: int, mark: int, condition: Any = None) -> None:
        put = Put(table=SIGNALS, item=effect | {"n": mark}, condition=condition)
        acknowledge(target.client_manager.store, target.agent_id, sid, fence, also=[put])

    with pytest.raises(ClaimExpiredError):
        act(claim.fence - 1, 1)
    with pytest.raises(ConflictError, match="still held"):
        act(claim.fence, 2, equals("n", 7))
    assert target.client_manager.store.get(SIGNALS, effect) is None
    act(claim.fence, 3, absent("pk"))
    act(claim.fence, 4, absent("pk"))
    assert target.client_manager.store.get(SIGNALS, effect) == effect | {"n": 3}


def test_no_more_at_once_than_an_answer_carries(memory: MemoryManager, desk: Any) -> None:
    """Large signals come a few at a time, so that none is claimed and never seen."""
    target = desk()
    for _ in range(14):
        memory.publish_signal(ALERT, {"x": "y" * 250_000}, [target.agent_id])
    assert len(target.pending_signals()) == 12
    assert len(target.claim_signals(14)) == 12
    assert [claim.attempt for claim in target.claim_signals(14)] == [1, 1]


def test_damaged_delivery_holds_nothing_up(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """One that cannot be read is left out, and dead in the end."""
    target = desk()
    bad = memory.publish_signal(ALERT, {}, [target.agent_id], SignalPriority.CRITICAL)
    clock.advance(seconds=1)
    good = memory.publish_signal(ALERT, {}, [target.agent_id])
    key = keys.delivery(target.agent_id, SignalId.parse(bad))
    memory.client_manager.store.update(SIGNALS, key, {"body": '{"no":"signal"}'})
    assert [signal.signal_id for signal in target.pending_signals()] == [good]
    for _ in range(MOST_ATTEMPTS):
        assert ids(target.claim_signals(visibility_seconds=10)) == [good]
        clock.advance(seconds=10)
    target.claim_signals()
    assert statuses(memory, bad) == {target.agent_id: SignalStatus.DEAD}


def test_managers_of_one_agent_share_its_inbox(
    memory: MemoryManager, desk: Any, client_manager: AWSClientManager
) -> None:
    """Two handles never hold the same signal."""
    target = desk()
    for _ in range(6):
        memory.publish_signal(ALERT, {}, [target.agent_id])
    twin = MemoryManager(target.agent_id, client_manager)
    taken = ids(target.claim_signals(4)) + ids(twin.claim_signals(4))
    assert len(taken) == len(set(taken)) == 6


def test_acknowledging_with_a_state(memory: MemoryManager, desk: Any) -> None:
    """The signal is done and the state written together; acknowledging again changes nothing."""
    target = desk()
    sid = memory.publish_signal(ALERT, {"add": 2}, [target.agent_id])
    (claim,) = target.claim_signals()
    first = claim.ack(state={"sum": claim.signal.payload["add"]})
    assert first == target.load_state()
    assert (first.version, first.data) == (1, {"sum": 2})
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.PROCESSED}
    claim.ack()
    for expected in (None, 1, 7):
        with pytest.raises(ClaimExpiredError, match="before"):
            claim.ack(state={"sum": 4}, expected_version=expected)
    assert target.load_state() == first


def test_a_state_after_the_acknowledgement(memory: MemoryManager, desk: Any) -> None:
    """The loop that loads the state and tries again ends, since the claim is no longer held."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals()
    claim.ack()
    target.save_state({"by": "another"})
    with pytest.raises(ClaimExpiredError):  # noqa: PT012 - the loop is what is tested
        for _ in range(3):
            state = target.load_state()
            assert state is not None
            with suppress(StaleStateError):
                claim.ack(state={"by": "me"}, expected_version=state.version)
    assert target.load_state() == state
    assert state.data == {"by": "another"}


def test_an_acknowledgement_whose_answer_was_lost(memory: MemoryManager, desk: Any) -> None:
    """The same write is known by its token, and another one is told that the claim is over."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals()

    def acknowledge_with(token: str) -> int:
        made = target._ack_and_save(  # noqa: SLF001 - with a token of its own
            claim.signal.signal_id, claim.fence, {"n": 1}, None, token
        )
        version: int = made.version
        return version

    assert [acknowledge_with("0123456789ab") for _ in range(2)] == [1, 1]
    with pytest.raises(ClaimExpiredError):
        acknowledge_with("ba9876543210")
    target.save_state({"n": 2}, 1)
    assert acknowledge_with("0123456789ab") == 1


def test_a_token_of_another_write(memory: MemoryManager, desk: Any) -> None:
    """A save under the same token is no acknowledgement: the claim is still held."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals()
    own = claim.signal.signal_id
    target._save_state({"n": 1}, None, "0123456789ab")  # noqa: SLF001
    with pytest.raises(StaleStateError) as stale:
        target._ack_and_save(own, claim.fence, {"n": 1}, None, "0123456789ab")  # noqa: SLF001
    assert stale.value.found == 1
    assert claim.ack(state={"n": 2}, expected_version=1).version == 2


def test_a_stale_state_leaves_the_claim(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """Another version stands: neither is written, the claim is held, and a second try works."""
    target = desk()
    sid = memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals(visibility_seconds=60)
    target.save_state({"by": "another"})
    for wrong in (None, 7):
        with pytest.raises(StaleStateError) as stale:
            claim.ack(state={"by": "me"}, expected_version=wrong)
        assert stale.value.found == 1
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.CLAIMED}
    assert claim.ack(state={"by": "me"}, expected_version=1).version == 2
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.PROCESSED}

    late = memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals(visibility_seconds=60)
    clock.advance(seconds=61)
    with pytest.raises(ClaimExpiredError):
        claim.ack(state={"by": "late"}, expected_version=2)
    assert statuses(memory, late) == {target.agent_id: SignalStatus.PENDING}
    state = target.load_state()
    assert state is not None
    assert state.data == {"by": "me"}


def test_a_state_that_cannot_be(memory: MemoryManager, desk: Any) -> None:
    """Bad input is told before anything is written, and the claim is held."""
    target = desk()
    memory.publish_signal(ALERT, {}, [target.agent_id])
    (claim,) = target.claim_signals()
    bad: Any
    for bad in ({"a": float("nan")}, {"a": object()}, [1], "x"):
        with pytest.raises(InvalidInputError):
            claim.ack(state=bad)
    assert target.load_state() is None
    claim.ack()
