"""Decisions and their outcomes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    computed_field,
    model_serializer,
)
from pydantic import model_validator as checks

from daybook.errors import InvalidInputError
from daybook.models.base import ListOf, Record
from daybook.models.enums import DecisionType, MemoryTier
from daybook.models.identity import DecisionId, DecisionIdText, Moment
from daybook.models.json_values import Json, JsonDict, JsonObject, checked_text

SHORT_TERM = timedelta(days=1)
"""A decision younger than this is short-term memory; from then on it is long-term."""


_TYPES = frozenset(DecisionType)


def checked_decision_type(value: object) -> DecisionType:
    """Return the type of this name, or raise InvalidInputError that lists the names."""
    if not isinstance(value, str) or value not in _TYPES:
        raise InvalidInputError(f"{value!r:.60} is unknown: use one of {', '.join(DecisionType)}")
    return DecisionType(value)


Text = Annotated[str, Field(min_length=1)]
Prose = Annotated[str, AfterValidator(checked_text)]
Label = Annotated[str, Field(min_length=1, max_length=256)]
Share = Annotated[float, Field(ge=0, le=1)]
Kind = Annotated[DecisionType, BeforeValidator(checked_decision_type)]


_DERIVED = {"agent_id", "decided_at"}
"""Parts of a decision that its id carries."""


class DecisionContext(Record, title="the context"):
    """What the agent saw: market conditions, its cycle, and any other JSON.

    Dumps to just what was given, so a context reads back equal.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Json] = Field(init=False)

    market: JsonDict = Field(default_factory=dict)
    cycle: int | None = None

    @model_serializer
    def as_dict(self) -> JsonObject:
        """Return what was given, as a plain dict."""
        named = type(self).model_fields.keys() & self.model_fields_set
        return {name: getattr(self, name) for name in sorted(named)} | self.__pydantic_extra__


class DecisionReasoning(Record):
    """How the choice came about.

    `propensity` is the probability with which the acting policy made this choice; with it,
    other policies can be evaluated from the log later (inverse propensity weighting).
    """

    options: ListOf[Text] = Field(default_factory=list)
    scores: dict[Text, float] = Field(default_factory=dict)
    selected: ListOf[Text] = Field(default_factory=list)
    patterns_applied: ListOf[Text] = Field(default_factory=list)
    confidence: Share
    rationale: Prose | None = None
    propensity: Annotated[float, Field(gt=0, le=1)] | None = None

    @checks(mode="after")
    def _choices_are_options(self) -> "DecisionReasoning":
        if len(set(self.options)) < len(self.options):
            raise ValueError("options names the same option twice")
        if self.options:
            for name, chosen in (("selected", self.selected), ("scores", self.scores)):
                unknown = sorted(set(chosen) - set(self.options))
                if unknown:
                    raise ValueError(f"{name} names {unknown[0]!r}, which is not an option")
        return self


class DecisionOutcome(Record, title="the outcome"):
    """What came of a decision.

    `quality_score` is 0 to 1 and None when nobody judged it; `latency_ms` is in
    milliseconds; `arrived_at` is the writer's clock.
    """

    decision_id: DecisionIdText
    decision_type: Kind
    success: bool
    quality_score: Share | None = None
    latency_ms: Annotated[float, Field(ge=0)] | None = None
    error: Prose | None = None
    details: JsonDict = Field(default_factory=dict)
    arrived_at: Moment

    def says_the_same_as(self, other: "DecisionOutcome") -> bool:
        """Whether both record the same facts, whenever they arrived."""
        return _facts(self, {"arrived_at"}) == _facts(other, {"arrived_at"})


class DecisionRecord(Record, title="the decision"):
    """A decision as it was logged, with its outcome once there is one.

    `decided_at` is the agent's clock, carried by the id; `arrived_at` the writer's.
    """

    decision_id: DecisionIdText
    decision_type: Kind
    context: DecisionContext = Field(default_factory=DecisionContext)
    reasoning: DecisionReasoning
    parent_decision_id: DecisionIdText | None = None
    session_id: Label | None = None
    tags: ListOf[Label] = Field(default_factory=list)
    agent_version: Label | None = None
    arrived_at: Moment
    outcome: DecisionOutcome | None = None

    @checks(mode="before")
    @classmethod
    def _derived_fields_follow(cls, given: object) -> object:
        """Let a dump be read back: it names what the id says, too."""
        if not isinstance(given, dict) or not given.keys() & _DERIVED:
            return given
        decision_id = DecisionId.parse(given.get("decision_id", ""))
        if given.get("agent_id", decision_id.agent_id) != decision_id.agent_id:
            raise ValueError("agent_id is not the agent of decision_id")
        return {name: value for name, value in given.items() if name not in _DERIVED}

    @checks(mode="after")
    def _is_not_its_own_parent(self) -> "DecisionRecord":
        if self.parent_decision_id == self.decision_id:
            raise ValueError("parent_decision_id is the decision itself")
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def agent_id(self) -> str:
        """The agent whose log holds the decision."""
        return DecisionId.parse(self.decision_id).agent_id

    @computed_field  # type: ignore[prop-decorator]
    @property
    def decided_at(self) -> datetime:
        """When the decision was made, in UTC."""
        return DecisionId.parse(self.decision_id).decided_at

    def tier(self, now: datetime) -> MemoryTier:
        """Which memory the decision belongs to at this moment."""
        return MemoryTier.STM if now - self.decided_at < SHORT_TERM else MemoryTier.LTM

    @property
    def is_stm(self) -> bool:
        """Whether the decision is short-term memory now."""
        return self.tier(datetime.now(UTC)) is MemoryTier.STM

    def says_the_same_as(self, other: "DecisionRecord") -> bool:
        """Whether both record the same decision, whenever they arrived."""
        aside = {"arrived_at", "outcome"}
        return _facts(self, aside) == _facts(other, aside)


def _facts(record: Record, aside: set[str]) -> str:
    """Write down what a record says; as JSON, for in Python `1 == 1.0 == True`."""
    return json.dumps(record.model_dump(mode="json", exclude=aside), sort_keys=True)
