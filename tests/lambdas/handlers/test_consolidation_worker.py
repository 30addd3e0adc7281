"""The worker: one agent a message, with a job that only pretends."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager
from daybook.errors import ConsolidationBusyError, OvertakenError, ThrottledError
from daybook.memory import ConsolidationReport
from daybook.progress.watched_agents import due_agents, note_news
from daybook.store import Store
from lambdas import agent_messages
from lambdas.handlers import consolidation_worker
from tests.lambdas.conftest import Context, deliver

NOW = datetime.now(UTC)
KIND = DecisionType.OTHER


class Job:
    """A job that hands out what a test has laid down, one after another."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any] | Exception] = []
        self.asked: list[str] = []

    def __call__(self, store: Store, agent_id: str) -> ConsolidationReport:
        """Pretend to consolidate."""
        del store
        self.asked.append(agent_id)
        result = self.results.pop(0) if self.results else {}
        if isinstance(result, Exception):
            raise result
        given: dict[str, Any] = {"run_id": "run", "agent_id": agent_id, "caught_up_to": NOW}
        return ConsolidationReport(**(given | result))


@pytest.fixture
def job(manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Give the worker a pretended job, and moto."""
    del manager
    pretended = Job()
    monkeypatch.setattr(consolidation_worker, "consolidate", pretended)
    return pretended


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect whom the worker sends messages about."""
    agents: list[str] = []
    send: Callable[[list[str]], None] = agents.extend
    monkeypatch.setattr(agent_messages, "send", send)
    return agents


class Late(Context):
    """A function whose time is up."""

    def get_remaining_time_in_millis(self) -> int:
        """Return no time."""
        return 0


def published(capsys: pytest.CaptureFixture[str]) -> dict[str, list[float]]:
    """Return the metrics that the function has published, by name."""
    found: dict[str, list[float]] = {}
    for line in capsys.readouterr().out.splitlines():
        if "CloudWatchMetrics" in line:
            found |= {k: v for k, v in json.loads(line).items() if isinstance(v, list)}
    return found


def test_one_agent_for_one_message(
    job: Job, sent: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The job runs for the agent that is named, and what it did is counted."""
    job.results = [{"outcomes_learned": 7, "patterns_created": 2, "patterns_retired": 1}]
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}) == []
    assert (job.asked, sent) == (["scout"], [])
    metrics = published(capsys)
    assert metrics["OutcomesLearned"] == [7.0]
    assert metrics["PatternsCreated"] == [2.0]
    assert metrics["PatternsUpdated"] == [0.0]
    assert metrics["PatternsRetired"] == [1.0]


def test_the_watch_list_is_told(job: Job, sent: list[str], manager: AWSClientManager) -> None:
    """After a run that has caught up with the news, the agent is not due any more."""
    del sent
    note_news(manager.store, ["scout"])
    job.results = [{"caught_up_to": datetime.now(UTC) + timedelta(minutes=10)}]
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}) == []
    assert list(due_agents(manager.store)) == []


def test_work_that_is_left_is_gone_on_with(job: Job, sent: list[str]) -> None:
    """While there is time the worker does not wait for another message."""
    soon = NOW + timedelta(seconds=1)
    job.results = [{"more": True}, {"more": True, "caught_up_to": soon}, {"more": False}]
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}) == []
    assert (job.asked, sent) == (["scout"] * 3, [])


def test_a_run_that_gets_no_further(job: Job, sent: list[str], manager: AWSClientManager) -> None:
    """It is not repeated again and again; the agent stays due, and the planner comes back."""
    note_news(manager.store, ["scout"])
    far = NOW + timedelta(hours=1)
    job.results = [{"more": True, "caught_up_to": far}] * 2
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}) == []
    assert (job.asked, sent) == (["scout"] * 2, [])
    assert [agent.agent_id for agent in due_agents(manager.store)] == ["scout"]


def test_when_the_time_is_up(job: Job, sent: list[str]) -> None:
    """The rest becomes a message of its own, and this one is done."""
    job.results = [{"more": True}]
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}, context=Late()) == []
    assert (job.asked, sent) == (["scout"], ["scout"])


@pytest.mark.parametrize("error", [ConsolidationBusyError, OvertakenError])
def test_another_worker_is_at_it(
    job: Job,
    manager: AWSClientManager,
    capsys: pytest.CaptureFixture[str],
    error: type[Exception],
) -> None:
    """The message is done with, as the other does its work; the agent stays due until then."""
    note_news(manager.store, ["scout"])
    job.results = [error("somebody else")]
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}) == []
    assert published(capsys)["RunsBusy"] == [1.0]
    assert [agent.agent_id for agent in due_agents(manager.store)] == ["scout"]


def test_a_failure_stays_on_the_queue(
    job: Job, manager: AWSClientManager, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is reported and counted; the messages beside it are carried out."""
    note_news(manager.store, ["scout", "risk"])
    job.results = [ThrottledError("too much"), {"caught_up_to": NOW + timedelta(hours=1)}]
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}, {"agent_id": "risk"}) == [
        "0"
    ]
    assert published(capsys)["RunsFailed"] == [1.0]
    assert [agent.agent_id for agent in due_agents(manager.store)] == ["scout"]


@pytest.mark.parametrize(
    "body",
    ["", "not json", "[" * 100_000, "{}", {"agent_id": "a#b"}, {"agent_id": "a", "x": 1}, [], 7],
)
def test_a_bad_message_stays_on_the_queue(job: Job, body: object) -> None:
    """After five tries it is in the dead-letter queue, for a person to see."""
    assert deliver(consolidation_worker.handler, body) == ["0"]
    assert job.asked == []


@pytest.fixture
def requests(manager: AWSClientManager) -> list[str]:
    """Collect the requests that go to DynamoDB and S3."""
    sent: list[str] = []
    for client in (manager.dynamodb, manager.s3()):
        client.meta.events.register("before-call", lambda model, **_: sent.append(str(model.name)))
    return sent


def test_a_run_without_news_costs_little(manager: AWSClientManager, requests: list[str]) -> None:
    """Two requests of the job, and one that tells the watch list."""
    log = DecisionLogger(MemoryManager("scout", manager))
    own = log.log_decision(KIND, confidence=0.5, decided_at=NOW - timedelta(days=2))
    log.log_outcome(own, KIND, True)
    for _ in range(2):  # the first archive of all leaves its marks to a second run
        assert deliver(consolidation_worker.handler, {"agent_id": "scout"}) == []
    requests.clear()
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}) == []
    assert requests == ["Query", "Query", "UpdateItem"]
