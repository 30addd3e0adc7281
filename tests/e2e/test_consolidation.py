"""Consolidation on the deployed stack: nobody calls anything, and memory is there."""

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager
from daybook.analytics.closed_hours import read_closed_hours
from daybook.analytics.summaries import summarize_rollup
from daybook.platform import Connection
from daybook.progress.watched_agents import WatchedAgent, due_agents

KIND = DecisionType.SOURCE_SELECTION
SOURCES = ("coinglass", "cryptoquant")
DECISIONS = 150
PATIENCE_SECONDS = 200.0
"""The schedule fires once a minute, ministack looks every ten seconds, and the first run may
come while the test is still writing."""


def eventually(look: Callable[[], Any]) -> Any:
    """Return what is found once it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"nothing came within {PATIENCE_SECONDS:.0f} seconds")
        time.sleep(0.5)
    return found


class Queues:
    """The queues of consolidation."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.work = self._url("daybook-consolidation")
        self.dead = self._url("daybook-consolidation-dead-letters")

    def _url(self, name: str) -> str:
        return str(self.client.get_queue_url(QueueName=name)["QueueUrl"])

    def send(self, body: str) -> None:
        """Send a message to the workers."""
        self.client.send_message(QueueUrl=self.work, MessageBody=body)

    def dead_letters(self) -> list[str]:
        """Look at what failed for good."""
        got = self.client.receive_message(
            QueueUrl=self.dead, MaxNumberOfMessages=10, VisibilityTimeout=1
        )
        return [message["Body"] for message in got.get("Messages", [])]

    def is_drained(self) -> bool:
        """Whether no message waits or is being worked on."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.client.get_queue_attributes(QueueUrl=self.work, AttributeNames=names)
        return set(told["Attributes"].values()) == {"0"}


@pytest.fixture(scope="module")
def queues(platform: Connection, session: boto3.Session) -> Queues:
    """Give the queues of consolidation."""
    return Queues(session.client("sqs", endpoint_url=platform.endpoint_url))


@pytest.fixture
def impatient(queues: Queues) -> Iterator[None]:
    """Let failed messages be tried again after a second instead of a minute."""
    names = ["VisibilityTimeout"]
    before = queues.client.get_queue_attributes(QueueUrl=queues.work, AttributeNames=names)
    queues.client.set_queue_attributes(QueueUrl=queues.work, Attributes={names[0]: "1"})
    yield
    queues.client.set_queue_attributes(QueueUrl=queues.work, Attributes=before["Attributes"])


@pytest.fixture(scope="module")
def memory(deployed: AWSClientManager) -> MemoryManager:
    """Give an agent that has logged decisions in hours long closed, with a planted effect.

    One source is right in storms and the other in calm, nine times in ten.
    """
    made = MemoryManager(f"desk-{uuid4().hex[:8]}", deployed)
    log = DecisionLogger(made)
    draw = random.Random(7)  # noqa: S311 - the same effect each time
    began = datetime.now(UTC) - timedelta(hours=3)
    for number in range(DECISIONS):
        regime, choice = draw.choice(("storm", "calm")), draw.choice(SOURCES)
        own = log.log_decision(
            KIND,
            options=SOURCES,
            selected=[choice],
            context={"market": {"regime": regime}},
            confidence=0.5,
            decided_at=began + timedelta(seconds=number),
        )
        is_right = (choice == "coinglass") is (regime == "storm")
        log.log_outcome(own, KIND, draw.random() < (0.95 if is_right else 0.1))
    return made


def learned(memory: MemoryManager) -> dict[tuple[str, str], int]:
    """Return how many outcomes stand behind each choice in each regime."""
    return {
        (str(pattern.choice), str(pattern.conditions[0].value)): pattern.sample_size
        for pattern in memory.list_patterns()
    }


def watched(memory: MemoryManager) -> WatchedAgent | None:
    """Return what the watch list knows of the agent."""
    some_day = datetime.now(UTC) + timedelta(days=100)
    found = due_agents(memory.store, some_day)
    return next((each for each in found if each.agent_id == memory.agent_id), None)


def test_the_watch_list_knows_who_has_news(memory: MemoryManager) -> None:
    """The stream's follower has noted the agent, although nobody told it anything."""
    found = eventually(lambda: watched(memory))
    assert found.news_at >= found.waiting_since > 0


def test_the_schedule_learns(memory: MemoryManager) -> None:
    """Without a call from anywhere the planted patterns are there, each outcome in one."""
    eventually(lambda: sum(learned(memory).values()) == DECISIONS)
    assert set(learned(memory)) == {(s, r) for s in SOURCES for r in ("storm", "calm")}
    context = {"market": {"regime": "storm"}}
    (best, *_) = memory.recall(KIND, context)
    assert best.pattern.conditions[0].value == "storm"


def test_statistics_come_from_rollups(memory: MemoryManager) -> None:
    """The hours are rolled up with every decision and outcome, and say what the log says."""
    since = datetime.now(UTC) - timedelta(hours=24)
    closed = eventually(lambda: read_closed_hours(memory.store, memory.agent_id, since))
    rolled = summarize_rollup(closed.rollup)
    assert (rolled["total_decisions"], rolled["with_outcome"]) == (DECISIONS, DECISIONS)
    assert memory.get_decision_stats(24)["successes"] == rolled["successes"]


def test_the_watch_list_knows_how_far_it_is(memory: MemoryManager) -> None:
    """A worker has noted up to when everything has been dealt with."""
    found = eventually(lambda: (each := watched(memory)) and each.caught_up_to > 0 and each)
    assert found.caught_up_to <= time.time() * 1e6


def test_repeats_do_no_harm(
    memory: MemoryManager, queues: Queues, platform: Connection, session: boto3.Session
) -> None:
    """The schedule firing twice, and a message coming three times, teach nothing new."""
    before = learned(memory)
    functions = session.client("lambda", endpoint_url=platform.endpoint_url)
    for _ in range(2):
        answer = functions.invoke(FunctionName="daybook-consolidation-planner", Payload=b"{}")
        assert "FunctionError" not in answer
    for _ in range(3):
        queues.send(json.dumps({"agent_id": memory.agent_id}))
    eventually(queues.is_drained)
    assert learned(memory) == before
    assert memory.agent_id not in str(queues.dead_letters())


@pytest.mark.usefixtures("impatient")
def test_poison_ends_in_the_dead_letter_queue(queues: Queues) -> None:
    """A message that can never succeed is set aside unchanged, and is there for a person."""
    poison = json.dumps({"agent_id": f"poison#{uuid4().hex}"})
    queues.send(poison)
    eventually(lambda: poison in queues.dead_letters())
