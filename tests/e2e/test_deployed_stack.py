"""The real stack, deployed by the CDK to the local platform: every door, end to end."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionNotFoundError,
    DecisionRecord,
    DecisionType,
    MemoryManager,
    OutcomeConflictError,
    new_decision_id,
)
from daybook.platform import Connection
from daybook.store import TABLES, requests
from tests.e2e.conftest import Request

KIND = DecisionType.RISK_ASSESSMENT
DECISION = {"decision_type": "risk_assessment", "confidence": 0.5}
PATIENCE_SECONDS = 90.0


def eventually(look: Callable[[], Any]) -> Any:
    """Return what is found once it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"nothing came within {PATIENCE_SECONDS:.0f} seconds")
        time.sleep(0.2)
    return found


@pytest.fixture
def impatient_queue(platform: Connection, session: boto3.Session) -> Iterator[None]:
    """Let failed messages be tried again after a second instead of twenty."""
    sqs = session.client("sqs", endpoint_url=platform.endpoint_url)
    where = platform.queue_url
    before = sqs.get_queue_attributes(QueueUrl=where, AttributeNames=["VisibilityTimeout"])
    sqs.set_queue_attributes(QueueUrl=where, Attributes={"VisibilityTimeout": "1"})
    yield
    sqs.set_queue_attributes(QueueUrl=where, Attributes=before["Attributes"])


@pytest.fixture
def scout(deployed: AWSClientManager) -> DecisionLogger:
    """Give the scout's logger on the deployed tables."""
    return DecisionLogger(MemoryManager("scout", deployed))


def test_the_deployed_tables_are_the_schema(deployed: AWSClientManager) -> None:
    """Keys and indexes of the stack's tables are those that create_all_tables makes."""
    deployed.create_all_tables()  # finds them all, and compares
    for schema in TABLES:
        described = deployed.dynamodb.describe_table(TableName=schema.name)["Table"]
        wanted = requests.create_table(schema.name, schema)
        assert described["KeySchema"] == wanted["KeySchema"]
        assert described["StreamSpecification"] == wanted["StreamSpecification"]


def test_straight_to_the_tables(scout: DecisionLogger) -> None:
    """The SDK writes and reads the deployed tables."""
    own = scout.log_decision(KIND, confidence=0.5, context={"market": {"price": 0.1 + 0.2}})
    scout.log_outcome(own, KIND, True, 0.9, 12.5)
    read = scout.get_decision(own)
    assert read.context.market == {"price": 0.1 + 0.2}
    assert read.outcome is not None
    with pytest.raises(OutcomeConflictError):
        scout.log_outcome(own, KIND, False, 0.9, 12.5)


def test_5_mb_through_the_deployed_bucket(scout: DecisionLogger) -> None:
    """A context of 5 MB is an object in the stack's bucket, and reads back equal."""
    context = {"noise": "".join(uuid4().hex for _ in range(160_000))}
    own = scout.log_decision(KIND, confidence=0.5, context=context)
    assert scout.get_decision(own).context.as_dict() == context


def test_the_api(request_as: Request, deployed: AWSClientManager) -> None:
    """A signed request is its role's agent; the SDK reads what it wrote, and it the SDK's."""
    status, logged = request_as("strategist", "POST", "/decisions", DECISION)
    assert status == 201
    own = logged["decision_id"]
    assert own.endswith("@strategist")
    facts = {"decision_type": "risk_assessment", "success": True, "quality_score": 0.75}
    assert request_as("strategist", "POST", f"/decisions/{own}/outcome", facts)[0] == 201
    log = DecisionLogger(MemoryManager("strategist", deployed))
    outcome = log.get_decision(own).outcome
    assert outcome is not None
    assert outcome.quality_score == 0.75
    child = log.log_decision(KIND, confidence=0.5, parent_decision_id=own)
    status, chain = request_as("strategist", "GET", f"/decisions/{child}/chain")
    assert status == 200
    assert [d["decision_id"] for d in chain["decisions"]] == [own, child]
    status, refused = request_as("risk", "GET", f"/decisions/{child}/chain")
    assert (status, refused["error"]) == (403, "ForeignDecisionError")
    status, stats = request_as("strategist", "GET", "/stats?time_window_hours=1")
    assert (status, stats["successes"]) == (200, 1)
    status, listed = request_as("strategist", "GET", "/decisions?success=true&limit=1")
    assert (status, [d["decision_id"] for d in listed["decisions"]]) == (200, [own])


def test_the_api_refuses(request_as: Request, platform: Connection) -> None:
    """Unsigned, malformed, foreign: a 4xx each, with JSON that says why."""
    assert platform.agents == ("scout", "strategist", "risk")
    assert request_as(None, "GET", "/stats")[0] == 403
    foreign = f"/decisions/{new_decision_id('scout')}/outcome"
    facts = {"decision_type": "risk_assessment", "success": True}
    cases: list[tuple[str, str, object, int, str]] = [
        ("POST", "/decisions", b"{", 400, "InvalidInputError"),
        ("POST", "/decisions", b"[" * 50_000, 400, "InvalidInputError"),
        ("POST", "/decisions", b"\xff\xfe", 400, "InvalidInputError"),
        ("POST", "/decisions", DECISION | {"confidence": 7}, 400, "InvalidInputError"),
        ("POST", "/decisions", DECISION | {"agent_id": "scout"}, 400, "InvalidInputError"),
        ("POST", foreign, facts, 403, "ForeignDecisionError"),
        ("GET", "/decisions/nothing", None, 400, "InvalidDecisionIdError"),
        ("GET", "/decisions?cursor=x", None, 400, "InvalidCursorError"),
        ("GET", "/nowhere", None, 404, "NotFoundError"),
    ]
    for method, path, body, expected, error in cases:
        status, refused = request_as("risk", method, path, body)
        assert (status, refused["error"]) == (expected, error), (method, path, refused)
        assert refused["message"]


@pytest.mark.usefixtures("impatient_queue")
def test_the_queue(platform: Connection, session: boto3.Session, scout: DecisionLogger) -> None:
    """A decision and its outcome, sent twice and the outcome first, are in the log once."""
    sqs = session.client("sqs", endpoint_url=platform.endpoint_url)
    own = new_decision_id("scout")
    outcome = {"decision_id": own, "decision_type": "risk_assessment", "success": True}
    bodies = [
        {"verb": "log_outcome", "agent_id": "scout", "outcome": outcome},
        {"verb": "log_decision", "agent_id": "scout", "decision": DECISION | {"decision_id": own}},
    ]
    for body in bodies * 2:
        sqs.send_message(QueueUrl=platform.queue_url, MessageBody=json.dumps(body))

    def closed() -> DecisionRecord | None:
        try:
            read = scout.get_decision(own)
        except DecisionNotFoundError:
            return None
        return read if read.outcome else None

    assert eventually(closed).outcome.success

    def drained() -> bool:
        told = sqs.get_queue_attributes(
            QueueUrl=platform.queue_url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )
        return set(told["Attributes"].values()) == {"0"}

    before = scout.get_decision(own)
    eventually(drained)
    assert scout.get_decision(own) == before
    dead = sqs.get_queue_attributes(
        QueueUrl=platform.dead_letter_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert dead["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.usefixtures("impatient_queue")
def test_poison_ends_in_the_dead_letter_queue(
    platform: Connection, session: boto3.Session
) -> None:
    """A message that can never succeed is set aside unchanged, and is there for a person."""
    sqs = session.client("sqs", endpoint_url=platform.endpoint_url)
    poison = f"poison {uuid4().hex}"
    sqs.send_message(QueueUrl=platform.queue_url, MessageBody=poison)

    def set_aside() -> list[str]:
        got = sqs.receive_message(
            QueueUrl=platform.dead_letter_queue_url, MaxNumberOfMessages=10, VisibilityTimeout=1
        )
        return [m["Body"] for m in got.get("Messages", []) if m["Body"] == poison]

    assert eventually(set_aside) == [poison]
