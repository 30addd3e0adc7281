"""What every backend must do for a claim that is asked for again: give the same one."""

from typing import Any

from daybook import Claim, MemoryManager, SignalStatus
from daybook.models import ClaimedSignal
from daybook.signals.inbox import MOST_ATTEMPTS
from tests.clocks import Clock
from tests.contracts.inboxes import statuses

OURS, THEIRS = "a" * 12, "b" * 12


def claim(memory: MemoryManager, limit: int, token: str) -> list[ClaimedSignal]:
    """Claim for a minute, as `claim_signals` does with a token of its own."""
    return memory._claim(limit, 60, token)  # noqa: SLF001


def test_the_same_token_is_given_the_same(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """Fence, attempt and time are those of the first answer; another token gets the rest."""
    target = desk()
    for number in range(3):
        memory.publish_signal("request", {"n": number}, [target.agent_id])
    first = claim(target, 2, OURS)
    clock.advance(seconds=30)
    assert claim(target, 2, OURS) == first
    assert [claimed.attempt for claimed in first] == [1, 1]
    (other,) = claim(target, 2, THEIRS)
    assert other.signal not in [claimed.signal for claimed in first]
    assert claim(target, 2, OURS) == first
    clock.advance(seconds=30)
    assert [claimed.attempt for claimed in claim(target, 2, OURS)] == [2, 2]


def test_the_last_attempt_can_be_repeated(memory: MemoryManager, desk: Any, clock: Clock) -> None:
    """It is still held, and so not put aside; when its time is over, it is."""
    target = desk()
    sid = memory.publish_signal("request", {}, [target.agent_id])
    for _ in range(MOST_ATTEMPTS):
        clock.advance(seconds=60)
        first = claim(target, 1, OURS)
    assert claim(target, 1, OURS) == first
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.CLAIMED}
    clock.advance(seconds=60)
    assert claim(target, 1, OURS) == []
    assert statuses(memory, sid) == {target.agent_id: SignalStatus.DEAD}


def test_what_is_settled_is_not_given_again(memory: MemoryManager, desk: Any) -> None:
    """Neither what was acknowledged nor what was given back for later."""
    target = desk()
    for number in range(2):
        memory.publish_signal("request", {"n": number}, [target.agent_id])
    done, later = claim(target, 2, OURS)
    Claim(target, done).ack()
    Claim(target, later).release(30)
    assert claim(target, 2, OURS) == []
