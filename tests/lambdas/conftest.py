"""The functions on moto, with the events that AWS sends them."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from daybook import AWSClientManager
from daybook.testing import local_aws
from lambdas import connection

ROLE = "arn:aws:sts::123456789012:assumed-role/daybook-agent-{agent}/session"


@dataclass
class Context:
    """What Lambda hands to a handler."""

    function_name: str = "agent-api"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:agent-api"
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        """Return a time that is enough."""
        return 10_000


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[AWSClientManager]:
    """Give the functions a client manager on moto."""
    with local_aws() as made:
        connection.client_manager.cache_clear()
        monkeypatch.setattr(connection, "get_client_manager", lambda: made)
        yield made
    connection.client_manager.cache_clear()


def use_settings(
    manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch, **changes: str | None
) -> None:
    """Change the settings of what the functions are connected to."""
    monkeypatch.setattr(manager, "settings", manager.settings.model_copy(update=changes))


Answer = tuple[int, Any]
Call = Callable[..., Answer]


def http_event(
    method: str,
    path: str,
    body: object = None,
    *,
    query: dict[str, str] | None = None,
    arn: str | None = None,
    encoded: bool = False,
    headers: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """Make an event of API Gateway's HTTP API, payload version 2.0."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "queryStringParameters": query,
        "headers": {
            name: value
            for name, value in ({"content-type": "application/json"} | dict(headers or {})).items()
            if value is not None
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "authorizer": {"iam": {"userArn": arn}} if arn else {},
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
            "requestId": "id",
            "stage": "$default",
            "time": "01/Mar/2026:12:00:00 +0000",
        },
        "body": base64.b64encode(text.encode()).decode() if encoded else text,
        "isBase64Encoded": encoded,
    }


Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def deliver(handler: Handler, *bodies: object, context: Context | None = None) -> list[str]:
    """Hand messages to a function behind a queue; return the ids that it reports failed."""
    records = [
        {
            "messageId": str(number),
            "receiptHandle": "handle",
            "body": body if isinstance(body, str) else json.dumps(body),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
            "awsRegion": "us-east-1",
        }
        for number, body in enumerate(bodies)
    ]
    answer = handler({"Records": records}, context or Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.fixture
def call(manager: AWSClientManager) -> Call:
    """Give a function that sends a request as an agent and returns status and JSON."""
    from lambdas.handlers.agent_api import handler  # noqa: PLC0415 - after the environment is set

    del manager

    def send(method: str, path: str, body: object = None, **more: Any) -> Answer:
        agent = more.pop("agent", "scout")
        event = http_event(method, path, body, **({"arn": ROLE.format(agent=agent)} | more))
        answer = handler(event, Context())
        assert answer["headers"]["Content-Type"] == "application/json"
        return answer["statusCode"], json.loads(answer["body"])

    return send
