"""How to connect."""

import subprocess
from pathlib import Path

import pytest

from daybook.platform import Connection, PlatformConfig
from daybook.platform.connection import connection_to
from daybook.platform.stack import DeployedStack

OUTPUTS = {
    "ApiId": "a02fd45a",
    "QueueUrl": "http://localhost:4566/000000000000/daybook-decisions",
    "DeadLetterQueueUrl": "http://localhost:4566/000000000000/daybook-decisions-dead-letters",
    "PayloadBucket": "bodies",
    "AgentRolePrefix": "daybook-agent-",
    "Agents": "a,b",
    "Fingerprint": "f",
}


@pytest.fixture
def connection(config: PlatformConfig) -> Connection:
    """Connect to a stack that was deployed when the platform had port 4566."""
    return connection_to(config, DeployedStack(status="CREATE_COMPLETE", outputs=OUTPUTS))


def test_addresses_have_the_present_port(connection: Connection) -> None:
    """A platform that moved to another port is found there."""
    assert connection.api_url == "http://127.0.0.1:4899/_aws/execute-api/a02fd45a"
    assert connection.api_host == "a02fd45a.execute-api.localhost:4899"
    assert connection.queue_url == "http://127.0.0.1:4899/000000000000/daybook-decisions"


def test_roles_of_agents(connection: Connection) -> None:
    """An agent's role is named after it."""
    assert connection.agents == ("a", "b")
    assert connection.role_arn("a") == "arn:aws:iam::000000000000:role/daybook-agent-a"


def test_env_file_can_be_sourced(connection: Connection, tmp_path: Path) -> None:
    """A shell that sources the file has the variables."""
    connection.write(tmp_path / "env")
    shown = subprocess.run(
        ["/bin/sh", "-c", ". ./env && echo $AWS_ENDPOINT_URL $DAYBOOK_PAYLOAD_BUCKET"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == ["http://127.0.0.1:4899", "bodies"]


def test_stack_without_agents() -> None:
    """A dash in the outputs stands for no agents."""
    assert DeployedStack(status="CREATE_COMPLETE", outputs={"Agents": "-"}).agents == ()
