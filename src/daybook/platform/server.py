"""The server process: started detached, recognised by its command line, stopped by its pid.

State is kept in memory and written to disk when the server is told to stop, so a server
that was killed, or lost its power, starts again from its last orderly stop.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from daybook.errors import PlatformError
from daybook.platform import streams
from daybook.platform.config import REGION, PlatformConfig
from daybook.settings import process_environment

START_SECONDS = 60.0
STOP_SECONDS = 60.0
PORT_SECONDS = 1.0
EXEC_SECONDS = 1.0
POLL_SECONDS = 0.1
BOUND = re.compile(r"--bind 127\.0\.0\.1:(\d+)")
HEALTH_PATH = "/_ministack/health"


def start(config: PlatformConfig) -> int:
    """Start the server, wait until it answers, and return its pid.

    PlatformError if something else has the port, or if the server ends or stays silent.
    """
    if not _port_comes_free(config.port):
        raise PlatformError(
            f"Port {config.port} on 127.0.0.1 is in use by another program, which is not the "
            f"platform of {config.folder}. Stop that program, or choose another port: "
            "daybook up --port 4567"
        )
    scratch = config.scratch
    # functions are unpacked here; a stopped server leaves them behind
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    config.pid_file.unlink(missing_ok=True)
    if not any(config.state.glob("*.json")):
        # objects are written at once, all else at an orderly stop: without one, a bucket's
        # objects are there and the bucket is not, and neither it nor they could be made again
        shutil.rmtree(config.objects, ignore_errors=True)
    streams.rewind(config.state)
    with config.log_file.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            _command(config),
            cwd=config.folder,
            env=environment(config),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    config.pid_file.write_text(f"{process.pid}\n")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PlatformError(
                f"The server ended while it started, with exit code {process.returncode}. "
                f"The end of {config.log_file}:\n{_tail(config.log_file)}"
            )
        if healthy(config):
            return process.pid
        time.sleep(POLL_SECONDS)
    stop_process(process.pid)
    raise PlatformError(
        f"The server did not answer within {START_SECONDS:.0f} seconds and was stopped. "
        f"The end of {config.log_file}:\n{_tail(config.log_file)}"
    )


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that runs: its process and its port, which need not be the one asked for."""

    pid: int
    port: int


def running(config: PlatformConfig) -> Running | None:
    """Find this platform's server, or None if it does not run.

    A pid that now belongs to another program does not count: the command line has to name
    our own pid file.
    """
    try:
        pid = int(config.pid_file.read_text())
    except (OSError, ValueError):
        return None
    if pid < 1:
        return None
    command = _settled_command_line(pid)
    port = BOUND.search(command)
    if "ministack.app:app" not in command or str(config.pid_file) not in command or not port:
        return None
    return Running(pid=pid, port=int(port[1]))


def was_killed(config: PlatformConfig) -> bool:
    """Whether a server that does not run any more ended without being stopped."""
    return config.pid_file.exists() and running(config) is None


def stop(config: PlatformConfig) -> bool:
    """Stop the server so that it saves its state; False if it was not running.

    PlatformError if it does not end in time; it is not killed, because that loses the state.
    """
    found = running(config)
    if found and not stop_process(found.pid):
        raise PlatformError(
            f"The server (process {found.pid}) has not ended {STOP_SECONDS:.0f} seconds after it "
            f"was asked to; it may still be saving its state. Look at {config.log_file}, and run "
            "`daybook down` again."
        )
    config.pid_file.unlink(missing_ok=True)
    return found is not None


def stop_process(pid: int) -> bool:
    """Ask a process to end, and wait for it; False if it is still there in the end."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not _alive(pid):
            return True
        time.sleep(POLL_SECONDS)
    return False


def healthy(config: PlatformConfig) -> bool:
    """Whether ministack answers on the port."""
    request = urllib.request.Request(config.endpoint_url + HEALTH_PATH)  # noqa: S310 - loopback
    try:
        return "services" in json.loads(ask(request, seconds=2))
    except (OSError, ValueError):
        return False


def ask(request: urllib.request.Request, *, seconds: float) -> bytes:
    """Send a request to the loopback interface, past any proxy, and return the answer's body.

    Raises as `urllib.request.urlopen` does.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=seconds) as answer:
        return bytes(answer.read())


def port_in_use(port: int) -> bool:
    """Whether anything listens on the port of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _command(config: PlatformConfig) -> list[str]:
    """Return the command; the pid file in it tells this platform's server from any other."""
    return [
        *(str(config.server_python), "-m", "hypercorn", "ministack.app:app"),
        *("--workers", "0", "--bind", f"127.0.0.1:{config.port}"),
        *("--pid", str(config.pid_file)),
    ]


def _port_comes_free(port: int) -> bool:
    """Whether the port is free, or becomes so: a killed server may hold it for a moment."""
    deadline = time.monotonic() + PORT_SECONDS
    while port_in_use(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def environment(config: PlatformConfig) -> dict[str, str]:
    """Return the server's environment, which the functions it runs inherit.

    It is made from nothing: a developer's AWS profile, credentials or Daybook settings must
    not reach a function.
    """
    outside = process_environment()
    return {
        **{name: outside[name] for name in ("PATH", "LANG", "LC_ALL") if name in outside},
        "HOME": str(config.folder),
        "TMPDIR": str(config.scratch),
        "GATEWAY_PORT": str(config.port),
        "MINISTACK_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        # check signatures and policies: an agent is who it signs as, also here
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(config.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(config.objects),
        # listeners on other ports, which nothing here needs
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _alive(pid: int) -> bool:
    """Whether the process runs; one that has ended but was not waited for does not."""
    with suppress(ChildProcessError):  # somebody else's child, as after an `up` elsewhere
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _settled_command_line(pid: int) -> str:
    """Return the command line of a living process, or nothing.

    For a moment while a process starts another program, Linux shows none: look again.
    """
    deadline = time.monotonic() + EXEC_SECONDS
    while _alive(pid):
        command = _command_line(pid)
        if command or time.monotonic() > deadline:
            return command
        time.sleep(POLL_SECONDS)
    return ""


def _command_line(pid: int) -> str:
    """Return the command line of a process, or nothing if it cannot be seen."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def _tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
