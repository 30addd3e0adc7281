"""What agents keep and tell each other: state and signals."""

from typing import Annotated

from pydantic import Field

from daybook.models.base import ListOf, Record
from daybook.models.decisions import Label
from daybook.models.enums import SignalPriority, SignalType
from daybook.models.identity import AgentId, Moment
from daybook.models.json_values import JsonDict


class AgentState(Record):
    """An agent's state at one version; versions start at 1 and only grow.

    `restored_from` is the checkpoint whose data a rollback has put into this version.
    """

    agent_id: AgentId
    version: Annotated[int, Field(ge=1)]
    data: JsonDict
    updated_at: Moment
    restored_from: Label | None = None


class AgentSignal(Record):
    """A message to named agents, to a topic, or, with neither, to every agent."""

    signal_id: Label
    sender: AgentId
    signal_type: SignalType
    priority: SignalPriority = SignalPriority.NORMAL
    payload: JsonDict = Field(default_factory=dict)
    targets: ListOf[AgentId] | None = None
    topic: Label | None = None
    dedupe_id: Label | None = None
    created_at: Moment
    expires_at: Moment
