"""Signals are neither lost nor take effect twice: deaths, repeats, delays, lost answers.

On DynamoDB Local, which is atomic as DynamoDB is.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from daybook import AWSClientManager, ClaimExpiredError, SignalPriority, SignalStatus
from daybook.models.signals import AgentSignal, SignalDraft
from daybook.signals import (
    acknowledge,
    claim,
    get_signal,
    publish,
    register,
    release,
    report_status,
    route,
)
from daybook.signals.inbox import delivery_key
from daybook.signals.items import NOT_DUE, STATUS
from daybook.store import SIGNALS, Store
from daybook.store.expressions import present
from daybook.store.requests import Update, Write
from tests.faults.clients import CountingClient, DeadError, DyingClient, RepeatingClient
from tests.faults.inboxes import Inboxes, effect, effects

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEATHS = [(call, after) for call in range(1, 12) for after in (False, True)]


@dataclass
class Post:
    """Two agents to whom a signal goes, and a clock."""

    plain: Store
    agents: list[str]
    now: list[datetime] = field(default_factory=lambda: [NOW])

    @property
    def store(self) -> Store:
        """The store, on this clock."""
        return replace(self.plain, clock=lambda: self.now[0])

    def with_client(self, client: Any) -> Store:
        """Return the store over another client."""
        return replace(self.store, dynamodb=client)

    def signal(self) -> AgentSignal:
        """Make the signal, always the same one."""
        draft = SignalDraft.checked(
            signal_type="request", payload={"n": 1}, targets=self.agents, dedupe_id="once"
        )
        return draft.to_signal(f"{self.agents[0]}-boss", self.now[0])

    def work(self, store: Store, ack: Callable[..., object] = acknowledge) -> None:
        """Let every agent deal with what waits for it."""
        for agent_id in self.agents:
            for claimed in claim(store, agent_id, 10, 60):
                also = [effect(agent_id, claimed)]
                ack(store, agent_id, claimed.signal.signal_id, claimed.fence, also=also)

    def check(self) -> None:
        """Check that everything has taken effect once, and nothing is left."""
        for agent_id in self.agents:
            assert list(effects(self.store, agent_id).values()) == [1]
        report = report_status(self.store, self.signal().signal_id)
        assert report.count(SignalStatus.PROCESSED) == len(self.agents)
        self.now[0] += timedelta(minutes=5)
        assert not any(claim(self.store, agent_id) for agent_id in self.agents)


@pytest.fixture
def post(database: AWSClientManager) -> Post:
    """Give two registered agents that nobody else uses."""
    made = Post(database.store, [f"agent-{uuid4().hex}" for _ in range(2)])
    for agent_id in made.agents:
        register(made.store, agent_id)
    return made


@pytest.mark.parametrize(("call", "after"), DEATHS[:10])
def test_sender_dies(post: Post, call: int, after: bool) -> None:
    """At any call of publishing: publishing again completes it."""
    client = DyingClient(post.store.dynamodb, dies_at=call, after_effect=after)
    with suppress(DeadError):
        publish(post.with_client(client), post.signal())
    post.now[0] += timedelta(seconds=1)
    publish(post.store, post.signal())
    post.work(post.store)
    publish(post.store, post.signal())
    post.check()


def test_every_call_of_the_sender_was_a_death(post: Post) -> None:
    """The deaths above reach beyond the last call."""
    client = CountingClient(post.store.dynamodb)
    publish(post.with_client(client), post.signal())
    assert len(client.calls) < max(call for call, _ in DEATHS[:10])


@pytest.mark.parametrize(("call", "after"), DEATHS[:6])
def test_router_dies(post: Post, call: int, after: bool) -> None:
    """At any call of routing: routing again completes it, also when some have it done."""
    publish(post.store, post.signal(), routed=True)
    client = DyingClient(post.store.dynamodb, dies_at=call, after_effect=after)
    with suppress(DeadError):
        route(post.with_client(client), post.signal())
    post.work(post.store)
    route(post.store, get_signal(post.store, post.signal().signal_id))
    post.work(post.store)
    post.check()


@pytest.mark.parametrize(("call", "after"), DEATHS[:14])
def test_worker_dies(post: Post, call: int, after: bool) -> None:
    """At any call of claiming and acknowledging: another one finishes, once."""
    publish(post.store, post.signal())
    client = DyingClient(post.store.dynamodb, dies_at=call, after_effect=after)
    with suppress(DeadError):
        post.work(post.with_client(client))
    post.now[0] += timedelta(seconds=60)
    post.work(post.store)
    post.check()


def test_every_call_of_the_worker_was_a_death(post: Post) -> None:
    """The deaths above reach beyond the last call."""
    publish(post.store, post.signal())
    client = CountingClient(post.store.dynamodb)
    post.work(post.with_client(client))
    assert len(client.calls) < max(call for call, _ in DEATHS[:14])


def test_every_answer_is_lost_once(post: Post) -> None:
    """Each call is made twice and only the second answer arrives: nothing counts twice."""
    doubled = post.with_client(RepeatingClient(post.plain.dynamodb))
    publish(doubled, post.signal())
    route(doubled, post.signal())
    post.work(doubled)
    post.check()
    report = report_status(post.store, post.signal().signal_id)
    assert [each.attempts for each in report.deliveries] == [1, 1]


def test_lost_answer_of_a_plain_acknowledgement(post: Post) -> None:
    """And of a release: both are taken for done."""
    doubled = post.with_client(RepeatingClient(post.plain.dynamodb))
    publish(post.store, post.signal())
    agent_id = post.agents[0]
    for untried in (True, False):
        (claimed,) = claim(doubled, agent_id)
        assert claimed.attempt == 1
        sid = claimed.signal.signal_id
        release(doubled, agent_id, sid, claimed.fence, untried=untried)
    (claimed,) = claim(doubled, agent_id)
    assert claimed.attempt == 2
    acknowledge(doubled, agent_id, sid, claimed.fence)


def careless(
    store: Store, agent_id: str, signal_id: str, fence: int, also: Sequence[Write] = ()
) -> None:
    """Acknowledge whoever holds the signal: what the fence is there to prevent."""
    del fence
    update = Update(
        table=SIGNALS,
        key=delivery_key(agent_id, signal_id),
        condition=present("pk"),
        values={STATUS: SignalStatus.PROCESSED.value},
        removes=NOT_DUE,
    )
    assert store.transact([update, *also])


@pytest.mark.parametrize(("ack", "times"), [(acknowledge, 1), (careless, 2)])
def test_worker_held_up(post: Post, ack: Callable[..., object], times: int) -> None:
    """One that wakes up late changes nothing; the control, without a fence, acts twice."""
    publish(post.store, post.signal())
    agent_id = post.agents[0]
    (late,) = claim(post.store, agent_id, 1, 60)
    post.now[0] += timedelta(seconds=60)
    post.work(post.store, ack)
    with suppress(ClaimExpiredError):
        also = [effect(agent_id, late)]
        ack(post.store, agent_id, late.signal.signal_id, late.fence, also=also)
    assert list(effects(post.store, agent_id).values()) == [times]


def check(inboxes: Inboxes) -> None:
    """Check that every signal took effect once, and the orderly inbox went by priority."""
    for agent_id in inboxes.agents:
        counted = effects(inboxes.store, agent_id)
        assert set(counted) == set(inboxes.sent[agent_id])
        assert set(counted.values()) == {1}
    assert inboxes.killed
    assert inboxes.refused
    urgency = [
        (signal.priority, signal.created_at)
        for signal in (get_signal(inboxes.store, sid) for sid in inboxes.order)
    ]
    assert urgency == sorted(urgency)
    assert {priority for priority, _ in urgency} == set(SignalPriority)


def test_sample(database: AWSClientManager) -> None:
    """500 signals, 8 consumers of four inboxes."""
    inboxes = Inboxes.make(database, 4, seed=1)
    inboxes.publish(500, publishers=4)
    inboxes.consume(8)
    check(inboxes)


def test_control_without_the_fence(database: AWSClientManager) -> None:
    """The same with acknowledgements that ask for nothing: effects happen twice."""
    inboxes = Inboxes.make(database, 2, seed=2, ack=careless)
    inboxes.publish(200, publishers=4)
    inboxes.consume(6)
    with pytest.raises(AssertionError):
        check(inboxes)
    doubled = [
        sid
        for agent_id in inboxes.agents
        for sid, count in effects(inboxes.store, agent_id).items()
        if count > 1
    ]
    assert doubled


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(10, 12))
def test_campaign(database: AWSClientManager, seed: int) -> None:
    """10,000 signals, 20 consumers of seven inboxes."""
    inboxes = Inboxes.make(database, 7, seed)
    inboxes.publish(10_000, publishers=8)
    inboxes.consume(20)
    check(inboxes)
