"""Fixtures for every suite: the backends that one set of cases runs on."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from daybook import AWSClientManager
from daybook.platform import Connection, PlatformConfig, down, up
from daybook.settings import Settings
from tests.lasting_tables import create_lasting_tables
from tests.servers import dynamodb_local, free_port

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
    create_lasting_tables(manager)
    return manager


@pytest.fixture(scope="session")
def platform_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformConfig]:
    """Say where this run's platform lives: on a port and in a folder of its own.

    There is one for all processes of a run, which the last to go takes down.
    """
    home = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        home = home.parent
    users_file = home / "platform-users.json"
    with _shared(users_file) as users:
        users["port"] = users.get("port") or free_port()
        users["count"] = users.get("count", 0) + 1
    config = PlatformConfig(root=ROOT, port=users["port"], home=home / "platform")
    yield config
    with _shared(users_file) as users:
        users["count"] -= 1
        if not users["count"]:
            down(config, wipe=True)


@pytest.fixture(scope="session")
def platform(platform_config: PlatformConfig) -> Connection:
    """Give the local platform with the real stack, deployed by the CDK for this run."""
    return up(platform_config, agents=AGENTS).connection


@contextmanager
def _shared(file: Path) -> Iterator[dict[str, int]]:
    """Give a file's object to one process at a time, and keep what becomes of it."""
    with file.open("a+") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        kept.seek(0)
        shared = json.loads(kept.read() or "{}")
        yield shared
        kept.truncate(0)
        json.dump(shared, kept)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file to one process, and all files that use the stack's agents to the same one."""
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - only if it is at work

    class OneStack(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "tests/e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)

    return OneStack(config, log)
