"""Random histories of an inbox, against a model of it that fits on a page."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook import (
    AWSClientManager,
    Claim,
    ClaimExpiredError,
    MemoryManager,
    SignalPriority,
    SignalStatus,
)
from daybook.settings import Settings
from daybook.signals import get_signal, route
from daybook.signals.inbox import MOST_ATTEMPTS
from daybook.testing import local_aws

START = datetime(2026, 3, 1, tzinfo=UTC)
VISIBILITY = 60

PUBLISH = st.tuples(st.just("publish"), st.sampled_from(list(SignalPriority)))
CLAIM = st.tuples(st.just("claim"), st.integers(1, 4))
SETTLE = st.tuples(st.sampled_from(["ack", "release", "give back", "extend"]), st.integers(0, 9))
OTHER = st.tuples(st.sampled_from(["wait", "route"]), st.sampled_from([1, 20, 60]))
HISTORIES = st.lists(PUBLISH | CLAIM | SETTLE | CLAIM | SETTLE | OTHER, max_size=30)


@dataclass
class Delivery:
    """What ought to be true of a delivery; `claims` counts all, `attempts` those that count."""

    due: tuple[int, int]
    status: SignalStatus = SignalStatus.PENDING
    attempts: int = 0
    claims: int = 0
    visible_at: int = 0


@dataclass
class Model:
    """An inbox and the claims on it, as they ought to be."""

    memory: MemoryManager
    now: list[int]
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    claims: list[tuple[Claim, int]] = field(default_factory=list)

    def visible(self) -> list[str]:
        """Return what can be claimed, in the order in which it is due."""
        waiting = [
            sid
            for sid, each in self.deliveries.items()
            if each.status in {SignalStatus.PENDING, SignalStatus.CLAIMED}
            and each.visible_at <= self.now[0]
        ]
        return sorted(waiting, key=lambda sid: self.deliveries[sid].due)

    def publish(self, priority: SignalPriority) -> None:
        """Publish a signal to oneself."""
        self.now[0] += 1
        sid = self.memory.publish_signal("request", {}, [self.memory.agent_id], priority)
        self.deliveries[sid] = Delivery((int(priority), self.now[0]))

    def claim(self, limit: int) -> None:
        """Claim: the most urgent come, in order; what was tried too often dies on the way."""
        expected: list[str] = []
        for sid in self.visible():
            if len(expected) == limit:
                break
            each = self.deliveries[sid]
            if each.attempts >= MOST_ATTEMPTS:
                each.status = SignalStatus.DEAD
                continue
            each.status, each.visible_at = SignalStatus.CLAIMED, self.now[0] + VISIBILITY
            each.attempts, each.claims = each.attempts + 1, each.claims + 1
            expected.append(sid)
        got = self.memory.claim_signals(limit, VISIBILITY)
        assert [claim.signal.signal_id for claim in got] == expected
        for claim in got:
            each = self.deliveries[claim.signal.signal_id]
            assert claim.attempt == each.attempts
            self.claims.append((claim, each.claims))

    def settle(self, verb: str, which: int) -> None:
        """Settle one of all claims ever made: it works only while it is held."""
        if not self.claims:
            return
        claim, number = self.claims[-1 - which % len(self.claims)]
        each = self.deliveries[claim.signal.signal_id]
        current = each.claims == number
        held = current and each.status == SignalStatus.CLAIMED and each.visible_at > self.now[0]
        again = current and each.status == {
            "ack": SignalStatus.PROCESSED,
            "release": SignalStatus.PENDING,
            "give back": SignalStatus.PENDING,
        }.get(verb)
        try:
            match verb:
                case "ack":
                    claim.ack()
                case "extend":
                    claim.extend(VISIBILITY)
                case _:
                    claim.release(untried=verb == "give back")
        except ClaimExpiredError:
            assert not held
            assert not again
            return
        assert held or again
        if held:
            self._settled(each, verb)

    def _settled(self, each: Delivery, verb: str) -> None:
        match verb:
            case "ack":
                each.status = SignalStatus.PROCESSED
            case "extend":
                each.visible_at = self.now[0] + VISIBILITY
            case _:
                each.status, each.visible_at = SignalStatus.PENDING, 0
                each.attempts -= verb == "give back"

    def check(self) -> None:
        """Compare what can be seen from outside."""
        pending = [signal.signal_id for signal in self.memory.pending_signals(100)]
        assert pending == self.visible()
        for sid, each in self.deliveries.items():
            (seen,) = self.memory.signal_status(sid).deliveries
            lapsed = each.status == SignalStatus.CLAIMED and each.visible_at <= self.now[0]
            status = SignalStatus.PENDING if lapsed else each.status
            assert (seen.status, seen.attempts) == (status, each.attempts)


@pytest.fixture(scope="module")
def now() -> list[int]:
    """Give the seconds that have passed."""
    return [0]


@pytest.fixture(scope="module")
def manager(now: list[int]) -> Iterator[AWSClientManager]:
    """Give a client manager on moto; each history has an agent of its own."""
    with local_aws(settings=Settings(), clock=lambda: START + timedelta(seconds=now[0])) as made:
        yield made


@settings(max_examples=30, deadline=None)
@given(history=HISTORIES)
def test_random_histories(
    manager: AWSClientManager, now: list[int], history: list[tuple[str, int]]
) -> None:
    """Whatever happens in whatever order, inbox and model agree."""
    memory = MemoryManager(f"agent-{uuid4().hex}", manager)
    memory.register()
    model = Model(memory, now)
    for verb, amount in history:
        match verb:
            case "publish":
                model.publish(SignalPriority(amount))
            case "claim":
                model.claim(amount)
            case "wait":
                now[0] += amount
            case "route":
                for sid in model.deliveries:
                    route(memory.store, get_signal(memory.store, sid))
            case _:
                model.settle(verb, amount)
    model.check()
