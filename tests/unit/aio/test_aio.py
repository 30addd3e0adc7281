"""The awaited verbs are the sync ones: same names, same words, same answers, same errors."""

import asyncio
import inspect
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AsyncDecisionLogger,
    AsyncMemoryManager,
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    OutcomeConflictError,
    StaleStateError,
    decision,
)
from daybook.aio import AsyncClaim
from daybook.deciding import current_decision
from daybook.signals import Claim

RISK = DecisionType.RISK_ASSESSMENT
EDGES = [
    (AsyncDecisionLogger, DecisionLogger),
    (AsyncMemoryManager, MemoryManager),
    (AsyncClaim, Claim),
]


@pytest.fixture
def memory(daybook_client_manager: AWSClientManager) -> MemoryManager:
    """Give the handle of an agent that nobody else uses."""
    return MemoryManager(f"agent-{uuid4().hex}", daybook_client_manager)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine; one that hangs fails."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


@pytest.mark.parametrize(("edge", "sync"), EDGES)
def test_each_verb_is_the_sync_one(edge: type, sync: type) -> None:
    """It says so by its signature and its words; `listen` leaves out what tests need."""
    verbs = [name for name in vars(edge) if not name.startswith("_")]
    assert verbs
    for name in set(verbs) - {"signal", "listen"}:
        ours, theirs = getattr(edge, name), getattr(sync, name)
        assert inspect.iscoroutinefunction(ours) or inspect.isasyncgenfunction(ours)
        assert list(inspect.signature(ours).parameters) == list(
            inspect.signature(theirs).parameters
        )
        assert ours.__doc__
    if edge is AsyncDecisionLogger:
        left = {"deciding", "active"}
        offered = {name for name in vars(sync) if not name.startswith("_")}
        assert offered - left == set(verbs)


def test_a_day_of_an_agent(memory: MemoryManager) -> None:
    """Decisions, outcomes, a state, a checkpoint, signals: awaited, and in the log."""

    async def day() -> None:
        log, mine = AsyncDecisionLogger(DecisionLogger(memory)), AsyncMemoryManager(memory)
        made = await asyncio.gather(
            *(log.log_decision(RISK, confidence=0.5, context={"n": n}) for n in range(30))
        )
        for decision_id in made:
            await log.log_outcome(decision_id, RISK, True)
        with pytest.raises(OutcomeConflictError):
            await log.log_outcome(made[0], RISK, False)
        found = [each.decision_id async for each in log.query_decisions()]
        assert sorted(found) == sorted(made)
        assert [each async for each in log.query_decisions(limit=2)]
        assert (await log.get_decision_stats())["with_outcome"] == 30
        state = await mine.save_state({"n": 1})
        with pytest.raises(StaleStateError):
            await mine.save_state({"n": 2}, expected_version=state.version + 1)
        await mine.create_checkpoint()
        assert (await mine.rollback()).data == {"n": 1}
        assert await mine.recall(RISK, {"a": 1}) == []
        await mine.register()
        await mine.publish_signal("request", {"n": 1}, targets=[memory.agent_id])
        (claim,) = await mine.claim_signals()
        async with claim as signal:
            assert signal.payload == {"n": 1}
        assert await mine.pending_signals() == []

    run(day())


def test_blocks_and_awaited_verbs_nest(memory: MemoryManager) -> None:
    """The thread knows the block around the await."""
    log = DecisionLogger(memory)

    @decision(RISK, log=log)
    async def judge() -> str:
        around = current_decision()
        assert around
        child = await AsyncDecisionLogger(log).log_decision(RISK, confidence=0.5)
        return f"{child} {around.decision_id}"

    async def work() -> None:
        child, parent = (await judge()).split()
        assert [each.decision_id for each in log.get_decision_chain(child)] == [parent, child]

    run(work())


def test_the_loop_goes_on(memory: MemoryManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a verb waits for the network."""

    def slow(_: object, made: object) -> object:
        time.sleep(0.3)
        return made

    monkeypatch.setattr("daybook.decisions.recording.record", slow)

    async def work() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        await AsyncDecisionLogger(DecisionLogger(memory)).log_decision(RISK, confidence=0.5)
        ticking.cancel()
        assert ticks > 3

    run(work())


def test_listening_ends(memory: MemoryManager) -> None:
    """By a break, by a cancellation in the middle of a wait, by its time; nothing is held."""
    mine = AsyncMemoryManager(memory)

    async def work() -> None:
        await mine.register()
        for number in range(3):
            await mine.publish_signal("request", {"n": number}, targets=[memory.agent_id])
        claims = mine.listen()
        async for claim in claims:
            await claim.ack()
            break
        await claims.aclose()  # type: ignore[attr-defined]
        # what was claimed ahead is given back at once
        assert len(await mine.pending_signals()) == 2
        for claim in await mine.claim_signals():
            await claim.ack()

        async def wait_for_more() -> None:
            async for _ in mine.listen(idle_min=20):
                pass

        waiting = asyncio.create_task(wait_for_more())
        await asyncio.sleep(0.3)
        began = time.monotonic()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert time.monotonic() - began < 10
        assert [claim async for claim in mine.listen(timeout=0.1)] == []

    run(work())


def test_a_spool_that_is_awaited(daybook_client_manager: AWSClientManager, tmp_path: Path) -> None:
    """Many tasks log at once, without holding up the loop; the end of the block drains."""
    agent = f"agent-{uuid4().hex}"

    async def work() -> None:
        handle = MemoryManager(agent, daybook_client_manager, spool=tmp_path / "spool.db")
        async with AsyncMemoryManager(handle):
            log = AsyncDecisionLogger(DecisionLogger(handle))
            await asyncio.gather(*(log.log_decision(RISK, confidence=0.5) for _ in range(50)))

    run(work())
    read = DecisionLogger(MemoryManager(agent, daybook_client_manager))
    assert len(list(read.query_decisions())) == 50
