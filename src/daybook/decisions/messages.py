"""What travels on the queue: a verb, whose log it is for, and a draft.

A queue delivers at least once and in any order, so a decision's id is made by the sender
(`new_decision_id`): a message that comes twice counts once, and an outcome that overtakes
its decision is tried again.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from daybook.decisions.recording import record, record_outcome
from daybook.models.base import Record, as_invalid_input
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.models.identity import AgentId
from daybook.store import Store


class DecisionMessage(Record):
    """Log a decision."""

    verb: Literal["log_decision"] = "log_decision"
    agent_id: AgentId
    decision: DecisionDraft

    @model_validator(mode="after")
    def _has_an_id(self) -> "DecisionMessage":
        if self.decision.decision_id is None:
            raise ValueError("decision.decision_id is missing: make it with new_decision_id()")
        return self


class OutcomeMessage(Record):
    """Log an outcome."""

    verb: Literal["log_outcome"] = "log_outcome"
    agent_id: AgentId
    outcome: OutcomeDraft


Message = DecisionMessage | OutcomeMessage

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="verb")])


def parse(body: str) -> Message:
    """Read a message. Raises InvalidInputError that names every faulty field."""
    try:
        return _MESSAGE.validate_json(body)
    except ValidationError as fault:
        raise as_invalid_input(fault, "the message") from None


def carry_out(store: Store, message: Message) -> None:
    """Do what a message says. Raises what `record` and `record_outcome` raise."""
    now = store.clock()
    match message:
        case DecisionMessage():
            record(store, message.decision.to_record(message.agent_id, now))
        case OutcomeMessage():
            record_outcome(store, message.outcome.to_outcome(message.agent_id, now))
