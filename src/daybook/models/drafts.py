"""What an agent hands in: a decision or an outcome before it has been recorded.

The SDK's arguments, the body of an HTTP request and a message on the queue are all drafts,
so each is checked by the same rules.
"""

from datetime import datetime

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

    def to_record(
        self, agent_id: str, now: datetime, *, random_bits: int | None = None
    ) -> DecisionRecord:
        """Return the record that this agent logs at this moment.

        If its id is made here, these are its random bits. Raises ForeignDecisionError when the
        id is another agent's, and InvalidInputError when the times contradict each other or lie
        in the future.
        """
        decision_id = self.decision_id or new_decision_id(
            agent_id, self.decided_at or now, random_bits=random_bits
        )
        decided_at = _own(decision_id, agent_id).decided_at
        if self.decided_at not in {None, decided_at}:
            raise InvalidInputError(
                f"decided_at is {self.decided_at}, but the decision_id was made for "
                f"{decided_at}: leave decided_at out",
                [("decided_at", "contradicts decision_id")],
            )
        if decided_at > now + CLOCK_SKEW:
            raise InvalidInputError(
                f"the decision is made at {decided_at.isoformat()}, and it is now "
                f"{now.isoformat()}: check the agent's clock",
                [("decided_at", "lies in the future")],
            )
        # all parts have been checked, but for one that depends on the id
        is_own_parent = self.parent_decision_id == decision_id
        make = DecisionRecord.checked if is_own_parent else DecisionRecord.model_construct
        return make(
            decision_id=decision_id,
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
