"""Any pipeline with memory around it: used, and never in the way."""

import asyncio
import functools
import logging
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from daybook import (
    AWSClientManager,
    InvalidInputError,
    LearningOrchestrator,
    MemoryManager,
    MemoryTool,
    TaskType,
)
from daybook.settings import Settings
from daybook.testing import local_aws
from daybook.workflows.guard import Guard

REQUEST = "Write unit tests for the parser"


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine; one that hangs fails."""

    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await work

    return asyncio.run(bounded())


@pytest.fixture(scope="module")
def manager() -> Iterator[AWSClientManager]:
    """Give a client manager on moto, for all of this module."""
    with local_aws() as made:
        yield made


@pytest.fixture
def tool(manager: AWSClientManager) -> MemoryTool:
    """Give the tool of an agent that nobody else uses."""
    return MemoryTool(MemoryManager(f"agent-{uuid4().hex}", manager))


async def plan(value: str) -> str:
    """Do an async step."""
    return f"{value}|plan"


def write(value: str) -> str:
    """Do a sync step."""
    return f"{value}|write"


def test_the_second_run_uses_the_first_ones_best_pattern(tool: MemoryTool) -> None:
    """Of two workflows the one that did well is followed, whatever the pipeline's own order."""

    async def go() -> None:
        orchestrator = LearningOrchestrator(tool)
        first = await orchestrator.run(REQUEST, {"plan": plan, "write": write}, cost=0.1)
        assert (first.task_type, first.pattern) == (TaskType.TESTING, None)
        assert first.result == f"{REQUEST}|plan|write"
        with pytest.raises(ZeroDivisionError):
            await orchestrator.run(
                "Test the lexer", {"write": write, "look": lambda _: 1 / 0}, session_id="mine"
            )
        steps = {"look": lambda _: 1 / 0, "write": write, "plan": plan}
        second = await orchestrator.run("Add tests for the lexer", steps)
        assert second.pattern is not None
        assert second.pattern.workflow_steps == ["plan", "write"]
        assert second.steps == ("plan", "write")
        assert second.result == "Add tests for the lexer|plan|write"
        other = await orchestrator.run("Deploy it to production", {"write": write, "plan": plan})
        assert (other.task_type, other.pattern, other.steps) == (
            TaskType.DEPLOYMENT,
            None,
            ("write", "plan"),
        )
        metrics = await tool.get_learning_metrics()
        assert (metrics.total, metrics.successful) == (4, 3)
        assert metrics.retrieval_accuracy == 1.0

    run(go())


def test_the_cycle_leaves_its_traces(tool: MemoryTool) -> None:
    """A session is made where none is named, remembers the run, is closed and compacted."""

    async def go() -> None:
        done = await LearningOrchestrator(tool).run(REQUEST, [plan, write], metadata={"pr": 7})
        (session,) = await tool.list_sessions()
        assert session.session_id == done.session_id
        assert session.closed_at is not None
        (memory,) = await tool.read_session(done.session_id)
        assert memory.content["steps"] == ["plan", "write"]
        assert memory.content["decision_id"] == done.decision_id
        decision = tool.sync.memory.get_decision(done.decision_id or "")
        assert decision.session_id == done.session_id
        assert decision.outcome is not None
        assert decision.outcome.details["metadata"] == {"pr": 7}

    run(go())


def test_a_session_of_the_callers_is_compacted_now_and_then(tool: MemoryTool) -> None:
    """After every third run here; it stays open."""

    async def go() -> None:
        orchestrator = LearningOrchestrator(tool, compact_after=3)
        for number in range(5):
            await orchestrator.run(REQUEST, [plan], session_id="mine")
            compacted = tool.sync.memory.session_content("mine").decompressed_in is not None
            assert compacted is (number >= 2)
        assert len(await tool.read_session("mine")) == 5
        assert (await tool.list_sessions())[0].closed_at is None

    run(go())


def test_a_failing_pipeline(tool: MemoryTool) -> None:
    """Its error comes out as it is, and the run is stored as an unsuccessful one."""
    fault = ValueError("the lexer is out")

    def broken(_: str) -> str:
        raise fault

    async def go() -> None:
        orchestrator = LearningOrchestrator(tool)
        for steps in ([plan, broken], [broken]):
            with pytest.raises(ValueError, match="the lexer is out") as caught:
                await orchestrator.run(REQUEST, steps)
            assert caught.value is fault
        found = await tool.get_task_success_metrics("testing")
        assert (found.total, found.successful) == (2, 0)
        newest = tool.sync.memory.workflow_runs("testing")[0]
        outcome = tool.sync.memory.get_decision(newest.decision_id).outcome
        assert outcome is not None
        assert outcome.error == "ValueError: the lexer is out"

    run(go())


def test_a_cancelled_request_is_not_stored(tool: MemoryTool) -> None:
    """Nobody knows how it would have gone."""

    async def go() -> None:
        started = asyncio.Event()

        async def endless(_: str) -> None:
            started.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(LearningOrchestrator(tool).run(REQUEST, [endless]))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await tool.get_task_success_metrics("testing")).total == 0

    run(go())


def test_steps_of_every_kind(tool: MemoryTool) -> None:
    """Async, sync, what returns an awaitable, an object that is called; StopIteration too."""

    class Stamp:
        def __call__(self, value: str) -> str:
            return f"{value}|stamp"

    async def go() -> None:
        execute = LearningOrchestrator(tool).wrap(
            [plan, ("again", functools.partial(plan)), Stamp()]
        )
        assert await execute("Hello") == "Hello|plan|plan|stamp"
        with pytest.raises(RuntimeError, match="StopIteration"):
            await LearningOrchestrator(tool).run("Hello", {"end": lambda _: next(iter(()))})

    run(go())


@pytest.mark.parametrize(
    "bad",
    [[], {}, "plan", None, ["plan"], [print, print], {"": print}, {"a": 1}],
    ids=["none", "empty", "text", "nothing", "name", "twice", "unnamed", "number"],
)
def test_what_is_no_pipeline(tool: MemoryTool, bad: Any) -> None:
    """Is refused before anything is done."""
    with pytest.raises(InvalidInputError):
        run(LearningOrchestrator(tool).run(REQUEST, bad))


@pytest.mark.parametrize(
    "said",
    [
        {"optimization_target": "speed"},
        {"scope": "session"},
        {"patience": 0},
        {"compact_after": 0},
        {"compact_after": 1.5},
        {"classify": "testing"},
    ],
    ids=["target", "scope", "patience", "zero", "part", "classify"],
)
def test_bad_settings(tool: MemoryTool, said: dict[str, Any]) -> None:
    """One clear error; and an orchestrator is made of a tool."""
    with pytest.raises(InvalidInputError):
        LearningOrchestrator(tool, **said)
    with pytest.raises(InvalidInputError, match="MemoryTool"):
        LearningOrchestrator(tool.sync)  # type: ignore[arg-type]


def test_the_classifier_can_be_replaced(tool: MemoryTool) -> None:
    """By any function; one that fails, or says what is no type, costs nothing but its word."""

    def broken(_: str) -> TaskType:
        raise OSError("no model")

    async def kind(classify: Callable[[str], Any]) -> TaskType:
        done = await LearningOrchestrator(tool, classify=classify).run(REQUEST, [plan])
        return done.task_type

    assert run(kind(lambda _: TaskType.DEBUGGING)) is TaskType.DEBUGGING
    assert run(kind(broken)) is TaskType.GENERAL
    assert run(kind(lambda _: "cooking")) is TaskType.GENERAL
    failures = tool.sync.measures.failures
    assert failures.value(namespace="default", call="classify") == 2


@contextmanager
def refusing() -> Iterator[str]:
    """Give the URL of a port that refuses connections."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{found.getsockname()[1]}"


@contextmanager
def black_hole() -> Iterator[str]:
    """Give the URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        server.settimeout(0.1)
        held: list[socket.socket] = []
        over = threading.Event()

        def take() -> None:
            while not over.is_set():
                try:
                    held.append(server.accept()[0])
                except TimeoutError:
                    continue

        taking = threading.Thread(target=take)
        taking.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            taking.join()
            for each in held:
                each.close()


def tool_at(url: str) -> MemoryTool:
    """Give the tool of an agent whose DynamoDB is at this URL."""
    return MemoryTool(
        MemoryManager("agent", AWSClientManager(endpoint_url=url, settings=Settings()))
    )


@pytest.mark.parametrize("trouble", [refusing, black_hole])
def test_without_dynamodb_the_request_goes_on(
    trouble: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Refused or unanswered: the result is there within the patience, told and counted."""
    patience = 0.6

    async def go(tool: MemoryTool) -> None:
        orchestrator = LearningOrchestrator(tool, patience=patience)
        began = time.monotonic()
        done = await orchestrator.run(REQUEST, [plan, write])
        assert time.monotonic() - began < patience + 1.0
        assert (done.result, done.decision_id) == (f"{REQUEST}|plan|write", None)
        with pytest.raises(ZeroDivisionError):
            await orchestrator.run(REQUEST, {"bad": lambda _: 1 / 0})

    with trouble() as url, caplog.at_level(logging.WARNING, "daybook"):
        tool = tool_at(url)
        # the first client of a process takes its time to be made
        assert tool.sync.memory.store is not None
        began = time.monotonic()
        run(go(tool))
        # neither the loop nor its pool waits for what does not answer
        assert time.monotonic() - began < 2 * (patience + 1.0)
    failures = tool.sync.measures.failures
    for call in ("recall", "store"):
        assert failures.value(namespace="default", call=call) == 2
    assert "memory failed at recall, and the request goes on" in caplog.text


class Throttled:
    """A DynamoDB that throttles whatever it is asked."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return an operation."""

        def refuse(**_: object) -> None:
            error: Any = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}
            raise ClientError(error, name)

        return refuse


def test_throttled_the_request_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """What AWS refuses is told in Daybook's words, and counted."""
    client: Any = Throttled()
    manager = AWSClientManager(dynamodb=client, settings=Settings())
    tool = MemoryTool(MemoryManager("agent", manager))
    with caplog.at_level(logging.WARNING, "daybook"):
        done = run(LearningOrchestrator(tool, patience=0.4).run(REQUEST, [plan]))
    assert (done.result, done.decision_id) == (f"{REQUEST}|plan", None)
    assert "AWS kept throttling" in caplog.text
    for call in ("recall", "store"):
        assert tool.sync.measures.failures.value(namespace="default", call=call) == 1


def test_waiting_without_a_guard_takes_long() -> None:
    """The control: the same call, unguarded, does not answer within the patience."""
    with black_hole() as url:
        tool = tool_at(url)
        worker = threading.Thread(target=lambda: failing(tool), daemon=True)
        worker.start()
        worker.join(1.0)
        assert worker.is_alive()


def failing(tool: MemoryTool) -> None:
    """Ask for patterns, and take the error."""
    with pytest.raises(Exception, match="querying"):
        tool.sync.retrieve_workflow_patterns("testing")


def test_calls_that_hang_do_not_pile_up(tool: MemoryTool) -> None:
    """As many threads wait as are allowed; the next call fails at once, and others go on later."""
    release = threading.Event()

    async def go() -> None:
        guard = Guard(tool.sync.measures, "default", most_under_way=2)
        hung = [guard.call("hang", release.wait, 0.05) for _ in range(2)]
        assert await asyncio.gather(*hung) == [(False, None)] * 2
        began = time.monotonic()
        assert await guard.call("next", lambda: 1, 5.0) == (False, None)
        assert time.monotonic() - began < 1.0
        release.set()
        for _ in range(100):
            answered = await guard.call("later", lambda: 1, 5.0)
            if answered == (True, 1):
                return
            await asyncio.sleep(0.01)
        pytest.fail("no call went through after the others had ended")

    run(go())
