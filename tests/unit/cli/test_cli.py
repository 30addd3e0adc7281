"""The command line, with a platform that only pretends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from daybook import cli
from daybook.cli import platform as commands
from daybook.errors import PlatformError
from daybook.platform import Connection, Outcome, PlatformConfig, State, Status
from tests.unit.cli.conftest import Run

CONNECTION = Connection(
    endpoint_url="http://127.0.0.1:4566",
    region="us-east-1",
    api_url="http://127.0.0.1:4566/_aws/execute-api/x",
    api_host="x.execute-api.localhost:4566",
    queue_url="http://127.0.0.1:4566/000000000000/daybook-decisions",
    dead_letter_queue_url="http://127.0.0.1:4566/000000000000/daybook-decisions-dead-letters",
    payload_bucket="bodies",
    table_prefix="",
    retention_days="365",
    agent_role_prefix="daybook-agent-",
    agents=("a",),
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a folder that looks like a checkout."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "stack.py").write_text("")
    (tmp_path / "cdk.json").write_text("{}")
    return tmp_path


def test_up_prints_how_to_connect(
    monkeypatch: pytest.MonkeyPatch, daybook: Run, checkout: Path
) -> None:
    """After `up` a person sees the lines to export and the agents' roles."""
    asked: dict[str, object] = {}

    def fake_up(config: PlatformConfig, **options: object) -> Outcome:
        asked.update(options, port=config.port)
        return Outcome(
            connection=CONNECTION, started=True, crashed=False, deployed=True, seconds=8.2
        )

    monkeypatch.setattr(commands, "up", fake_up)
    code, out, _ = daybook("up", "--port", "4567", "--agent", "a", "--root", str(checkout))
    assert code == 0
    assert asked["port"] == 4567
    assert asked["agents"] == ["a"]
    assert "Up on port 4567, deployed in 8 s." in out
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4566" in out
    assert "arn:aws:iam::000000000000:role/daybook-agent-a" in out


def test_refusal_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, daybook: Run, checkout: Path
) -> None:
    """What Daybook refuses is a sentence on stderr and exit code 1, without a trace."""

    def refuse(*_: object, **__: object) -> Outcome:
        raise PlatformError("Port 4566 is in use [by another program].")

    monkeypatch.setattr(commands, "up", refuse)
    code, out, err = daybook("up", "--root", str(checkout))
    assert code == 1
    assert out == ""
    assert err == "daybook: Port 4566 is in use [by another program].\n"


def test_outside_a_checkout(daybook: Run, tmp_path: Path) -> None:
    """Without a checkout there is nothing to deploy, and the command says so."""
    code, _, err = daybook("status", "--root", str(tmp_path))
    assert code == 1
    assert "not in one" in err


def test_status_as_json(monkeypatch: pytest.MonkeyPatch, daybook: Run, checkout: Path) -> None:
    """Scripts read the status as JSON."""

    def fake_status(config: PlatformConfig) -> Status:
        return Status(state=State.UP, config=config, pid=7, connection=CONNECTION)

    monkeypatch.setattr(commands, "status", fake_status)
    code, out, _ = daybook("status", "--json", "--root", str(checkout))
    assert code == 0
    found = json.loads(out)
    assert found["state"] == "up"
    assert found["environment"]["DAYBOOK_PAYLOAD_BUCKET"] == "bodies"
    assert found["agents"] == {"a": CONNECTION.role_arn("a")}


def test_status_when_down(daybook: Run, checkout: Path) -> None:
    """A platform that is down is no error; the exit code tells scripts."""
    code, out, _ = daybook("status", "--root", str(checkout))
    assert code == 3
    assert out == "The local platform is down. Run `daybook up`.\n"


def test_version(daybook: Run) -> None:
    """The version is that of the distribution."""
    code, out, _ = daybook("version")
    assert code == 0
    assert out.strip().count(".") == 2


def test_without_typer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the extra is not installed, the command says how to install it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "pip install 'daybook-aws[cli]'" in capsys.readouterr().err


def test_entry_point_exists() -> None:
    """`python -m daybook.cli` and `daybook` are the same command."""
    shown = subprocess.run(
        [sys.executable, "-m", "daybook.cli", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("up", "down", "status", "version"):
        assert command in shown.stdout
