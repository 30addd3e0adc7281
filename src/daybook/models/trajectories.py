"""Trajectories: what an agent did for a task, step by step, and what came of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import fmean
from typing import Annotated, Self
from uuid import uuid4

from pydantic import BeforeValidator, Field

from daybook.errors import InvalidInputError
from daybook.models.base import ListOf, Record
from daybook.models.decisions import DecisionRecord, Label, Prose
from daybook.models.identity import AgentId, Moment
from daybook.models.json_values import Json, JsonDict

DOMAIN = "domain"
"""The key of a trajectory's metadata that says which domain it is of."""
NO_DOMAIN = "default"
"""The domain of trajectories that name none."""
_SECOND = timedelta(seconds=1)


class OutcomeTag(StrEnum):
    """How a trajectory ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    PARTIAL = "partial"


def _checked_tag(value: object) -> OutcomeTag:
    if not isinstance(value, str) or value not in frozenset(OutcomeTag):
        raise InvalidInputError(f"{value!r:.60} is unknown: use one of {', '.join(OutcomeTag)}")
    return OutcomeTag(value)


Tag = Annotated[OutcomeTag, BeforeValidator(_checked_tag)]


class ActionStep(Record, title="the step"):
    """One call of a tool, and what it gave."""

    timestamp: Moment = Field(default_factory=lambda: datetime.now(UTC))
    tool_name: Label
    tool_args: JsonDict = Field(default_factory=dict)
    tool_result: Json = None
    agent_reasoning: Prose | None = None


class Trajectory(Record, title="the trajectory"):
    """What an agent did for a task: immutable, and JSON throughout.

    `reward` is in whatever unit the trainer uses. `metadata["domain"]` names the domain by which
    a buffer can be balanced.
    """

    trajectory_id: Label = Field(default_factory=lambda: str(uuid4()))
    agent_id: AgentId
    task_description: Annotated[Prose, Field(min_length=1)]
    initial_state: JsonDict = Field(default_factory=dict)
    steps: ListOf[ActionStep] = Field(default_factory=list)
    final_outcome: Tag
    reward: float
    metadata: JsonDict = Field(default_factory=dict)
    created_at: Moment = Field(default_factory=lambda: datetime.now(UTC))
    duration_seconds: Annotated[float, Field(ge=0)] = 0.0

    @property
    def domain(self) -> str:
        """The domain that the metadata name; `default` if they name none."""
        named = self.metadata.get(DOMAIN, NO_DOMAIN)
        return named if isinstance(named, str) else str(named)

    @classmethod
    def from_decisions(cls, chain: Sequence[DecisionRecord]) -> Self:
        """Turn a chain of decisions, root first, into a trajectory under the leaf's id.

        Each decision is a step: its type the tool, its context and choice the arguments, its
        outcome the result. The leaf's outcome is the final one: a success after a failure on
        the way, or no outcome yet, is PARTIAL. The reward is the mean of the quality scores, where
        an outcome without one counts 1 or 0. Raises InvalidInputError for an empty chain, or one
        whose decisions do not follow each other.
        """
        _check_chain(chain)
        root, leaf = chain[0], chain[-1]
        end = leaf.outcome.arrived_at if leaf.outcome else leaf.decided_at
        scores = [_score(each) for each in chain if each.outcome]
        return cls(
            trajectory_id=leaf.decision_id,
            agent_id=leaf.agent_id,
            task_description=root.reasoning.rationale or root.decision_type.value,
            initial_state=root.context.as_dict(),
            steps=[_step(each) for each in chain],
            final_outcome=_tag(chain),
            reward=fmean(scores) if scores else 0.0,
            metadata={"session_id": root.session_id} if root.session_id else {},
            created_at=root.decided_at,
            duration_seconds=max(0.0, (end - root.decided_at) / _SECOND),
        )


def _check_chain(chain: Sequence[DecisionRecord]) -> None:
    if not chain:
        raise InvalidInputError("the chain is empty: pass what get_decision_chain returns")
    for parent, child in pairwise(chain):
        if child.parent_decision_id != parent.decision_id:
            raise InvalidInputError(
                f"{child.decision_id} is no child of {parent.decision_id}: pass a chain from its "
                "root to a leaf, as get_decision_chain returns it"
            )


def _step(decision: DecisionRecord) -> ActionStep:
    said = decision.reasoning
    args = {"context": decision.context.as_dict(), "options": said.options}
    outcome = decision.outcome
    aside = {"decision_id", "decision_type"}
    return ActionStep(
        timestamp=decision.decided_at,
        tool_name=decision.decision_type.value,
        tool_args=args | {"selected": said.selected, "confidence": said.confidence},
        tool_result=outcome.model_dump(mode="json", exclude=aside) if outcome else None,
        agent_reasoning=said.rationale,
    )


def _score(decision: DecisionRecord) -> float:
    outcome = decision.outcome
    if outcome is None:
        return 0.0
    return float(outcome.success) if outcome.quality_score is None else outcome.quality_score


def _tag(chain: Sequence[DecisionRecord]) -> OutcomeTag:
    leaf = chain[-1].outcome
    if leaf is None:
        return OutcomeTag.PARTIAL
    if not leaf.success:
        return OutcomeTag.FAILURE
    failed = any(each.outcome and not each.outcome.success for each in chain)
    return OutcomeTag.PARTIAL if failed else OutcomeTag.SUCCESS
