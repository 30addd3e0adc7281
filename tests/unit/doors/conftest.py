"""Agents whose requests go through the API, in front of moto."""

from typing import Any
from unittest.mock import patch

import boto3
import pytest

from daybook import AWSClientManager, MemoryManager
from daybook.doors import Api
from daybook.store.signing import SignedHttp
from daybook.testing import local_aws
from lambdas.handlers import agent_api
from tests.gateway import AgentClientManager, gateway, secret_of
from tests.lambdas.conftest import Context

Behind = tuple[AWSClientManager, str]
"""The client manager behind the API, and the API's URL."""


@pytest.fixture
def behind() -> Any:
    """Serve the API over moto; give the client manager behind it and the URL."""
    with (
        local_aws() as manager,
        patch.object(agent_api, "client_manager", lambda: manager),
        gateway(agent_api.handler, Context()) as url,
    ):
        yield manager, url


def through(behind: Behind, agent_id: str, signer: str) -> MemoryManager:
    """Return an agent's handle whose requests another agent's role signs."""
    _, url = behind
    manager = AgentClientManager()
    session = boto3.Session(signer, secret_of(signer), region_name="us-east-1")
    http = SignedHttp(session, "us-east-1")
    with patch.object(manager, "api", lambda url, agent: Api(url=url, agent_id=agent, http=http)):
        return MemoryManager(agent_id, manager, door="api", api_url=url)
