"""What decisions that log themselves must do on every backend."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from daybook import (
    DecisionLogger,
    DecisionNotFoundError,
    DecisionType,
    carrying,
    current_decision,
    decision,
)
from tests.clocks import Clock

RISK = DecisionType.RISK_ASSESSMENT


def test_a_block(log: DecisionLogger, clock: Clock) -> None:
    """It reads back with everything that was said in it, made when it began."""
    began = clock()
    with log.deciding(RISK, options=["half", "full"], context={"market": {"vix": 31.5}}) as d:
        clock.advance(minutes=5)
        d.select("half", scores={"half": 0.6, "full": 0.4}, confidence=0.8)
        d.outcome(True, 0.9, details={"filled": 100})
    read = log.get_decision(d.decision_id)
    assert (read.decided_at, read.arrived_at) == (began, clock())
    assert read.reasoning.selected == ["half"]
    assert read.reasoning.scores == {"half": 0.6, "full": 0.4}
    assert read.context.market == {"vix": 31.5}
    assert read.outcome is not None
    assert (read.outcome.success, read.outcome.quality_score) == (True, 0.9)
    assert read.outcome.details == {"filled": 100}
    assert read.outcome.latency_ms is not None
    assert log.get_decision_stats()["with_outcome"] == 1


def test_an_exception(log: DecisionLogger) -> None:
    """It is a failure in the log, and found as one."""
    with pytest.raises(ZeroDivisionError), log.deciding(RISK, confidence=0.5):
        _ = 1 / 0
    (failed,) = log.query_decisions(success=False)
    assert failed.outcome is not None
    assert failed.outcome.error == "ZeroDivisionError: division by zero"


def test_chains_through_blocks_calls_and_threads(log: DecisionLogger) -> None:
    """Root to leaf: a block, a decorated call, another thread, a loop, and one by hand."""
    leaves: list[str] = []

    @decision(RISK, log=log)
    def choose(size: int) -> str:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(carrying(elsewhere)).result()
        return "half" if size else "none"

    def elsewhere() -> None:
        with log.deciding(RISK, confidence=0.5, tags=["elsewhere"]):
            asyncio.run(in_a_loop())

    async def in_a_loop() -> None:
        async with log.deciding(RISK, confidence=0.5, tags=["loop"]):
            leaves.append(log.log_decision(RISK, confidence=0.5, tags=["hand"]))

    with log.deciding(RISK, confidence=0.5, tags=["block"]):
        choose(3)
    assert current_decision() is None
    chain = log.get_decision_chain(leaves[0])
    assert [d.tags for d in chain] == [["block"], [], ["elsewhere"], ["loop"], ["hand"]]
    assert chain[1].context.as_dict() == {"size": 3}
    assert chain[1].reasoning.selected == ["half"]
    assert [d.outcome is None for d in chain] == [False] * 4 + [True]


def test_when_it_is_written(log: DecisionLogger) -> None:
    """Decided, before what is inside it; undecided, at the end."""
    for chosen in ("x", ()):
        with log.deciding(RISK, selected=chosen, confidence=0.5) as outer:
            log.log_decision(RISK, confidence=0.5)
            if chosen:
                assert log.get_decision(outer.decision_id).outcome is None
            else:
                with pytest.raises(DecisionNotFoundError):
                    log.get_decision(outer.decision_id)
        assert len(log.get_children(outer.decision_id)) == 1
        assert log.get_decision(outer.decision_id).outcome is not None


def test_an_outcome_weeks_later(log: DecisionLogger, clock: Clock) -> None:
    """A block that waits for its outcome is an ordinary decision without one."""
    with log.deciding(RISK, confidence=0.5, outcome="later") as d:
        pass
    clock.advance(days=21)
    log.log_outcome(d.decision_id, RISK, success=True, quality_score=0.7)
    outcome = log.get_decision(d.decision_id).outcome
    assert outcome is not None
    assert outcome.quality_score == 0.7
