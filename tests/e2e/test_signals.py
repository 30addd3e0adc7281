"""Signals on the deployed stack: the router delivers, the bus tells, the dead are kept."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest

from daybook import AWSClientManager, MemoryManager, SignalStatus
from daybook.models.signal_ids import SignalId
from daybook.platform import Connection
from daybook.signals import claim, release
from daybook.signals.inbox import MOST_ATTEMPTS
from daybook.store import SIGNALS, keys
from tests.e2e.test_consolidation import eventually

BUS = "daybook-signals"


class Queue:
    """A queue, read until what is wanted has come; all that came is kept."""

    def __init__(self, client: Any, url: str) -> None:
        self.client, self.url = client, url
        self.seen: list[Any] = []

    def holds(self, wanted: Callable[[Any], bool]) -> list[Any]:
        """Return what has come and is wanted."""
        got = self.client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=60
        )
        self.seen += [json.loads(message["Body"]) for message in got.get("Messages", [])]
        return [each for each in self.seen if wanted(each)]


@pytest.fixture(scope="module")
def outside(platform: Connection, session: boto3.Session) -> Iterator[Queue]:
    """Give a queue that a rule on the bus sends every event of Daybook's to."""
    sqs = session.client("sqs", endpoint_url=platform.endpoint_url)
    events = session.client("events", endpoint_url=platform.endpoint_url)
    url = sqs.create_queue(QueueName="listening-outside")["QueueUrl"]
    wanted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    pattern = json.dumps({"source": ["daybook"]})
    events.put_rule(Name="listening", EventBusName=BUS, EventPattern=pattern)
    target = {"Id": "queue", "Arn": wanted["Attributes"]["QueueArn"]}
    events.put_targets(Rule="listening", EventBusName=BUS, Targets=[target])
    yield Queue(sqs, url)
    events.remove_targets(Rule="listening", EventBusName=BUS, Ids=["queue"])
    events.delete_rule(Name="listening", EventBusName=BUS)
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="module")
def dead_letters(platform: Connection, session: boto3.Session) -> Queue:
    """Give the queue of dead signals."""
    sqs = session.client("sqs", endpoint_url=platform.endpoint_url)
    url = sqs.get_queue_url(QueueName="daybook-signals-dead-letters")["QueueUrl"]
    return Queue(sqs, url)


@pytest.fixture(scope="module")
def desk(deployed: AWSClientManager) -> list[MemoryManager]:
    """Give three registered agents, the first of which leaves delivery to the router."""
    made = [MemoryManager(f"desk-{uuid4().hex[:8]}", deployed) for _ in range(3)]
    for agent in made:
        agent.register(topics=["vol"])
    made[0].signals_routed = True
    return made


def test_router_delivers(desk: list[MemoryManager], outside: Queue) -> None:
    """A signal is in the inboxes although its sender wrote none, and the bus tells of it."""
    boss, *others = desk
    payload = {"level": 3, "text": "é" * 3000}
    sid = boss.publish_signal("risk_alert", payload, [o.agent_id for o in others], priority=0)
    for agent in others:
        (claimed,) = eventually(agent.claim_signals)
        assert (claimed.signal.signal_id, claimed.signal.payload) == (sid, payload)
        claimed.ack()
    assert boss.signal_status(sid).count(SignalStatus.PROCESSED) == 2
    (event, *_) = eventually(lambda: outside.holds(lambda e: e["detail"]["signal_id"] == sid))
    assert (event["source"], event["detail-type"]) == ("daybook", "risk_alert")
    assert event["detail"]["payload"] == payload
    assert event["detail"]["sender"] == boss.agent_id


def test_topic_reaches_its_subscribers(desk: list[MemoryManager], outside: Queue) -> None:
    """The router asks the registry, as its role allows."""
    boss, *others = desk
    sid = boss.publish_signal("market_event", {"n": 1}, topic="vol")
    for agent in others:
        (claimed,) = eventually(agent.claim_signals)
        with claimed as signal:
            assert signal.signal_id == sid
    eventually(lambda: outside.holds(lambda e: e["detail-type"] == "market_event"))


def test_both_may_deliver(desk: list[MemoryManager]) -> None:
    """A sender that delivers by itself, under a router, delivers nothing twice."""
    _, sender, target = desk
    sids = [
        sender.publish_signal("request", {"n": number}, [target.agent_id], dedupe_id=f"n{number}")
        for number in range(5)
    ]
    taken = target.claim_signals()
    assert [each.signal.signal_id for each in taken] == sids
    last = desk[0].publish_signal("request", {}, [target.agent_id])
    # by the time this is here, the router has dealt with the others
    (after,) = eventually(target.claim_signals)
    assert after.signal.signal_id == last
    for each in [*taken, after]:
        each.ack()
    assert target.claim_signals() == []


def test_dead_ones_are_kept(desk: list[MemoryManager], dead_letters: Queue) -> None:
    """A signal that is given up five times is in the dead-letter queue, for a person to see."""
    boss, target, _ = desk
    sid = boss.publish_signal("request", {"n": 1}, [target.agent_id])
    for _ in range(MOST_ATTEMPTS):
        (claimed,) = eventually(lambda: claim(target.store, target.agent_id))
        release(target.store, target.agent_id, sid, claimed.fence)
    assert target.claim_signals() == []
    report = boss.signal_status(sid)
    assert report.count(SignalStatus.DEAD) == 1
    (letter, *_) = eventually(
        lambda: dead_letters.holds(lambda one: sid in one["keys"]["sk"]["S"])
    )
    assert letter["keys"]["pk"] == {"S": target.agent_id}


def test_poison_ends_in_the_dead_letters(desk: list[MemoryManager], dead_letters: Queue) -> None:
    """A signal that does not decode is set aside, and those after it are delivered."""
    boss, target, _ = desk
    bad = SignalId.make(boss.agent_id, boss.store.clock(), None)
    boss.store.put(SIGNALS, keys.signal(bad) | {"v": 1, "body": b"\x00 no body"})
    good = boss.publish_signal("request", {"n": 2}, [target.agent_id])
    (claimed,) = eventually(target.claim_signals)
    assert claimed.signal.signal_id == good
    claimed.ack()
    (letter, *_) = eventually(
        lambda: dead_letters.holds(lambda one: bad.uuid in one["keys"]["sk"]["S"])
    )
    assert "cannot be delivered" in letter["why"]
