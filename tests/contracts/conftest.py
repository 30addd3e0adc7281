"""The backends of the contract suites: moto, DynamoDB Local and the local platform."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch
from uuid import uuid4

import pytest
from boto3 import Session

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.platform import Connection
from daybook.settings import Settings
from daybook.testing import local_aws
from tests.clocks import Clock
from tests.gateway import AgentClientManager, gateway
from tests.lambdas.conftest import Context
from tests.lasting_tables import create_lasting_tables
from tests.moto_tables import emptied

BUCKET = "contract-bodies"
BY_TABLES = ("moto", "dynamodb_local", "ministack")
BACKENDS = (*BY_TABLES, "api")
"""The first three by the door to the tables; the last by the API, in front of moto."""


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands at noon on the first of March 2026."""
    return Clock()


@pytest.fixture(scope="session")
def tables_on_ministack(platform: Connection) -> AWSClientManager:
    """Make the tables and the bucket on the platform, beside those of the deployed stack."""
    session = Session(platform.access_key_id, platform.secret_access_key)
    manager = AWSClientManager(
        endpoint_url=platform.endpoint_url, session=session, settings=_settings("ministack")
    )
    create_lasting_tables(manager)
    manager.s3().create_bucket(Bucket=BUCKET)
    return manager


@pytest.fixture(scope="module")
def moto() -> Iterator[AWSClientManager]:
    """Give a client manager on moto, with a bucket, for all of a module."""
    with local_aws(settings=_settings("moto")) as manager:
        yield manager


@pytest.fixture(params=BACKENDS)
def client_manager(request: pytest.FixtureRequest, clock: Clock) -> Iterator[AWSClientManager]:
    """Give a client manager on each backend in turn; every test runs on all of them."""
    settings = _settings(request.param)
    if request.param == "moto":
        yield emptied(request.getfixturevalue("moto"), clock)
    elif request.param == "api":
        behind = emptied(request.getfixturevalue("moto"), clock)
        with _served(behind) as url:
            through = settings.model_copy(update={"door": "api", "api_url": url})
            agents = AgentClientManager(dynamodb=behind.dynamodb, settings=through, clock=clock)
            agents.s3 = behind.s3  # type: ignore[method-assign]
            yield agents
    elif request.param == "dynamodb_local":
        shared: AWSClientManager = request.getfixturevalue("database")
        yield AWSClientManager(dynamodb=shared.dynamodb, settings=settings, clock=clock)
    else:
        ready: AWSClientManager = request.getfixturevalue("tables_on_ministack")
        manager = AWSClientManager(dynamodb=ready.dynamodb, settings=settings, clock=clock)
        manager.s3 = ready.s3  # type: ignore[method-assign]
        yield manager


@contextmanager
def _served(behind: AWSClientManager) -> Iterator[str]:
    """Serve the API's function over these tables; give its URL."""
    from lambdas.handlers import agent_api  # noqa: PLC0415 - after the environment is set

    with (
        patch.object(agent_api, "client_manager", lambda: behind),
        gateway(agent_api.handler, Context()) as url,
    ):
        yield url


@pytest.fixture
def has_bucket(client_manager: AWSClientManager) -> bool:
    """Tell whether large bodies have somewhere to go; DynamoDB Local has no S3."""
    return client_manager.settings.payload_bucket is not None


@pytest.fixture
def memory(client_manager: AWSClientManager) -> MemoryManager:
    """Give the handle of an agent that nobody else uses."""
    return MemoryManager(f"agent-{uuid4().hex}", client_manager)


@pytest.fixture
def desk(client_manager: AWSClientManager) -> Callable[..., MemoryManager]:
    """Return a function that makes an agent that nobody else uses, and registers it."""

    def make(*topics: str) -> MemoryManager:
        made = MemoryManager(f"agent-{uuid4().hex}", client_manager)
        made.register(topics=topics)
        return made

    return make


@pytest.fixture
def log(memory: MemoryManager) -> DecisionLogger:
    """Give that agent's logger."""
    return DecisionLogger(memory)


def _settings(backend: str) -> Settings:
    prefix = "contract-" if backend == "ministack" else ""
    bucket = None if backend == "dynamodb_local" else BUCKET
    return Settings(table_prefix=prefix, payload_bucket=bucket, retention_days=365)
