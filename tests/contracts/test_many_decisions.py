"""What logging many decisions at once must do on every backend: what logging each would."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    DecisionConflictError,
    DecisionLogger,
    DecisionType,
    ForeignDecisionError,
    InvalidInputError,
    MemoryManager,
    new_decision_id,
)
from tests.clocks import Clock
from tests.contracts.decisions import EVERYTHING

RISK = DecisionType.RISK_ASSESSMENT


def plain(confidence: float, **more: Any) -> Any:
    """Return the arguments of a decision."""
    return {"decision_type": RISK, "confidence": confidence, **more}


def test_each_is_as_if_logged_by_itself(log: DecisionLogger, clock: Clock) -> None:
    """Over more than one batch, in the order of the list, with all that a decision can carry."""
    ids = log.log_decisions([EVERYTHING, *(plain(number / 100) for number in range(60))])
    assert ids == sorted(set(ids))
    first, *others = (log.get_decision(each) for each in ids)
    assert [each.reasoning.confidence for each in others] == [n / 100 for n in range(60)]
    alone = log.get_decision(log.log_decision(**EVERYTHING))
    aside = {"decision_id", "decided_at"}
    assert first.model_dump(exclude=aside) == alone.model_dump(exclude=aside)
    assert {each.arrived_at for each in others} == {clock()}


def test_none(log: DecisionLogger) -> None:
    """An empty list is no fault."""
    assert log.log_decisions([]) == []


@pytest.mark.parametrize(
    ("faulty", "where"),
    [
        (plain(1.5), "confidence"),
        ({"decision_type": RISK}, "confidence"),
        (plain(0.5, decisionId="x"), "decisionId"),
        (plain(0.5, decided_at=datetime(2999, 1, 1, tzinfo=UTC)), "decided_at"),
    ],
)
def test_a_faulty_one_is_named_and_none_is_written(
    log: DecisionLogger, faulty: Any, where: str
) -> None:
    """By its place in the list."""
    with pytest.raises(InvalidInputError, match=r"decisions\.1: ") as told:
        log.log_decisions([plain(0.5), faulty, plain(0.5)])
    assert [place for place, _ in told.value.problems] == [f"decisions.1.{where}"]
    assert next(log.query_decisions(), None) is None


def test_all_faulty_ones_are_named(log: DecisionLogger) -> None:
    """At once, and not one after the other."""
    with pytest.raises(InvalidInputError) as told:
        log.log_decisions([plain(2), plain(0.5), {"confidence": 3}])
    assert {place for place, _ in told.value.problems} == {
        "decisions.0.confidence",
        "decisions.2.decision_type",
        "decisions.2.confidence",
    }


@pytest.mark.parametrize("thing", [None, "risk_assessment", {1: 2}, ["confidence"]])
def test_what_is_no_decision(log: DecisionLogger, thing: Any) -> None:
    """The error says what to pass."""
    with pytest.raises(InvalidInputError, match="pass a mapping"):
        log.log_decisions([thing])


@pytest.mark.parametrize("thing", [None, 5, "", {}, plain(0.5)])
def test_what_is_no_list(log: DecisionLogger, thing: Any) -> None:
    """One mapping is a likely slip, and an empty one is no empty list."""
    with pytest.raises(InvalidInputError, match="pass a list"):
        log.log_decisions(thing)


def test_ids_handed_in_again_count_once(
    log: DecisionLogger, client_manager: AWSClientManager
) -> None:
    """As after a failure; a different decision under such an id is refused."""
    own = [new_decision_id(log.memory.agent_id, client_manager.clock()) for _ in range(3)]
    said = [plain(0.1 * place, decision_id=each) for place, each in enumerate(own)]
    assert log.log_decisions(said[:2]) == own[:2]
    assert log.log_decisions([*said, plain(0.9)])[:3] == own
    assert len(list(log.query_decisions())) == 4
    new = [plain(0.3), plain(0.7, decision_id=own[0])]
    with pytest.raises(DecisionConflictError) as told:
        log.log_decisions(new)
    ids = list(told.value.decision_ids)
    assert log.log_decisions([new[0] | {"decision_id": ids[0]}]) == ids[:1]
    assert len(list(log.query_decisions())) == 5
    foreign = new_decision_id("somebody-else", client_manager.clock())
    with pytest.raises(ForeignDecisionError):
        log.log_decisions([plain(0.7, decision_id=foreign)])


def test_a_large_one_and_a_late_one_among_others(
    log: DecisionLogger, clock: Clock, has_bucket: bool
) -> None:
    """The one goes to S3, where there is one; the other keeps its time."""
    draw = random.Random(1)  # noqa: S311 - no secrets here
    large = {"noise": draw.randbytes(500_000 if has_bucket else 50_000).hex()}
    before = clock() - timedelta(days=3)
    ids = log.log_decisions([plain(0.1), plain(0.2, context=large), plain(0.3, decided_at=before)])
    assert log.get_decision(ids[1]).context.as_dict() == large
    assert log.get_decision(ids[2]).decided_at == before
    assert len(list(log.query_decisions())) == 3


def test_in_a_block_they_are_its_children(log: DecisionLogger) -> None:
    """Unless they name a parent, or None."""
    with log.deciding(RISK, confidence=0.5) as block:
        ids = log.log_decisions([plain(0.1), plain(0.2, parent_decision_id=None)])
    parents = [log.get_decision(each).parent_decision_id for each in ids]
    assert parents == [block.decision_id, None]


def test_by_way_of_a_spool(client_manager: AWSClientManager, tmp_path: Path) -> None:
    """Ids made for them and ids handed in, through the disk."""
    agent = f"agent-{uuid4().hex}"
    with MemoryManager(agent, client_manager, spool=tmp_path / "spool.db") as memory:
        log = DecisionLogger(memory)
        own = new_decision_id(agent, client_manager.clock())
        said = [plain(0.1, decision_id=own), *(plain(number / 100) for number in range(60))]
        ids = log.log_decisions(said)
        again = log.log_decisions(said[:1])
        assert memory.flush(30)
        assert again == ids[:1] == [own]
        assert {each.decision_id for each in log.query_decisions()} == set(ids)
        assert memory.spool is not None
        assert memory.spool.status().set_aside == 0
