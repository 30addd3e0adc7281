"""An agent's saver and store, on moto and on DynamoDB Local.

A client takes longer to make than most tests to run: each backend has one, which tests share.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from daybook import AWSClientManager, CapacityMeter
from daybook.adapters.langgraph import DaybookSaver, DaybookStore
from daybook.settings import Settings
from daybook.testing import local_aws
from tests.clocks import Clock
from tests.moto_tables import emptied


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands at noon on the first of March 2026."""
    return Clock()


@pytest.fixture
def local(database: AWSClientManager, clock: Clock) -> AWSClientManager:
    """Give a client manager on DynamoDB Local, without a bucket."""
    return AWSClientManager(dynamodb=database.dynamodb, settings=Settings(), clock=clock)


@pytest.fixture(scope="module")
def moto() -> Iterator[AWSClientManager]:
    """Give a client manager on moto, with a bucket, for all of a module."""
    with local_aws() as manager:
        yield manager


@pytest.fixture
def with_bucket(moto: AWSClientManager, clock: Clock) -> AWSClientManager:
    """Give a client manager on moto, with a bucket; its tables are empty."""
    return emptied(moto, clock)


@pytest.fixture(params=["moto", "dynamodb_local"])
def manager(request: pytest.FixtureRequest) -> AWSClientManager:
    """Give a client manager on each backend: moto with a bucket, DynamoDB Local without."""
    name = "with_bucket" if request.param == "moto" else "local"
    made: AWSClientManager = request.getfixturevalue(name)
    return made


@pytest.fixture
def agent_id() -> str:
    """Give an agent that nobody else uses."""
    return f"agent-{uuid4().hex}"


@pytest.fixture
def saver(manager: AWSClientManager, agent_id: str) -> DaybookSaver:
    """Give a saver."""
    return DaybookSaver(client_manager=manager, agent_id=agent_id)


@pytest.fixture
def fenced(manager: AWSClientManager, agent_id: str) -> DaybookSaver:
    """Give a saver that lets one writer follow each checkpoint."""
    return DaybookSaver(client_manager=manager, agent_id=agent_id, fenced=True)


@pytest.fixture
def store(manager: AWSClientManager, agent_id: str) -> DaybookStore:
    """Give a store."""
    return DaybookStore(client_manager=manager, agent_id=agent_id)


@pytest.fixture
def meter(manager: AWSClientManager) -> Iterator[CapacityMeter]:
    """Count the requests to the database that follow."""
    with CapacityMeter(manager.dynamodb) as counting:
        yield counting


@pytest.fixture
def thread() -> dict[str, Any]:
    """Give the config of a thread."""
    return {"configurable": {"thread_id": f"thread-{uuid4().hex}"}}
