"""What is larger than the API carries: compressed, in parts, or refused by a sentence."""

from uuid import uuid4

import pytest

from daybook import (
    BodyTooLargeError,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    MemoryPattern,
    PatternType,
)
from tests.unit.doors.conftest import Behind, through


def test_large_bodies_are_compressed(behind: Behind) -> None:
    """20 MB of ordinary JSON go through both ways; what hardly compresses ends with an error."""
    log = DecisionLogger(through(behind, "scout", "scout"))
    context = {"prices": [{"symbol": "BTC", "at": n, "close": n / 8} for n in range(400_000)]}
    logged = log.log_decision("other", confidence=0.5, context=context)
    assert log.get_decision(logged).context.as_dict() == context
    assert [d.decision_id for d in log.query_decisions()] == [logged]
    noise = {"noise": "".join(uuid4().hex for _ in range(400_000))}
    with pytest.raises(BodyTooLargeError, match="door='tables'"):
        log.log_decision("other", confidence=0.5, context=noise)


def test_pages_past_what_an_answer_carries(behind: Behind) -> None:
    """A page that is too large comes in parts; one decision that is too large is told."""
    manager, _ = behind
    direct = DecisionLogger(MemoryManager("scout", manager))
    noise = ["".join(uuid4().hex for _ in range(60_000)) for _ in range(6)]
    made = [direct.log_decision("other", confidence=0.5, context={"n": n}) for n in noise]
    log = DecisionLogger(through(behind, "scout", "scout"))
    assert [d.decision_id for d in log.query_decisions()] == made[::-1]
    whale = "".join(uuid4().hex for _ in range(400_000))
    direct.log_decision("other", confidence=0.5, context={"n": whale})
    with pytest.raises(BodyTooLargeError, match="door='tables'"):
        list(log.query_decisions())


def test_a_state_that_no_answer_carries(behind: Behind) -> None:
    """It is neither rolled back nor taken over: nobody is fenced off by a call that fails."""
    direct = MemoryManager("scout", behind[0])
    direct.save_state({"noise": "".join(uuid4().hex for _ in range(400_000))})
    kept = direct.create_checkpoint()
    memory = through(behind, "scout", "scout")
    with pytest.raises(BodyTooLargeError, match="door='tables'"):
        memory.load_state(take_over=True)
    direct.save_state({"n": 2}, 1)
    for checkpoint_id in (None, kept.checkpoint_id):
        with pytest.raises(BodyTooLargeError, match="door='tables'"):
            memory.rollback(checkpoint_id)
    taken = memory.load_state(take_over=True)
    assert taken is not None
    assert (taken.version, taken.data) == (3, {"n": 2})
    assert len(direct.list_checkpoints()) == 1


def test_what_is_done_is_said(behind: Behind) -> None:
    """Also when the answer is too large: a pattern is retired, and the error says so."""
    direct = MemoryManager("scout", behind[0])
    whale = MemoryPattern(
        pattern_id="p1",
        agent_id="scout",
        pattern_type=PatternType.SUCCESS,
        decision_type=DecisionType.OTHER,
        choice="a",
        success_rate=0.7,
        baseline_rate=0.5,
        sample_size=300,
        confidence=0.6,
        user_metadata={"noise": "".join(uuid4().hex for _ in range(400_000))},
        created_at=direct.clock(),
        updated_at=direct.clock(),
    )
    direct.store_pattern(whale)
    memory = through(behind, "scout", "scout")
    with pytest.raises(BodyTooLargeError, match=r"^the answer is"):
        memory.get_pattern("p1")
    with pytest.raises(BodyTooLargeError, match="what was asked is done"):
        memory.retire_pattern("p1")
    assert direct.get_pattern("p1").retired_at
