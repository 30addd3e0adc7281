"""The server process, as far as it can be judged without one."""

import os
import socket
import subprocess
import sys
import time

import psutil
import pytest

from daybook.errors import PlatformError
from daybook.platform import PlatformConfig, server


def test_nothing_runs_at_first(config: PlatformConfig) -> None:
    """Without a pid file there is no server, and stopping it is no error."""
    assert server.running(config) is None
    assert server.stop(config) is False


@pytest.mark.parametrize("text", ["", "rubbish", "-1", "99999999"])
def test_stale_or_damaged_pid_file(config: PlatformConfig, text: str) -> None:
    """A pid file that names no process counts for nothing."""
    config.pid_file.write_text(text)
    assert server.running(config) is None


def test_pid_of_another_program_is_left_alone(config: PlatformConfig) -> None:
    """A pid that was given to another program is neither ours nor stopped."""
    config.pid_file.write_text(str(os.getpid()))
    assert server.running(config) is None
    assert server.stop(config) is False
    assert not config.pid_file.exists()


def test_server_is_known_by_its_command_line(config: PlatformConfig) -> None:
    """A process is ours if it runs ministack with our pid file; its port is read from it."""
    command = [
        *(sys.executable, "-c", "import time; time.sleep(60)", "ministack.app:app"),
        *("--bind", "127.0.0.1:4877", "--pid", str(config.pid_file)),
    ]
    with subprocess.Popen(command) as process:
        config.pid_file.write_text(str(process.pid))
        assert server.running(config) == server.Running(pid=process.pid, port=4877)
        assert server.stop(config) is True
    assert server.running(config) is None


def test_port_in_use(config: PlatformConfig) -> None:
    """A port that another program has is named, with what to do."""
    with socket.create_server(("127.0.0.1", config.port)):
        assert server.port_in_use(config.port)
        assert not server.healthy(config)
        with pytest.raises(PlatformError, match=rf"Port {config.port}.*--port"):
            server.start(config)
    assert not server.port_in_use(config.port)


def test_server_that_ends_at_once(config: PlatformConfig) -> None:
    """If the server cannot start, the error ends with what it said."""
    python = config.server_python
    python.write_text("#!/bin/sh\necho 'No module named hypercorn'\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(PlatformError, match=r"(?s)exit code 3.*No module named hypercorn"):
        server.start(config)


def test_functions_do_not_see_the_developers_environment(
    config: PlatformConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile, real credentials or Daybook settings of the shell stay outside."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "DAYBOOK_TABLE_PREFIX"):
        monkeypatch.setenv(name, "mine")
    environment = server.environment(config)
    assert "mine" not in environment.values()
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment["AUTH"] == "true"


def test_process_that_is_just_starting(
    config: PlatformConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process shows no command line for a moment while it starts: it is looked at again."""
    shown = iter(["", f"ministack.app:app --bind 127.0.0.1:4877 --pid {config.pid_file}"])
    monkeypatch.setattr(server, "_command_line", lambda _: next(shown))
    config.pid_file.write_text(str(os.getpid()))
    assert server.running(config) == server.Running(pid=os.getpid(), port=4877)


def test_a_server_that_nobody_waits_for() -> None:
    """It has ended, although the process that started it takes no note of that, and shows it."""
    starter = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); "
    starter += "time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            child = int(process.stdout.readline())
            began = time.monotonic()
            assert server.stop_process(child)
            assert time.monotonic() - began < 30
            assert psutil.pid_exists(child)
        finally:
            process.kill()
