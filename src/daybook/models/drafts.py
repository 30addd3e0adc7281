"""What an agent hands in: a decision or an outcome before it has been recorded.

The SDK's arguments, the body of an HTTP request and a message on the queue are all drafts,
so each is checked by the same rules.
"""

from datetime import datetime
from typing import Self

from pydantic import Field

from daybook.errors import ForeignDecisionError, InvalidInputError
from daybook.models.base import ListOf, Record
from daybook.models.decisions import (
    DecisionContext,
    DecisionOutcome,
    DecisionReasoning,
    DecisionRecord,
    Kind,
    Label,
    Prose,
    Share,
)
from daybook.models.identity import (
    CLOCK_SKEW,
    DecisionId,
    DecisionIdText,
    Moment,
    aware,
    new_decision_id,
)
from daybook.models.json_values import JsonDict


class DecisionDraft(DecisionReasoning, title="the decision"):
    """A decision to be logged.

    With a `decision_id` of its own (from `new_decision_id`) it can be handed in again after
    a failure and still counts once. Without, it gets one from `decided_at`, or from now.
    """

    decision_type: Kind
    context: DecisionContext = Field(default_factory=DecisionContext)
    parent_decision_id: DecisionIdText | None = None
    session_id: Label | None = None
    tags: ListOf[Label] = Field(default_factory=list)
    agent_version: Label | None = None
    decided_at: Moment | None = None
    decision_id: DecisionIdText | None = None

    def identified(self, agent_id: str, now: datetime, *, random_bits: int | None = None) -> str:
        """Return the id under which this agent logs it at this moment; `random_bits` if it is new.

        Raises ForeignDecisionError when the id is another agent's, and InvalidInputError
        when the times contradict each other or lie in the future, or it is its own parent.
        """
        moment = self.decided_at or now
        decision_id = self.decision_id
        if decision_id is None:
            decision_id = new_decision_id(agent_id, moment, random_bits=random_bits)
        else:
            moment = _own(decision_id, agent_id).decided_at
        if self.decided_at not in {None, moment}:
            raise InvalidInputError(
                f"decided_at is {self.decided_at}, but the decision_id was made for "
                f"{moment}: leave decided_at out",
                [("decided_at", "contradicts decision_id")],
            )
        if moment > now + CLOCK_SKEW:
            raise InvalidInputError(
                f"the decision is made at {moment.isoformat()}, and it is now "
                f"{now.isoformat()}: check the agent's clock",
                [("decided_at", "lies in the future")],
            )
        if self.parent_decision_id == decision_id:
            raise InvalidInputError(
                "the decision is not valid. parent_decision_id is the decision itself",
                [("parent_decision_id", "is the decision itself")],
            )
        return decision_id

    def named(self, decision_id: str) -> Self:
        """Return the same with an id: if the answer to it is lost, it can be handed in again."""
        if self.decision_id is not None:
            return self
        return self.model_copy(update={"decision_id": decision_id, "decided_at": None})

    def to_record(self, agent_id: str, now: datetime) -> DecisionRecord:
        """Return the record that this agent logs at this moment. Raises what `identified` does."""
        # all parts have been checked
        return DecisionRecord.model_construct(
            decision_id=self.identified(agent_id, now),
            decision_type=self.decision_type,
            context=self.context,
            reasoning=self._part_of(DecisionReasoning),
            parent_decision_id=self.parent_decision_id,
            session_id=self.session_id,
            tags=self.tags,
            agent_version=self.agent_version,
            arrived_at=aware(now, "the time"),
        )

    def _part_of(self, kind: type[DecisionReasoning]) -> DecisionReasoning:
        return kind.model_construct(**{name: getattr(self, name) for name in kind.model_fields})


class OutcomeFacts(Record, title="the outcome"):
    """What came of a decision that is named elsewhere, as in the path of an HTTP request."""

    decision_type: Kind
    success: bool
    quality_score: Share | None = None
    latency_ms: float | None = Field(default=None, ge=0)
    error: Prose | None = None
    details: JsonDict = Field(default_factory=dict)


class OutcomeDraft(OutcomeFacts):
    """An outcome to be logged."""

    decision_id: DecisionIdText

    def to_outcome(self, agent_id: str, now: datetime) -> DecisionOutcome:
        """Return the outcome that this agent logs at this moment.

        Raises ForeignDecisionError when the decision is another agent's.
        """
        _own(self.decision_id, agent_id)
        return DecisionOutcome.checked(**dict(self), arrived_at=now)


class DecisionReceipt(Record):
    """What the API answers to a decision: all that the client did not know before."""

    decision_id: DecisionIdText
    decided_at: Moment
    arrived_at: Moment


class OutcomeReceipt(Record):
    """What the API answers to an outcome."""

    decision_id: DecisionIdText
    success: bool
    arrived_at: Moment


def _own(text: str, agent_id: str) -> DecisionId:
    decision_id = DecisionId.parse(text)
    if decision_id.agent_id != agent_id:
        raise ForeignDecisionError(
            f"{text} belongs to the agent {decision_id.agent_id!r}, and this is {agent_id!r}: "
            "an agent writes into its own log only",
            [("decision_id", "belongs to another agent")],
        )
    return decision_id
