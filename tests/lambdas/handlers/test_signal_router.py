"""The router: delivers, tells the bus, and sets aside what can never succeed."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from daybook import AWSClientManager, InvalidInputError, MemoryManager, SignalType
from daybook.errors import ThrottledError
from daybook.models.signal_ids import SignalId
from daybook.signals import get_signal
from daybook.store import SIGNALS, Store, keys
from daybook.store.attributes import Item, from_wire, to_wire
from daybook.store.batching import Backoff
from daybook.store.schema import Table
from lambdas import connection, signal_events
from lambdas.handlers import signal_router
from lambdas.signal_events import EventNotSentError, announce
from tests.lambdas.conftest import Context, use_settings

REGION = "us-east-1"


class Outside:
    """The bus, as a double that can refuse, and the queue of dead letters on moto."""

    def __init__(self, sqs: Any) -> None:
        self.sqs = sqs
        self.queue_url = sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.events: list[dict[str, Any]] = []
        self.refusals = 0

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Take an event, or refuse it as EventBridge does: in an answer."""
        if self.refusals:
            self.refusals -= 1
            refused = {"ErrorCode": "ThrottlingException"}
            return {"FailedEntryCount": 1, "Entries": [refused]}
        self.events += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    def dead_letters(self) -> list[dict[str, Any]]:
        """Take what was set aside."""
        got = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]


@pytest.fixture
def outside(manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """Connect the function to moto and to the double."""
    connection.sqs.cache_clear()
    made = Outside(connection.sqs())
    monkeypatch.setattr(signal_events, "events", lambda: made)
    use_settings(
        manager,
        monkeypatch,
        signal_bus="daybook-signals",
        signal_dead_letters_url=made.queue_url,
    )
    monkeypatch.setattr(signal_events, "Backoff", lambda: Backoff(tries=3, sleep=lambda _: None))
    yield made
    connection.sqs.cache_clear()


@pytest.fixture
def sender(manager: AWSClientManager) -> MemoryManager:
    """Give an agent whose signals a router delivers, and two agents besides."""
    for agent_id, topics in (("risk", ["vol"]), ("scout", [])):
        MemoryManager(agent_id, manager).register(topics=topics)
    made = MemoryManager("boss", manager)
    made.signals_routed = True
    return made


def record_of(new: Item, old: Item | None = None, name: str = "INSERT") -> dict[str, Any]:
    """Make a record of the stream, as it comes in an event: bytes are base64."""

    def image(item: Item) -> dict[str, Any]:
        return {
            name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
            for name, value in to_wire(item).items()
        }

    change: dict[str, Any] = {"Keys": to_wire({"pk": new["pk"], "sk": new["sk"]})}
    change |= {"NewImage": image(new), "SequenceNumber": str(new["sk"])}
    if old is not None:
        change["OldImage"] = image(old)
    return {"eventID": str(uuid4()), "eventName": name, "dynamodb": change}


def published(sender: MemoryManager, *args: Any, **more: Any) -> dict[str, Any]:
    """Publish a signal and return its record."""
    sid = sender.publish_signal(*args, **more)
    item = sender.store.get(SIGNALS, keys.signal(SignalId.parse(sid)))
    assert item is not None
    return record_of(item)


def deliver(*records: dict[str, Any]) -> list[str]:
    """Hand a batch to the function; return which records failed."""
    answer = signal_router.handler({"Records": list(records)}, Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def inbox(sender: MemoryManager, agent_id: str) -> list[dict[str, Any]]:
    """Return the payloads that wait for an agent."""
    signals = MemoryManager(agent_id, sender.client_manager).pending_signals()
    return [signal.payload for signal in signals]


def test_signals_are_delivered_and_announced(sender: MemoryManager, outside: Outside) -> None:
    """By name, by topic and to all; a batch that comes twice delivers nothing twice."""
    batch = [
        published(sender, "request", {"n": 1}, ["scout"]),
        published(sender, "risk_alert", {"n": 2}, topic="vol"),
        published(sender, "coordination", {"n": 3, "long": "x" * 5000}),
    ]
    assert "B" in batch[2]["dynamodb"]["NewImage"]["body"]
    assert deliver(*batch) == deliver(*batch) == []
    assert [payload["n"] for payload in inbox(sender, "scout")] == [1, 3]
    assert [payload["n"] for payload in inbox(sender, "risk")] == [2, 3]
    first, second, _ = outside.events[:3]
    assert (first["Source"], first["DetailType"]) == ("daybook", "request")
    assert first["EventBusName"] == "daybook-signals"
    told = json.loads(first["Detail"])
    assert told["payload"] == {"n": 1}
    assert (told["sender"], told["targets"], told["priority"]) == ("boss", ["scout"], 2)
    assert SignalId.parse(told["signal_id"]).sender == "boss"
    assert json.loads(second["Detail"])["topic"] == "vol"


def test_other_records_are_passed_over(sender: MemoryManager, outside: Outside) -> None:
    """Deliveries, registrations and removals are none of its business."""
    (record,) = [published(sender, "request", {}, ["scout"])]
    removed = record | {"eventName": "REMOVE"}
    other = record_of({"pk": "scout", "sk": "REGISTRATION"})
    claimed = record_of({"pk": "a", "sk": "IN#x", "status": "claimed"}, {}, "MODIFY")
    assert deliver(removed, other, claimed) == []
    assert deliver() == []
    assert outside.events == outside.dead_letters() == []


def test_poison_is_set_aside(sender: MemoryManager, outside: Outside) -> None:
    """What does not decode, or is forged, ends in the dead letters; the others go on."""
    good = published(sender, "request", {"n": 1}, ["scout"])
    stolen = json.loads(json.dumps(good))
    stolen["dynamodb"]["NewImage"]["pk"] = {"S": "mallory"}
    bad_bytes = json.loads(json.dumps(good))
    bad_bytes["dynamodb"]["NewImage"]["body"] = {"B": "!"}
    no_body = record_of({"pk": "boss", "sk": "S#x"})
    nonsense = record_of({"pk": "boss", "sk": "S#y", "v": 1, "body": "{}"})
    assert deliver(stolen, bad_bytes, no_body, nonsense, good) == []
    assert len(inbox(sender, "scout")) == 1
    letters = outside.dead_letters()
    assert len(letters) == 4
    assert all("cannot be delivered" in letter["why"] for letter in letters)
    assert len(outside.events) == 1


def forged(sender: MemoryManager, **changes: Any) -> dict[str, Any]:
    """Publish a signal and return its record, with its body as a forger would have it."""
    item = from_wire(published(sender, "request", {}, ["scout"])["dynamodb"]["NewImage"])
    return record_of(item | {"body": json.dumps(json.loads(str(item["body"])) | changes)})


def test_forgeries_are_set_aside(sender: MemoryManager, outside: Outside) -> None:
    """What no verb can have written neither holds up the stream nor reaches anybody."""
    good = published(sender, "request", {"n": 1}, ["scout"])
    to_nothing = json.loads(json.dumps(good))
    to_nothing["dynamodb"]["NewImage"]["body_object"] = {"S": "agents/boss/nothing"}
    ends = "9999-12-31T23:59:59Z"
    at_the_end = forged(sender, created_at="9999-12-31T12:00:00Z", expires_at=ends)
    to_come = forged(sender, created_at="9998-01-01T00:00:00Z", expires_at="9998-01-01T01:00:00Z")
    too_large = forged(sender, payload={"x": "y" * 300_000})
    assert deliver(to_nothing, at_the_end, to_come, too_large, good) == []
    assert inbox(sender, "scout") == [{"n": 1}]
    assert len(outside.dead_letters()) == 4


def test_dead_deliveries_are_told(outside: Outside) -> None:
    """Once, when they die, with the item as it is."""
    item: Item = {"pk": "scout", "sk": "IN#1@boss", "status": "dead", "attempts": 5}
    died = record_of(item, item | {"status": "claimed"}, "MODIFY")
    already = record_of(item, item, "MODIFY")
    assert deliver(died, already) == []
    (letter,) = outside.dead_letters()
    assert letter["item"]["attempts"] == {"N": "5"}
    assert letter["keys"]["pk"] == {"S": "scout"}
    assert "five times" in letter["why"]


def test_large_letters_are_cut(outside: Outside) -> None:
    """SQS takes 256 KB: of what is larger only the keys are kept."""
    item: Item = {"pk": "scout", "sk": "IN#1@boss", "status": "dead", "body": "x" * 200_000}
    assert deliver(record_of(item, {}, "MODIFY")) == []
    (letter,) = outside.dead_letters()
    assert letter.keys() == {"why", "keys"}


def test_large_events_are_cut(sender: MemoryManager, outside: Outside) -> None:
    """EventBridge takes 256 KB: of what is larger the payload is left out, and that is said."""
    assert deliver(published(sender, "request", {"x": "y" * 250_000}, ["scout"])) == []
    (event,) = outside.events
    told = json.loads(event["Detail"])
    assert told["payload"] is None
    assert "read the signal" in told["note"]
    assert told["targets"] == ["scout"]


def test_refused_events_are_sent_again(sender: MemoryManager, outside: Outside) -> None:
    """A few times; then the record is left for another try, with its delivery made."""
    record = published(sender, SignalType.REQUEST, {"n": 1}, ["scout"])
    outside.refusals = 2
    assert deliver(record) == []
    assert len(outside.events) == 1
    outside.refusals = 3
    assert deliver(record) == [record["dynamodb"]["SequenceNumber"]]
    assert deliver(record) == []
    assert len(inbox(sender, "scout")) == 1


def test_an_event_that_is_refused_to_the_end(sender: MemoryManager, outside: Outside) -> None:
    """After the last refusal nothing is waited for."""
    sid = sender.publish_signal("request", {}, ["scout"])
    outside.refusals = 9
    pauses: list[float] = []
    with pytest.raises(EventNotSentError, match="3 times"):
        announce(get_signal(sender.store, sid), Backoff(tries=3, sleep=pauses.append))
    assert len(pauses) == 2


@contextmanager
def throttled(agent_id: str) -> Iterator[None]:
    """Let nothing be written anew into one agent's partition."""
    insert = Store.insert

    def inserted(store: Store, table: Table, item: Item) -> Item | None:
        if item["pk"] == agent_id:
            raise ThrottledError("too much")
        return insert(store, table, item)

    with patch.object(Store, "insert", inserted):
        yield


def test_passing_faults_are_tried_again(sender: MemoryManager, outside: Outside) -> None:
    """The record that failed is reported, and no other."""
    first = published(sender, "request", {"n": 1}, ["scout"])
    second = published(sender, "request", {"n": 2}, ["risk"])
    with throttled("scout"):
        assert deliver(first, second) == [first["dynamodb"]["SequenceNumber"]]
    assert inbox(sender, "risk") == [{"n": 2}]
    assert outside.events


def test_what_fails_holds_up_no_other(sender: MemoryManager, outside: Outside) -> None:
    """What is behind it in the stream is dealt with once, however often it comes again."""
    poison = published(sender, "request", {"n": 0}, ["risk"])
    before = published(sender, "request", {"n": 1}, ["scout"])
    behind = published(sender, "request", {"n": 2}, ["scout"])
    item: Item = {"pk": "scout", "sk": "IN#1@boss", "status": "dead"}
    died = record_of(item, item | {"status": "claimed"}, "MODIFY")
    with throttled("risk"):
        failed = [poison["dynamodb"]["SequenceNumber"]]
        assert deliver(before, poison, behind, died) == failed
        for _ in range(3):
            assert deliver(poison, behind, died) == failed
    assert inbox(sender, "scout") == [{"n": 1}, {"n": 2}]
    assert deliver(poison, behind, died) == []
    assert [json.loads(event["Detail"])["payload"]["n"] for event in outside.events] == [1, 2, 0]
    assert len(outside.dead_letters()) == 1


def test_a_new_container_announces_once_more(sender: MemoryManager, outside: Outside) -> None:
    """It does not know what another one has dealt with; deliveries are made once anyway."""
    failing, behind = (published(sender, "request", {"n": n}, ["scout"]) for n in (0, 1))
    for _ in range(2):
        signal_router._dealt_with.clear()  # noqa: SLF001 - what a new container has
        outside.refusals = 3
        assert deliver(failing, behind) == [failing["dynamodb"]["SequenceNumber"]]
    assert len(outside.events) == 2
    assert sorted(payload["n"] for payload in inbox(sender, "scout")) == [0, 1]


def test_a_router_that_is_not_set_up_says_so(
    sender: MemoryManager, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The errors name the variables."""
    record = published(sender, "request", {}, ["scout"])
    manager = sender.client_manager
    use_settings(manager, monkeypatch, signal_bus=None, signal_dead_letters_url=None)
    assert deliver(record) == [record["dynamodb"]["SequenceNumber"]]
    with pytest.raises(InvalidInputError, match="DAYBOOK_SIGNAL_DEAD_LETTERS_URL"):
        signal_events.set_aside("why", record)
    assert outside.events == []
