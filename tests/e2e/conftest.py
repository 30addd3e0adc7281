"""The deployed stack, as a client outside it sees it."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from daybook import AWSClientManager, MemoryManager
from daybook.platform import Connection
from daybook.settings import Settings

Answer = tuple[int, Any]
Request = Callable[..., Answer]


@pytest.fixture(scope="session")
def session(platform: Connection) -> boto3.Session:
    """Give a session of the account's root."""
    return boto3.Session(
        platform.access_key_id, platform.secret_access_key, region_name=platform.region
    )


@pytest.fixture(scope="session")
def deployed(platform: Connection, session: boto3.Session) -> AWSClientManager:
    """Give a client manager on the deployed tables and bucket."""
    settings = Settings(table_prefix=platform.table_prefix, payload_bucket=platform.payload_bucket)
    return AWSClientManager(
        platform.region, platform.endpoint_url, session=session, settings=settings
    )


@pytest.fixture(scope="session")
def request_as(platform: Connection, session: boto3.Session) -> Request:
    """Give a function that sends a request to the API, signed by an agent's role."""
    sts = session.client("sts", endpoint_url=platform.endpoint_url)
    pool = urllib3.PoolManager(retries=False, timeout=60.0)

    def send(agent: str | None, method: str, path: str, body: object = None) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        url = platform.api_url + path
        request = AWSRequest(method, url, {"Content-Type": "application/json"}, data)
        if agent is not None:
            given = sts.assume_role(RoleArn=platform.role_arn(agent), RoleSessionName="e2e")
            keys = given["Credentials"]
            credentials = Credentials(
                keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
            )
            SigV4Auth(credentials, "execute-api", platform.region).add_auth(request)
        answer = pool.request(method, url, body=data, headers=dict(request.headers))
        return answer.status, answer.json() if answer.data else None

    return send


@pytest.fixture(scope="session")
def through_api(platform: Connection, session: boto3.Session) -> Callable[..., MemoryManager]:
    """Give a function that makes an agent's handle on the API, signed by a role.

    That is the agent's own unless `signed_by` names another agent.
    """
    sts = session.client("sts", endpoint_url=platform.endpoint_url)
    managers: dict[str, AWSClientManager] = {}

    def signing_as(agent: str) -> AWSClientManager:
        if agent not in managers:
            given = sts.assume_role(RoleArn=platform.role_arn(agent), RoleSessionName="e2e")
            keys = given["Credentials"]
            assumed = boto3.Session(
                keys["AccessKeyId"],
                keys["SecretAccessKey"],
                keys["SessionToken"],
                platform.region,
            )
            # no endpoint: whatever does not go through the API leads nowhere
            managers[agent] = AWSClientManager(
                platform.region, session=assumed, settings=Settings()
            )
        return managers[agent]

    def handle(agent: str, signed_by: str | None = None) -> MemoryManager:
        manager = signing_as(signed_by or agent)
        return MemoryManager(agent, manager, door="api", api_url=platform.api_url)

    return handle
