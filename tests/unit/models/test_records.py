"""The records: strict, frozen, and seven enums that classify."""

import enum
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

import daybook
import daybook.errors
from daybook import (
    AgentSignal,
    AgentState,
    DecisionContext,
    DecisionRecord,
    DecisionType,
    InvalidInputError,
    MemoryPattern,
    MemoryTier,
    models,
    new_decision_id,
)
from daybook.decisions.queries import DecisionQuery
from daybook.models.base import Record
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.models.signals import AgentDescription, SignalDraft

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

DECISION: dict[str, Any] = {
    "decision_id": new_decision_id("a", NOW),
    "decision_type": "other",
    "reasoning": {"confidence": 0.5},
    "arrived_at": NOW,
}
PATTERN: dict[str, Any] = {
    "pattern_id": "p1",
    "agent_id": "a",
    "pattern_type": models.PatternType.SUCCESS,
    "decision_type": "strategy_selection",
    "choice": "momentum",
    "conditions": [
        {"feature": "market.trend", "op": models.ConditionOperator.EQ, "value": "up"},
    ],
    "success_rate": 0.7,
    "baseline_rate": 0.5,
    "sample_size": 300,
    "confidence": 0.64,
    "created_at": NOW,
    "updated_at": NOW,
}
STATE: dict[str, Any] = {"agent_id": "a", "version": 1, "data": {"x": [1.5]}, "updated_at": NOW}
SIGNAL: dict[str, Any] = {
    "signal_id": "0195508f-4a00-7000-8000-000000000000@a",
    "sender": "a",
    "signal_type": models.SignalType.RISK_ALERT,
    "payload": {"level": 3},
    "created_at": NOW,
    "expires_at": NOW + timedelta(hours=24),
}
RECORDS = [
    (DecisionRecord, DECISION),
    (MemoryPattern, PATTERN),
    (AgentState, STATE),
    (AgentSignal, SIGNAL),
]


@pytest.mark.parametrize(("kind", "fields"), RECORDS)
def test_records_are_frozen_and_closed(kind: type[Any], fields: dict[str, Any]) -> None:
    """A record cannot be changed, and takes no field that it does not know."""
    made = kind.checked(**fields)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, next(iter(fields)), None)
    with pytest.raises(InvalidInputError, match="surprise"):
        kind.checked(**fields, surprise=1)


@pytest.mark.parametrize(
    ("kind", "fields", "bad"),
    [
        (MemoryPattern, PATTERN, {"confidence": 1.5}),
        (MemoryPattern, PATTERN, {"sample_size": -1}),
        (MemoryPattern, PATTERN, {"evidence": ["x"]}),
        (MemoryPattern, PATTERN, {"shared_with": ["a#b"]}),
        (MemoryPattern, PATTERN, {"version": 0}),
        (MemoryPattern, PATTERN, {"created_at": datetime(2026, 1, 1)}),  # noqa: DTZ001
        (AgentState, STATE, {"version": 0}),
        (AgentState, STATE, {"data": {"x": float("nan")}}),
        (AgentState, STATE, {"data": [1]}),
        (AgentSignal, SIGNAL, {"sender": "a b"}),
        (AgentSignal, SIGNAL, {"targets": [""]}),
        (AgentSignal, SIGNAL, {"topic": ""}),
        (AgentSignal, SIGNAL, {"priority": 9}),
    ],
)
def test_bad_fields_are_named(
    kind: type[Any], fields: dict[str, Any], bad: dict[str, Any]
) -> None:
    """The error carries the field, so that a program can point at it."""
    with pytest.raises(InvalidInputError) as caught:
        kind.checked(**(fields | bad))
    assert caught.value.problems[0][0].split(".")[0] in bad


@pytest.mark.parametrize(
    ("record", "named"),
    [
        (DecisionDraft, "the decision"),
        (DecisionRecord, "the decision"),
        (OutcomeDraft, "the outcome"),
        (DecisionQuery, "the query"),
        (SignalDraft, "the signal"),
        (AgentSignal, "the signal"),
        (AgentDescription, "the agent's description"),
        (AgentState, "the state"),
        (MemoryPattern, "the pattern"),
    ],
)
def test_an_error_names_a_record_in_the_words_of_the_field(
    record: type[Record], named: str
) -> None:
    """An agent that logs a decision has never heard of a draft."""
    with pytest.raises(InvalidInputError, match=f"^{named} is not valid. "):
        record.checked(no_such_field=1)


def test_a_context_dumps_to_what_was_given() -> None:
    """Fields that were not given stay out, also as defaults."""
    contexts: list[dict[str, Any]] = [
        {},
        {"market": {}},
        {"cycle": None},
        {"model_config": 1, "copy": [None]},
    ]
    for given in contexts:
        assert DecisionContext.checked(**given).as_dict() == given


def test_tiers_change_after_a_day() -> None:
    """A decision is short-term while it is younger than a day."""
    decision = DecisionRecord.checked(**DECISION)
    assert decision.tier(NOW) is MemoryTier.STM
    assert decision.tier(NOW + timedelta(days=1, microseconds=-1)) is MemoryTier.STM
    assert decision.tier(NOW + timedelta(days=1)) is MemoryTier.LTM
    assert not decision.model_copy(
        update={"decision_id": new_decision_id("a", datetime(2001, 1, 1, tzinfo=UTC))}
    ).is_stm


def test_there_are_seven_enums() -> None:
    """Each member is the text or the number that is stored."""
    enums = [
        value
        for value in vars(models).values()
        if isinstance(value, type) and issubclass(value, enum.Enum)
    ]
    assert len(enums) == 7
    assert DecisionType("risk_assessment") == "risk_assessment"


def test_all_is_the_truth() -> None:
    """Every public name exists, and nothing public is left out."""
    public = set(daybook.__all__)
    for name in public:
        assert getattr(daybook, name).__module__.startswith("daybook")
    raised = {
        name
        for name, value in vars(daybook.errors).items()
        if isinstance(value, type) and issubclass(value, daybook.DaybookError)
    }
    assert raised <= public
    assert list(daybook.__all__) == sorted(daybook.__all__)


def test_names_are_loaded_when_they_are_used() -> None:
    """The package by itself takes no time; a name that is not there is told of as ever."""
    loaded = "import sys, daybook; print('boto3' in sys.modules, 'pydantic' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True)
    assert told.stdout.split() == [b"False", b"False"]
    with pytest.raises(AttributeError, match="attribute nothing"):
        _ = daybook.nothing  # type: ignore[attr-defined]


def test_errors_list_the_first_problems() -> None:
    """However many there are, a person reads fifty, and how many more."""
    with pytest.raises(InvalidInputError, match="and 450 more") as refused:
        DecisionRecord.checked(**DECISION | {"tags": [3] * 500})
    assert len(refused.value.problems) == 50
