"""`daybook consolidate`, on moto; the job itself only pretends where a test says so."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from daybook import AWSClientManager, ConsolidationReport, DecisionLogger, DecisionType
from daybook import MemoryManager as Handle
from daybook.cli import consolidate as command
from daybook.errors import AccessDeniedError, ConsolidationBusyError, UndoRefusedError
from daybook.progress.watched_agents import due_agents, note_news
from tests.unit.cli.conftest import Run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KIND = DecisionType.RISK_ASSESSMENT


class Learner:
    """A learner that hands out what a test has laid down."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any] | Exception] = []
        self.asked: list[tuple[str, bool]] = []
        self.undone: list[tuple[str, str]] = []
        self._agent_id = ""

    def __call__(self, memory: Handle) -> "Learner":
        """Stand in for the class."""
        self._agent_id = memory.agent_id
        return self

    def consolidate(self, *, dry_run: bool = False) -> ConsolidationReport:
        """Pretend to consolidate."""
        self.asked.append((self._agent_id, dry_run))
        result = self.results.pop(0) if self.results else {}
        if isinstance(result, Exception):
            raise result
        given: dict[str, Any] = {"run_id": "run-1", "caught_up_to": NOW, "dry_run": dry_run}
        return ConsolidationReport(agent_id=self._agent_id, **(given | result))

    def undo(self, run_id: str) -> None:
        """Pretend to undo."""
        if self.results:
            raise UndoRefusedError("later runs build on it")
        self.undone.append((self._agent_id, run_id))


@pytest.fixture
def manager(
    daybook_client_manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch
) -> AWSClientManager:
    """Let the command use moto."""
    monkeypatch.setattr(command, "get_client_manager", lambda: daybook_client_manager)
    monkeypatch.setattr(
        command, "MemoryManager", lambda agent: Handle(agent, daybook_client_manager)
    )
    return daybook_client_manager


@pytest.fixture
def learner(manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch) -> Learner:
    """Let a learner pretend."""
    del manager
    pretended = Learner()
    monkeypatch.setattr(command, "PatternLearner", pretended)
    return pretended


@pytest.fixture
def run(daybook: Run) -> Run:
    """Give a function that runs `daybook consolidate`."""
    return partial(daybook, "consolidate")


def due(manager: AWSClientManager) -> list[str]:
    """Return the agents that the watch list holds as due."""
    return [agent.agent_id for agent in due_agents(manager.store)]


def test_the_report_is_a_table(learner: Learner, run: Any) -> None:
    """A person sees what was learned, and how to undo it."""
    changes = [
        {"pattern_id": f"p{number}", "kind": "created", "version": 1, "reason": "it [paid]"}
        for number in range(25)
    ]
    learner.results = [{"outcomes_learned": 1234, "patterns_created": 25, "changes": changes}]
    code, out, _ = run("--agent", "scout")
    assert code == 0
    assert "run-1" in out
    assert "1,234" in out
    assert "2026-03-01 12:00" in out
    assert "scout: created p0: it [paid]" in out
    assert "and 5 more changes" in out
    assert learner.asked == [("scout", False)]


def test_as_json(learner: Learner, run: Any) -> None:
    """Scripts read the same."""
    learner.results = [{"outcomes_learned": 7}, ConsolidationBusyError("under way")]
    code, out, err = run("--agent", "scout", "--agent", "risk", "--json")
    told = json.loads(out)
    assert [each["outcomes_learned"] for each in told["runs"]] == [7]
    assert told["failed"] == {"risk": "under way"}
    assert (code, "daybook: risk: under way" in err) == (1, True)


def test_a_dry_run_writes_nothing(learner: Learner, manager: AWSClientManager, run: Any) -> None:
    """It says so, and the agent stays due."""
    note_news(manager.store, ["scout"])
    learner.results = [{"outcomes_learned": 7, "caught_up_to": datetime.now(UTC), "more": True}]
    code, out, _ = run("--agent", "scout", "--dry-run")
    assert code == 0
    assert "nothing was written" in out
    assert learner.asked == [("scout", True)]
    assert due(manager) == ["scout"]


def test_all_that_are_due(learner: Learner, manager: AWSClientManager, run: Any) -> None:
    """`--all` goes through the watch list, and leaves nobody due."""
    note_news(manager.store, ["scout", "risk"])
    later = datetime.now(UTC) + timedelta(hours=1)
    learner.results = [{"caught_up_to": later}] * 2
    assert run("--all")[0] == 0
    assert learner.asked == [("risk", False), ("scout", False)]
    assert due(manager) == []
    assert run("--all")[:2] == (0, "Nothing to do.\n")


def test_goes_on_until_nothing_is_left(learner: Learner, run: Any) -> None:
    """A run that leaves work is followed by another, while it gets further."""
    later = NOW + timedelta(hours=1)
    learner.results = [{"more": True}, {"more": True, "caught_up_to": later}, {}]
    assert run("--agent", "scout")[0] == 0
    assert len(learner.asked) == 3
    learner.results = [{"more": True}, {"more": True}]
    assert "more is left" in run("--agent", "scout")[1]
    assert len(learner.asked) == 5


def test_one_that_fails_does_not_stop_the_others(learner: Learner, run: Any) -> None:
    """Each failure is a sentence on stderr, and the exit code tells."""
    learner.results = [ConsolidationBusyError("another consolidation of [a] is under way"), {}]
    code, out, err = run("--agent", "a", "--agent", "b")
    assert code == 1
    assert "\nb " in out
    assert "daybook: a: another consolidation of [a] is under way" in err


def test_a_role_confined_to_its_agent(
    learner: Learner, monkeypatch: pytest.MonkeyPatch, run: Any
) -> None:
    """It may not write the watch list, and consolidates all the same."""
    del learner

    def denied(*_: object) -> None:
        raise AccessDeniedError("the watch list is not yours")

    monkeypatch.setattr(command, "note_caught_up", denied)
    assert run("--agent", "scout")[0] == 0


def test_undo(learner: Learner, run: Any) -> None:
    """A run is undone by the id that was printed."""
    code, out, _ = run("--agent", "scout", "--undo", "run-1")
    assert (code, learner.undone) == (0, [("scout", "run-1")])
    assert "Undone: the run run-1 of scout" in out
    code, out, _ = run("--agent", "scout", "--undo", "run-1", "--json")
    assert json.loads(out) == {"agent_id": "scout", "undone": "run-1"}


def test_undo_that_is_refused(learner: Learner, run: Any) -> None:
    """The refusal is a sentence and exit code 1."""
    learner.results = [{}]
    code, out, err = run("--agent", "scout", "--undo", "run-1")
    assert (code, out, err) == (1, "", "daybook: later runs build on it\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--agent", "a", "--all"),
        ("--all", "--undo", "run"),
        ("--agent", "a", "--undo", "run", "--dry-run"),
        ("--agent", "a", "--agent", "b", "--undo", "run"),
    ],
)
def test_what_contradicts_itself(learner: Learner, run: Any, arguments: tuple[str, ...]) -> None:
    """Nothing is done, the message says what to name, and the exit code is 2."""
    code, _, err = run(*arguments)
    assert code == 2
    assert "--agent" in err
    assert learner.asked == []


def test_a_bad_agent_id(learner: Learner, run: Any) -> None:
    """It is that agent's failure, in Daybook's words."""
    code, _, err = run("--agent", "a#b")
    assert (code, learner.asked) == (1, [])
    assert "a#b" in err


def test_the_real_job(manager: AWSClientManager, run: Any) -> None:
    """Outcomes in the log are learned from once; undone, they are learned again."""
    log = DecisionLogger(Handle("scout", manager))
    for _ in range(3):
        log.log_outcome(log.log_decision(KIND, confidence=0.5), KIND, True)

    def consolidated() -> dict[str, Any]:
        code, out, _ = run("--agent", "scout", "--json")
        assert code == 0
        (report,) = json.loads(out)["runs"]
        return dict(report)

    first = consolidated()
    assert first["outcomes_learned"] == 3
    assert consolidated()["outcomes_learned"] == 0
    assert run("--agent", "scout", "--undo", first["run_id"])[0] == 0
    again = consolidated()
    assert again["outcomes_learned"] == 3
    code, out, _ = run("--agent", "scout", "--undo", "last", "--json")
    assert (code, json.loads(out)["undone"]) == (0, again["run_id"])
    code, _, err = run("--agent", "scout", "--undo", "last")
    assert (code, "no run that can be undone" in err) == (1, True)
