"""The queue's door, on moto: what it sends, and what it says when the queue does not empty."""

from collections.abc import Iterator

import boto3
import pytest

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.decisions import messages
from daybook.testing import local_aws
from examples.trading_desk import queue_door, writing
from examples.trading_desk.agents import SCOUT
from examples.trading_desk.desk import Entry, trade
from examples.trading_desk.plan import DeskError, Plan
from examples.trading_desk.prices import read_market
from examples.trading_desk.queue_door import QueueDoor

PLAN = Plan(every=5, days=12)


@pytest.fixture
def client_manager() -> Iterator[AWSClientManager]:
    """Give empty tables, in an account that also has queues."""
    with local_aws() as manager:
        yield manager


@pytest.fixture
def door(client_manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch) -> QueueDoor:
    """Give the scout a door to a queue that nothing empties, and little patience."""
    monkeypatch.setattr(queue_door, "PATIENCE", 0.0)
    session = boto3.Session("testing", "testing", region_name=client_manager.region)
    sqs = session.client("sqs")
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("queue", "dead")]
    return QueueDoor(
        SCOUT, session=session, endpoint=None, queue_url=urls[0], dead_letter_queue_url=urls[1]
    )


@pytest.fixture
def entries() -> list[Entry]:
    """Give the scout's entries of twelve days."""
    market = read_market()
    return [trade(market, PLAN, day).entries[0] for day in PLAN.decision_days(market)]


def taken_from(queue: str) -> list[str]:
    """Take the messages from a queue, as the function would."""
    sqs = boto3.client("sqs", "us-east-1")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    bodies = []
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def test_what_is_sent_is_what_the_function_takes(
    client_manager: AWSClientManager, door: QueueDoor, entries: list[Entry]
) -> None:
    """Carried out as the function does it, the messages become the decisions and outcomes."""
    for write in (writing.log_decision, writing.log_outcome):
        for entry in entries:
            write(door, entry)
        with pytest.raises(DeskError, match="12 messages have been on the queue"):
            door.settle()
        for body in taken_from("queue"):
            messages.carry_out(client_manager.store, messages.parse(body))
        door.settle()
    writing.check(DecisionLogger(MemoryManager(SCOUT, client_manager)), entries)
    assert (door.messages, door.requests) == (24, 4)


def test_dead_letters_are_reported(door: QueueDoor) -> None:
    """One from before this door sent anything is another's; one since then fails the run."""
    sqs = boto3.client("sqs", "us-east-1")
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    door.settle()
    door.messages = 1
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    with pytest.raises(DeskError, match="1 more messages are in the dead-letter queue"):
        door.settle()


def test_a_decision_on_the_queue_needs_an_id(door: QueueDoor, entries: list[Entry]) -> None:
    """Without one, a message that is delivered twice would be two decisions."""
    nameless = entries[0].decision.model_copy(update={"decision_id": None})
    with pytest.raises(DeskError, match="needs an id"):
        door.log_decision(nameless)
