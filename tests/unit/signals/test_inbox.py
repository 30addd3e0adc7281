"""Claiming when AWS fails in the middle, and in which order a worker is given signals."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from daybook import MemoryManager, SignalStatus, ThrottledError
from daybook.models import ClaimedSignal
from daybook.settings import Settings
from daybook.signals import acknowledge, claim, list_pending
from daybook.signals.inbox import MOST_ATTEMPTS
from daybook.store.batching import Backoff
from daybook.testing import local_aws
from tests.clocks import Clock
from tests.faults.clients import CountingClient

COUNT = 7


@dataclass
class ThrottledClient(CountingClient):
    """Answers so many calls, and throttles from then on."""

    answers: int = 0

    def made(self, call: Any) -> Any:
        """Make a call, unless throttled."""
        if len(self.calls) > self.answers:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "call")
        return call()


@dataclass
class LaggingClient(CountingClient):
    """Answers queries as it did the first time: its indexes stay behind their tables."""

    seen: list[Any] = field(default_factory=list)

    def made(self, call: Any) -> Any:
        """Make a call, but for a query that was made before."""
        if self.calls[-1] != "query":
            return call()
        self.seen = self.seen or [call()]
        return self.seen[0]


@pytest.fixture
def clock() -> Clock:
    """Give the clock."""
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> Iterator[MemoryManager]:
    """Give an agent on moto in whose inbox signals wait."""
    with local_aws(settings=Settings(), clock=clock) as manager:
        made = MemoryManager("scout", manager)
        made.register()
        for number in range(COUNT):
            clock.advance(seconds=1)
            made.publish_signal("request", {"n": number}, [made.agent_id])
        yield made


def numbers(claimed: list[ClaimedSignal]) -> list[int]:
    """Return which of the signals these are."""
    return [int(str(each.signal.payload["n"])) for each in claimed]


def claimed_by(memory: MemoryManager, client: Any, limit: int) -> list[ClaimedSignal]:
    """Claim over another client; who meets others goes through the inbox from behind."""
    store = replace(memory.store, dynamodb=client, backoff=Backoff(tries=1))
    return claim(store, memory.agent_id, limit, 60, shuffle=list.reverse)


@pytest.mark.parametrize("answers", range(2))
def test_a_fault_before_anything_is_claimed(memory: MemoryManager, answers: int) -> None:
    """The query or the first claim fails: that is told, and everything still waits."""
    client = ThrottledClient(memory.store.dynamodb, answers=answers)
    with pytest.raises(ThrottledError):
        claimed_by(memory, client, COUNT)
    assert [each.attempt for each in memory.claim_signals(COUNT)] == [1] * COUNT


@pytest.mark.parametrize("taken", range(1, COUNT))
def test_a_fault_at_a_later_claim(memory: MemoryManager, taken: int) -> None:
    """What is claimed by then is the answer, and can be dealt with; the rest still waits."""
    client = ThrottledClient(memory.store.dynamodb, answers=1 + taken)
    claimed = claimed_by(memory, client, COUNT)
    assert numbers(claimed) == list(range(taken))
    for each in claimed:
        acknowledge(memory.store, memory.agent_id, each.signal.signal_id, each.fence)
    rest = memory.claim_signals(COUNT)
    assert [each.signal.payload["n"] for each in rest] == list(range(taken, COUNT))
    assert {each.attempt for each in rest} == {1}


def test_a_dead_signal_costs_a_lone_worker_no_order(memory: MemoryManager, clock: Clock) -> None:
    """It is put aside, and the next ones come in turn."""
    for _ in range(MOST_ATTEMPTS):
        memory.claim_signals(1)
        clock.advance(seconds=60)
    first = memory.pending_signals(1)[0].signal_id
    assert numbers(claimed_by(memory, memory.store.dynamodb, 3)) == [1, 2, 3]
    assert memory.signal_status(first).count(SignalStatus.DEAD) == 1


@pytest.fixture
def lagging(memory: MemoryManager) -> LaggingClient:
    """Give a client that goes on seeing in the index what waits now."""
    client = LaggingClient(memory.store.dynamodb)
    store = replace(memory.store, dynamodb=cast("Any", client))
    assert len(list_pending(store, memory.agent_id)) == COUNT
    return client


def test_an_index_that_lags_costs_a_lone_worker_no_order(
    memory: MemoryManager, lagging: LaggingClient
) -> None:
    """What it has just acknowledged is still in the index, and the next ones come in turn."""
    (done,) = claimed_by(memory, lagging, 1)
    acknowledge(memory.store, memory.agent_id, done.signal.signal_id, done.fence)
    assert numbers(claimed_by(memory, lagging, 3)) == [1, 2, 3]


def test_whoever_meets_another_goes_elsewhere(
    memory: MemoryManager, lagging: LaggingClient
) -> None:
    """A signal that somebody holds says that others are at the same inbox."""
    memory.claim_signals(1)
    assert numbers(claimed_by(memory, lagging, 3)) == [4, 5, 6]
