"""The planner: a message for each agent that is due, and none for the others."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from daybook import AWSClientManager, InvalidInputError
from daybook.progress.watched_agents import note_caught_up, note_news
from daybook.store.batching import Backoff
from daybook.store.table import utc_now
from lambdas import agent_messages
from lambdas.agent_messages import UnsentMessagesError
from lambdas.handlers import consolidation_planner
from tests.lambdas.conftest import Context, use_settings

HASTY = Backoff(tries=3, sleep=lambda _: None)


class Queue:
    """A queue on moto, and the requests that were sent to it."""

    def __init__(self, client: Any, url: str) -> None:
        self.client = client
        self.url = url

    def taken(self) -> list[str]:
        """Take every message off the queue; return whom they are about."""
        taken: list[str] = []
        while got := self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            taken += [json.loads(message["Body"])["agent_id"] for message in got]
            for message in got:
                self.client.delete_message(
                    QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"]
                )
        return sorted(taken)


@pytest.fixture
def queue(manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """Give the functions a queue."""
    client = boto3.client("sqs", region_name="us-east-1")
    url = client.create_queue(QueueName="consolidation")["QueueUrl"]
    use_settings(manager, monkeypatch, work_queue_url=url)
    monkeypatch.setattr(agent_messages, "sqs", lambda: client)
    return Queue(client, url)


def plan() -> int:
    """Let the schedule fire; return how many messages the planner says it sent."""
    return int(consolidation_planner.handler({"Source": "aws.scheduler"}, Context())["agents"])


def measured(capsys: pytest.CaptureFixture[str], name: str) -> list[float]:
    """Return the values of a metric that the function has published."""
    lines = [line for line in capsys.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    return [value for line in lines for value in json.loads(line).get(name, [])]


def test_nothing_is_due(queue: Queue) -> None:
    """A quiet watch list sends nothing."""
    assert plan() == 0
    assert queue.taken() == []


def test_a_message_for_each_agent(queue: Queue, manager: AWSClientManager) -> None:
    """Twenty-three agents are twenty-three messages, whoever is not due is left alone."""
    many = [f"agent-{number:02d}" for number in range(23)]
    note_news(manager.store, [*many, "done"])
    note_caught_up(manager.store, "done", utc_now() + timedelta(hours=1))
    assert plan() == 23
    assert queue.taken() == many


def test_a_schedule_that_fires_twice(queue: Queue, manager: AWSClientManager) -> None:
    """Each time sends again; it is the job that makes the second message find nothing."""
    note_news(manager.store, ["scout"])
    assert (plan(), plan()) == (1, 1)
    assert queue.taken() == ["scout", "scout"]


def test_the_lag_is_measured(
    queue: Queue, manager: AWSClientManager, capsys: pytest.CaptureFixture[str]
) -> None:
    """How long the oldest news has waited is published with every plan."""
    del queue
    assert plan() == 0
    assert measured(capsys, "ConsolidationLag") == [0.0]
    note_news(manager.store, ["scout"])
    plan()
    (lag,) = measured(capsys, "ConsolidationLag")
    assert 0 < lag < 60


class Refusing:
    """An SQS client that refuses the second message of a batch, some times over."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self._times = times

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """Send all but one message."""
        entries = request["Entries"]
        if not self._times:
            return dict(self._client.send_message_batch(**request))
        self._times -= 1
        refused = entries[1 if len(entries) > 1 else 0]
        rest = [entry for entry in entries if entry is not refused]
        if rest:
            self._client.send_message_batch(QueueUrl=request["QueueUrl"], Entries=rest)
        return {"Failed": [{"Id": refused["Id"], "Message": "busy"}]}


def test_what_sqs_refuses_is_sent_again(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else is: each agent has one message."""
    refusing = Refusing(queue.client, 2)
    monkeypatch.setattr(agent_messages, "sqs", lambda: refusing)
    assert agent_messages.send(["a", "b", "c"], HASTY) == 3
    assert queue.taken() == ["a", "b", "c"]


def test_what_sqs_keeps_refusing(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are sent; the error says how many were not, without a pause before it."""
    refusing = Refusing(queue.client, 99)
    monkeypatch.setattr(agent_messages, "sqs", lambda: refusing)
    pauses: list[float] = []
    with pytest.raises(UnsentMessagesError, match=r"refused 1 of 3 messages 3 times.*busy"):
        agent_messages.send(["a", "b", "c"], Backoff(tries=3, sleep=pauses.append))
    assert len(pauses) == 2
    assert queue.taken() == ["a", "c"]


def test_without_a_queue(manager: AWSClientManager) -> None:
    """A function that was not told its queue says which variable it wants."""
    assert manager.settings.work_queue_url is None
    with pytest.raises(InvalidInputError, match="DAYBOOK_WORK_QUEUE_URL"):
        agent_messages.send(["a"])
