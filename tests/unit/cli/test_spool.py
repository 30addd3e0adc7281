"""`daybook spool`: a person sees what was refused and why, mends the cause, and tries again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    SpoolInUseError,
    new_decision_id,
)
from daybook.cli.app import app

RISK = DecisionType.RISK_ASSESSMENT
Run = Callable[..., str]


@pytest.fixture
def run() -> Run:
    """Give a function that runs `daybook spool …` and returns what it prints."""

    def ran(*arguments: object) -> str:
        result = CliRunner().invoke(
            app, ["spool", *map(str, arguments)], catch_exceptions=False, env={"COLUMNS": "200"}
        )
        assert result.exit_code == 0, result.output
        return result.output

    return ran


@pytest.fixture
def path(tmp_path: Path, daybook_client_manager: AWSClientManager) -> Path:
    """Give a spool that has set aside a decision and an outcome."""
    path = tmp_path / "spool.db"
    with MemoryManager("scout", daybook_client_manager, spool=path) as memory:
        log, own = DecisionLogger(memory), new_decision_id("scout")
        for number in (1, 2):
            log.log_decision(RISK, confidence=0.5, decision_id=own, context={"n": number})
        log.log_outcome(new_decision_id("scout"), RISK, True, details={"late": "fill :star: [/x]"})
        assert memory.flush(20)
    return path


def test_what_was_set_aside(path: Path, run: Run) -> None:
    """In words, with the reasons, and as JSON with all that was logged."""
    assert "waiting: 0" in run("status", path)
    assert "set aside: 2" in run("status", path)
    assert json.loads(run("status", path, "--json"))["set_aside"] == 2
    listed = run("list", path)
    assert "DecisionConflictError" in listed
    assert "DecisionNotFoundError" in listed
    assert [each["number"] for each in json.loads(run("list", path, "--json"))] == [2, 3]
    decision, outcome = map(json.loads, run("export", path).splitlines())
    assert decision["entry"]["context"] == {"n": 2}
    assert decision["reason"].startswith("DecisionConflictError: another decision")
    assert outcome["entry"]["details"] == {"late": "fill :star: [/x]"}


def test_tried_again(path: Path, run: Run, daybook_client_manager: AWSClientManager) -> None:
    """After the cause is mended it is delivered; what is still wrong is set aside again."""
    (_, outcome) = map(json.loads, run("export", path).splitlines())
    own = outcome["entry"]["decision_id"]
    direct = DecisionLogger(MemoryManager("scout", daybook_client_manager))
    direct.log_decision(RISK, confidence=0.5, decision_id=own)
    assert "opened: 2" in run("retry", path)
    assert "waiting: 2, the oldest for" in run("status", path)
    assert "Nothing is set aside" in run("list", path)
    with MemoryManager("scout", daybook_client_manager, spool=path) as memory:
        assert memory.flush(20)
    read = direct.get_decision(own).outcome
    assert read
    assert read.details == {"late": "fill :star: [/x]"}
    assert [each["number"] for each in json.loads(run("list", path, "--json"))] == [2]


def test_one_of_them(path: Path, run: Run) -> None:
    """By its number."""
    assert "opened: 1" in run("retry", path, 3)
    assert [each["number"] for each in json.loads(run("list", path, "--json"))] == [2]


def test_while_the_owner_runs(
    path: Path, run: Run, daybook_client_manager: AWSClientManager
) -> None:
    """It can be looked at, and not changed."""
    with MemoryManager("scout", daybook_client_manager, spool=path):
        assert "set aside: 2" in run("status", path)
        with pytest.raises(SpoolInUseError):
            run("retry", path)


@pytest.mark.parametrize("arguments", [["retry", 99], ["list"]])
def test_what_cannot_be(path: Path, arguments: list[object], run: Run) -> None:
    """A number that is not there, a file that is none."""
    command, *numbers = arguments
    where = path if numbers else path.parent / "none.db"
    with pytest.raises(Exception, match=r"nothing is set aside under 99|there is no spool"):
        run(command, where, *numbers)
