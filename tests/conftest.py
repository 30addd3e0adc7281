"""Fixtures for every suite: the backends that one set of cases runs on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook import AWSClientManager
from daybook.platform import Connection, PlatformConfig, down, up
from daybook.settings import Settings
from tests.servers import dynamodb_local, free_port, stop_streams

ROOT = Path(__file__).parent.parent
AGENTS = ("scout", "strategist", "risk")

# dummy credentials, so that no test can reach an account by accident
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",  # noqa: S106
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
    POWERTOOLS_SERVICE_NAME="daybook",
    POWERTOOLS_METRICS_NAMESPACE="Daybook",
    POWERTOOLS_TRACE_DISABLED="true",
)
for variable in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
    os.environ.pop(variable, None)
for variable in [name for name in os.environ if name.startswith("DAYBOOK_")]:
    del os.environ[variable]


@pytest.fixture(scope="session")
def dynamodb_local_url() -> Iterator[str]:
    """Give the URL of Amazon's DynamoDB Local, started for this run."""
    with dynamodb_local(ROOT) as url:
        yield url


@pytest.fixture(scope="session")
def database(dynamodb_local_url: str) -> AWSClientManager:
    """Give a client manager on DynamoDB Local, with tables; each test uses agents of its own."""
    manager = AWSClientManager(endpoint_url=dynamodb_local_url, settings=Settings())
    manager.create_all_tables()
    stop_streams(manager)
    return manager


@pytest.fixture(scope="session")
def platform_config(tmp_path_factory: pytest.TempPathFactory) -> PlatformConfig:
    """Say where this run's platform lives: on a port and in a folder of its own."""
    return PlatformConfig(root=ROOT, port=free_port(), home=tmp_path_factory.mktemp("platform"))


@pytest.fixture(scope="session")
def platform(platform_config: PlatformConfig) -> Iterator[Connection]:
    """Give the local platform with the real stack, deployed by the CDK for this run."""
    try:
        yield up(platform_config, agents=AGENTS).connection
    finally:
        down(platform_config, wipe=True)
