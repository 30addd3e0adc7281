"""What memory learns: patterns, and the conditions under which they hold."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from daybook.errors import InvalidInputError
from daybook.models.base import ListOf, Record
from daybook.models.decisions import Kind, Label, Share, Text
from daybook.models.enums import ConditionOperator, PatternType
from daybook.models.identity import AgentId, DecisionIdText, Moment
from daybook.models.json_values import JsonDict

LONGEST_FEATURE = 512

MAX_EVIDENCE = 100
"""A pattern names at most this many decisions as its evidence."""


def _word(kind: type[StrEnum]) -> Callable[[object], object]:
    """Return a validator that takes a member, or its value as text."""

    def checked(value: object) -> object:
        if isinstance(value, str) and value in set(kind):
            return kind(value)
        raise InvalidInputError(f"{value!r:.60} is unknown: use one of {', '.join(kind)}")

    return checked


class PatternCondition(Record):
    """One test of a context: `feature` is a dotted path into it, as in `market.trend`."""

    feature: Annotated[str, Field(min_length=1, max_length=LONGEST_FEATURE)]
    op: Annotated[ConditionOperator, BeforeValidator(_word(ConditionOperator))]
    value: str | float | int | bool | None


class MemoryPattern(Record, title="the pattern"):
    """Under `conditions`, `choice` succeeds at `success_rate` rather than `baseline_rate`.

    `confidence` is the lower end of an interval for the rate, so it grows with the evidence.
    A pattern made by hand and one that was learned are the same kind of thing.
    """

    pattern_id: Label
    agent_id: AgentId
    pattern_type: Annotated[PatternType, BeforeValidator(_word(PatternType))]
    decision_type: Kind
    choice: Text
    conditions: ListOf[PatternCondition] = Field(default_factory=list)
    success_rate: Share
    baseline_rate: Share
    sample_size: Annotated[int, Field(ge=0)]
    confidence: Share
    evidence: Annotated[ListOf[DecisionIdText], Field(max_length=MAX_EVIDENCE)] = Field(
        default_factory=list
    )
    version: Annotated[int, Field(ge=1)] = 1
    shared_with: ListOf[AgentId] = Field(default_factory=list)
    user_metadata: JsonDict = Field(default_factory=dict)
    created_at: Moment
    updated_at: Moment
    evidence_since: Moment | None = None
    retired_at: Moment | None = None
