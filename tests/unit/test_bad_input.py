"""Bad input gets a clear error, and nothing is written."""

import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    ForeignDecisionError,
    InvalidAgentIdError,
    InvalidCursorError,
    InvalidDecisionIdError,
    InvalidInputError,
    MemoryManager,
    MultiAgentCoordinator,
    PatternLearner,
    new_decision_id,
)
from daybook.store import DECISIONS
from daybook.store.expressions import equals
from daybook.testing import local_aws

KIND = DecisionType.RISK_ASSESSMENT


@pytest.fixture(scope="module")
def manager() -> Iterator[AWSClientManager]:
    """Give a client manager on moto."""
    with local_aws() as made:
        yield made


@pytest.fixture
def log(manager: AWSClientManager) -> Iterator[DecisionLogger]:
    """Give a logger, and check afterwards that nothing was written."""
    log = DecisionLogger(MemoryManager("careful", manager))
    yield log
    assert list(manager.store.query(DECISIONS, equals("pk", "careful"))) == []


def nested(levels: int) -> dict[str, Any]:
    """Make a dict inside a dict inside a dict."""
    context: dict[str, Any] = {}
    for _ in range(levels):
        context = {"in": context}
    return context


def endless() -> dict[str, Any]:
    """Make a dict that contains itself."""
    context: dict[str, Any] = {}
    context["self"] = context
    return context


BAD_DECISIONS: list[tuple[dict[str, Any], str]] = [
    ({"context": {"market": {"price": float("nan")}}}, r"context\.market: price: nan is not JSON"),
    ({"context": {"prices": [1.0, float("inf")]}}, r"prices: 1: inf is not JSON"),
    ({"context": {"x": Decimal(1)}}, "a Decimal is not JSON"),
    ({"context": {"x": datetime(2026, 1, 1, tzinfo=UTC)}}, "a datetime is not JSON"),
    ({"context": {"x": {1: "a"}}}, "keys must be text"),
    ({"context": {1: "a"}}, "Keys should be strings"),
    ({"context": {"x": "\ud800"}}, "surrogate"),
    ({"context": {"x": b"raw"}}, "a bytes is not JSON"),
    ({"context": nested(1000)}, "nested more than 64 levels"),
    ({"context": endless()}, "nested more than 64 levels"),
    ({"context": {"market": []}}, r"context\.market: must be a mapping"),
    ({"context": {"cycle": "one"}}, r"context\.cycle"),
    ({"context": "up"}, "context"),
    ({"confidence": 1.01}, "confidence: .*less than or equal to 1"),
    ({"confidence": -0.01}, "confidence: .*greater than or equal to 0"),
    ({"confidence": float("nan")}, "confidence: .*finite"),
    ({"confidence": float("inf")}, "confidence"),
    ({"confidence": "high"}, "confidence: .*number"),
    ({"confidence": True}, "confidence: .*number"),
    ({"confidence": None}, "confidence"),
    ({"decision_type": "guess"}, "'guess' is unknown: use one of source_selection"),
    ({"decision_type": None}, "None is unknown"),
    ({"scores": {"a": float("nan")}}, r"scores\.a: .*finite"),
    ({"scores": {"a": "high"}}, r"scores\.a"),
    ({"scores": [1.0]}, "scores"),
    ({"options": ["a"], "selected": ["b"]}, "selected names 'b', which is not an option"),
    ({"options": ["a"], "scores": {"b": 1.0}}, "scores names 'b', which is not an option"),
    ({"options": ["a", "a"]}, "the same option twice"),
    ({"options": [1]}, r"options\.0"),
    ({"options": 3}, "options"),
    ({"options": [""]}, r"options\.0"),
    ({"propensity": 0.0}, "propensity"),
    ({"propensity": 1.5}, "propensity"),
    ({"tags": [3]}, r"tags\.0"),
    ({"session_id": "s" * 300}, "session_id"),
    ({"decided_at": datetime(2026, 1, 1)}, "has no time zone"),  # noqa: DTZ001
    ({"decided_at": "2026-01-01"}, "decided_at"),
    ({"decided_at": datetime(1969, 12, 31, tzinfo=UTC)}, "before 1970"),
    ({"decided_at": datetime.now(UTC) + timedelta(hours=1)}, "check the agent's clock"),
    ({"parent_decision_id": "root"}, "parent_decision_id: 'root' is not a decision id"),
    ({"parent_decision_id": "x" * 10_000}, r"10002 characters\) is not a decision id"),
    ({"decision_id": new_decision_id("somebody")}, "belongs to the agent 'somebody'"),
    ({"decision_id": "0190-x"}, "decision_id: '0190-x' is not a decision id"),
    ({"surprise": 1}, "surprise"),
    ({"rationale": "\ud800"}, "rationale: .*surrogate"),
    ({"context": {"x": 10**5000}}, "x: is an integer of over"),
    ({"scores": []}, "scores"),
    ({"decided_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, "calendar"),
    ({"decision_id": "ffffffff-ffff-7fff-bfff-ffffffffffff@careful"}, "is not a decision id"),
]


@pytest.mark.parametrize(("parts", "says"), BAD_DECISIONS)
def test_bad_decisions(log: DecisionLogger, parts: dict[str, Any], says: str) -> None:
    """Each fault is named with its place, in a message that a person can read."""
    good: dict[str, Any] = {"decision_type": KIND, "confidence": 0.5}
    with pytest.raises(InvalidInputError, match=says) as caught:
        log.log_decision(**(good | parts))
    assert len(str(caught.value)) < 600


def test_a_decision_cannot_be_its_own_parent(log: DecisionLogger) -> None:
    """The shortest cycle is refused at once."""
    own = new_decision_id("careful")
    with pytest.raises(InvalidInputError, match="is the decision itself"):
        log.log_decision(KIND, confidence=0.5, decision_id=own, parent_decision_id=own)


def test_an_id_and_a_time_must_agree(log: DecisionLogger) -> None:
    """An id made for one moment does not go with another."""
    own = new_decision_id("careful", datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidInputError, match="leave decided_at out"):
        log.log_decision(
            KIND, confidence=0.5, decision_id=own, decided_at=datetime(2026, 1, 2, tzinfo=UTC)
        )


BAD_OUTCOMES: list[tuple[dict[str, Any], str]] = [
    ({"success": "yes"}, "success"),
    ({"success": 1}, "success"),
    ({"quality_score": 1.1}, "quality_score"),
    ({"quality_score": float("nan")}, "quality_score"),
    ({"latency_ms": -1.0}, "latency_ms"),
    ({"latency_ms": float("inf")}, "latency_ms"),
    ({"decision_type": "guess"}, "'guess' is unknown"),
    ({"error": 3}, "error"),
    ({"details": {"x": float("nan")}}, "details: x: nan"),
    ({"details": [1]}, "details"),
    ({"details": []}, "details"),
    ({"error": "\ud800"}, "error: .*surrogate"),
    ({"decision_id": "nothing"}, "is not a decision id"),
    ({"decision_id": None}, "decision_id"),
]


@pytest.mark.parametrize(("parts", "says"), BAD_OUTCOMES)
def test_bad_outcomes(log: DecisionLogger, parts: dict[str, Any], says: str) -> None:
    """An outcome is checked before its decision is looked up."""
    good: dict[str, Any] = {
        "decision_id": new_decision_id("careful"),
        "decision_type": KIND,
        "success": True,
        "quality_score": 0.5,
        "latency_ms": 1.0,
    }
    with pytest.raises(InvalidInputError, match=says):
        log.log_outcome(**(good | parts))


def test_an_outcome_goes_into_ones_own_log(log: DecisionLogger) -> None:
    """Another agent's decision is that agent's to close."""
    with pytest.raises(ForeignDecisionError, match="belongs to the agent 'somebody'"):
        log.log_outcome(new_decision_id("somebody"), KIND, True, 0.5, 1.0)


@pytest.mark.parametrize(
    "agent_id",
    ["", "a#b", "a" * 129, "x" * 10_240, "a b", "a\n", "\x00", "é", "a/b", None, 7, b"a"],
)
def test_hostile_agent_ids(manager: AWSClientManager, agent_id: Any) -> None:
    """No agent id can carry a separator, a control character or a novel."""
    with pytest.raises(InvalidAgentIdError, match="use 1 to 128 characters") as caught:
        MemoryManager(agent_id, manager)
    assert len(str(caught.value)) < 200
    assert "\x00" not in str(caught.value)


BAD_READS: list[tuple[Callable[[DecisionLogger], object], type[Exception], str]] = [
    (lambda log: log.get_decision("x"), InvalidDecisionIdError, "is not a decision id"),
    (lambda log: log.get_decision(None), InvalidDecisionIdError, "is text"),  # type: ignore[arg-type]
    (lambda log: log.get_decision_chain("x"), InvalidDecisionIdError, "not a decision id"),
    (lambda log: log.get_children("x"), InvalidDecisionIdError, "not a decision id"),
    (lambda log: log.query_decisions("guess"), InvalidInputError, "'guess' is unknown"),
    (lambda log: log.query_decisions(tier="old"), InvalidInputError, "'old' is unknown"),
    (lambda log: log.query_decisions(limit=-1), InvalidInputError, "limit is -1"),
    (lambda log: log.query_decisions(limit=True), InvalidInputError, "limit is True"),
    (
        lambda log: log.query_decisions(since=datetime(2026, 1, 1)),  # noqa: DTZ001
        InvalidInputError,
        "has no time zone",
    ),
    (
        lambda log: log.query_decisions(
            since=datetime(2026, 1, 2, tzinfo=UTC), until=datetime(2026, 1, 1, tzinfo=UTC)
        ),
        InvalidInputError,
        "since is later than until",
    ),
    (lambda log: log.page_decisions(limit=0), InvalidInputError, "limit is 0"),
    (lambda log: log.page_decisions(limit=1001), InvalidInputError, "limit is 1001"),
    (lambda log: log.page_decisions(cursor="%%%"), InvalidCursorError, "is damaged"),
    (lambda log: log.page_decisions(cursor=""), InvalidCursorError, "is damaged"),
    (lambda log: log.page_decisions(cursor="W10"), InvalidCursorError, "is damaged"),
    (lambda log: log.page_decisions(cursor="é"), InvalidCursorError, "is damaged"),
    (lambda log: log.get_decision_stats(0), InvalidInputError, "above 0"),
    (lambda log: log.get_decision_stats(float("nan")), InvalidInputError, "above 0"),
    (lambda log: log.get_decision_stats("day"), InvalidInputError, "above 0"),  # type: ignore[arg-type]
    (lambda log: log.get_decision_stats(24, "guess"), InvalidInputError, "'guess' is unknown"),
]


@pytest.mark.parametrize(("read", "error", "says"), BAD_READS)
def test_bad_reads(
    log: DecisionLogger,
    read: Callable[[DecisionLogger], object],
    error: type[Exception],
    says: str,
) -> None:
    """A wrong question is told at the call, not at the first answer."""
    with pytest.raises(error, match=says):
        read(log)


@pytest.mark.parametrize(
    "where", [{"region": "not a region!"}, {"endpoint_url": "nonsense"}], ids=str
)
def test_places_that_cannot_be(where: dict[str, str]) -> None:
    """A region or an endpoint that is none is told as such."""
    with pytest.raises(InvalidInputError, match="no client can be made for"):
        MemoryManager("a", AWSClientManager(**where))  # type: ignore[arg-type]


HANDLES: list[tuple[Callable[..., object], tuple[object, ...], str]] = [
    (DecisionLogger, ("desk",), r"'desk' is no MemoryManager: pass MemoryManager\(agent_id\)"),
    (DecisionLogger, (None,), "None is no MemoryManager"),
    (PatternLearner, ("x",), "'x' is no MemoryManager"),
    (MemoryManager, ("a", "eu-west-1"), "'eu-west-1' is no AWSClientManager: pass get_client_m"),
    (MemoryManager, ("a", ""), "'' is no AWSClientManager"),
    (MultiAgentCoordinator, ("x",), "'x' is no AWSClientManager"),
]


@pytest.mark.parametrize(("make", "given", "says"), HANDLES)
def test_handles_made_of_something_else(
    make: Callable[..., object], given: tuple[object, ...], says: str
) -> None:
    """What a handle cannot be made of is told when it is made, with what to pass."""
    with pytest.raises(InvalidInputError, match=says):
        make(*given)


def test_handles_are_not_pickled(log: DecisionLogger) -> None:
    """Another process is told to make its own, before and after connections are there."""
    for handle in (AWSClientManager(), log.memory.client_manager, log.memory, log):
        with pytest.raises(TypeError, match="make the handle in the process that uses it"):
            pickle.dumps(handle)


def test_cursors_belong_to_their_query(manager: AWSClientManager) -> None:
    """A cursor of another filter, or of another agent, is refused."""
    log = DecisionLogger(MemoryManager("turner", manager))
    for _ in range(3):
        log.log_decision(KIND, confidence=0.5)
    cursor = log.page_decisions(limit=1).cursor
    other = DecisionLogger(MemoryManager("other", manager))
    assert cursor is not None
    with pytest.raises(InvalidCursorError, match="another query"):
        log.page_decisions(KIND, limit=1, cursor=cursor)
    with pytest.raises(InvalidCursorError, match="another query"):
        other.page_decisions(limit=1, cursor=cursor)
    assert len(log.page_decisions(limit=2, cursor=cursor).decisions) == 2
