"""`up` and `down` with a real server and a real deployment, once for all cases, in order."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.errors import PlatformError
from daybook.platform import Outcome, PlatformConfig, State, connect, down, server, status, up
from daybook.progress.watched_agents import due_agents
from daybook.settings import Settings
from tests.servers import free_port

ROOT = Path(__file__).parent.parent.parent.parent
TABLE = "agent_decisions"
PATIENCE_SECONDS = 30.0
ITEM = {"pk": {"S": "agent"}, "sk": {"S": "kept"}}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformConfig]:
    """Configure a platform of this checkout with a folder and a port of its own."""
    config = PlatformConfig(root=ROOT, port=free_port(), home=tmp_path_factory.mktemp("platform"))
    yield config
    down(config, wipe=True)


@pytest.fixture(scope="module")
def deployed(platform: PlatformConfig) -> Outcome:
    """Bring the platform up from nothing, by two callers at once."""
    with ThreadPoolExecutor(2) as pool:
        callers = [pool.submit(up, platform, agents=["btc-agent-001"]) for _ in range(2)]
    outcomes = [caller.result() for caller in callers]
    assert sorted(o.deployed for o in outcomes) == [False, True], "one deployed, one waited"
    return next(o for o in outcomes if o.deployed)


def client(config: PlatformConfig, service: Any) -> Any:
    """Return a client for the platform."""
    return boto3.client(
        service,
        endpoint_url=config.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
    )


def kill(config: PlatformConfig) -> None:
    """End the server without letting it save anything."""
    running = server.running(config)
    assert running
    os.kill(running.pid, signal.SIGKILL)
    while server.running(config):
        time.sleep(0.01)


def get(config: PlatformConfig) -> Any:
    """Read the item."""
    return client(config, "dynamodb").get_item(TableName=TABLE, Key=ITEM).get("Item")


def is_noted(config: PlatformConfig, agent: str) -> bool:
    """Log a decision; return whether the follower of the log's stream notes the agent's news."""
    manager = AWSClientManager(
        endpoint_url=config.endpoint_url,
        dynamodb=client(config, "dynamodb"),
        settings=Settings(table_prefix=config.table_prefix),
    )
    DecisionLogger(MemoryManager(agent, manager)).log_decision("other", confidence=0.5)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if agent in [due.agent_id for due in due_agents(manager.store)]:
            return True
        time.sleep(0.2)
    return False


def test_up_from_nothing(platform: PlatformConfig, deployed: Outcome) -> None:
    """The stack is there, complete, and its tables can be written."""
    assert deployed.started
    assert not deployed.crashed
    assert status(platform).state is State.UP
    assert connect(platform) == deployed.connection
    client(platform, "dynamodb").put_item(TableName=TABLE, Item=ITEM)
    assert get(platform) == ITEM


def test_second_up_does_nothing(platform: PlatformConfig, deployed: Outcome) -> None:
    """Another `up` sees that all is done; agents keep their roles without being named again."""
    again = up(platform)
    assert (again.started, again.deployed) == (False, False)
    assert again.connection == deployed.connection
    assert again.connection.agents == ("btc-agent-001",)


@pytest.mark.usefixtures("deployed")
def test_another_port_is_refused_while_it_runs(platform: PlatformConfig) -> None:
    """A running platform is not started a second time on another port."""
    elsewhere = PlatformConfig(root=ROOT, port=platform.port + 1, home=platform.home)
    with pytest.raises(PlatformError, match=rf"runs on port {platform.port}.*daybook down"):
        up(elsewhere)
    assert status(elsewhere).config.port == platform.port


@pytest.mark.usefixtures("deployed")
def test_killed_before_its_first_stop(platform: PlatformConfig) -> None:
    """Objects are on disk by then and nothing else is; `up` begins anew and says so."""
    kill(platform)
    again = up(platform, agents=["btc-agent-001"])
    assert (again.crashed, again.deployed) == (True, True)
    assert status(platform).state is State.UP
    assert get(platform) is None
    client(platform, "dynamodb").put_item(TableName=TABLE, Item=ITEM)


@pytest.mark.usefixtures("deployed")
def test_state_outlives_down(platform: PlatformConfig) -> None:
    """After `down` and `up` all is there and at work, and nothing is deployed again."""
    assert is_noted(platform, "before")
    assert down(platform) is True
    assert status(platform).state is State.DOWN
    assert down(platform) is False
    again = up(platform)
    assert (again.started, again.deployed) == (True, False)
    assert get(platform) == ITEM
    functions = client(platform, "lambda")
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    assert [mapping["State"] for mapping in mappings] == ["Enabled"] * 6
    assert len(functions.list_functions()["Functions"]) == 9
    assert is_noted(platform, "after")


@pytest.mark.usefixtures("deployed")
def test_killed_server_is_started_again(platform: PlatformConfig) -> None:
    """A server that was killed comes back with what it had saved, and a stale pid is no hurdle."""
    kill(platform)
    again = up(platform)
    assert again.started
    assert again.crashed
    assert get(platform) == ITEM


@pytest.mark.usefixtures("deployed")
def test_unfinished_deployment_is_finished(platform: PlatformConfig) -> None:
    """A platform whose stack is gone is deployed again by `up`."""
    stacks = client(platform, "cloudformation")
    stacks.delete_stack(StackName=platform.stack_name)
    stacks.get_waiter("stack_delete_complete").wait(
        StackName=platform.stack_name, WaiterConfig={"Delay": 1}
    )
    assert status(platform).state is State.EMPTY
    with pytest.raises(PlatformError, match="daybook up"):
        connect(platform)
    assert up(platform, agents=["btc-agent-001"]).deployed
    assert status(platform).state is State.UP


@pytest.mark.usefixtures("deployed")
def test_table_deleted_behind_cloudformation(platform: PlatformConfig) -> None:
    """A table that is gone although the stack has it is noticed, and named."""
    client(platform, "dynamodb").delete_table(TableName="agent_state")
    assert status(platform).state is State.DAMAGED
    with pytest.raises(PlatformError, match=r"deleted agent_state,.*--wipe"):
        up(platform)


@pytest.mark.usefixtures("deployed")
def test_wipe(platform: PlatformConfig) -> None:
    """`down --wipe` leaves nothing behind but the lock."""
    assert down(platform, wipe=True)
    assert [p.name for p in platform.folder.iterdir()] == ["lock"]
