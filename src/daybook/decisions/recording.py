"""Writing the log: decisions and outcomes, each recorded once, whatever is repeated."""

from datetime import datetime, timedelta

from daybook.decisions import items
from daybook.errors import (
    DecisionConflictError,
    DecisionNotFoundError,
    OutcomeConflictError,
    StorageError,
    WrongDecisionTypeError,
)
from daybook.models import DecisionId, DecisionOutcome, DecisionRecord
from daybook.store import DECISIONS, Store, keys
from daybook.store.attributes import Item

LATE_AFTER = timedelta(minutes=1)
"""A decision that arrives this long after it was made also leaves a late mark."""


def is_late(decision_id: DecisionId, arrived_at: datetime) -> bool:
    """Whether a decision that arrives at this moment leaves a late mark."""
    return arrived_at - decision_id.decided_at > LATE_AFTER


def record(store: Store, decision: DecisionRecord) -> DecisionRecord:
    """Write a decision and return it as it stands in the log.

    One request; two when the decision arrives late. Repeating it leaves the log as it is
    (a late decision's repeat leaves one more mark, which says the same). Raises
    DecisionConflictError when another decision stands under its id, and StorageError, which
    carries the id for another try, when AWS fails.
    """
    try:
        decision_id = DecisionId.parse(decision.decision_id)
        if is_late(decision_id, decision.arrived_at):
            # the mark first: one without its decision does no harm, a decision without its
            # mark would never be seen by the jobs that follow the log by time
            store.put(DECISIONS, items.late_mark(store, decision_id, decision.arrived_at))
        standing = store.insert(DECISIONS, items.decision_item(store, decision))
    except StorageError as fault:
        fault.decision_id = decision.decision_id
        raise
    if standing is None:
        return decision
    recorded = items.read_decision(store, standing)
    if not recorded.says_the_same_as(decision):
        raise DecisionConflictError(
            f"another decision is already recorded as {decision.decision_id}; it stands. "
            "Make a new id with new_decision_id() for each decision"
        )
    return recorded


def record_outcome(
    store: Store, outcome: DecisionOutcome, decision: Item | None = None
) -> DecisionOutcome:
    """Write what came of a decision and return it as it stands in the log.

    Two requests, or one if the item of the decision is known. The same outcome twice counts
    once. Raises DecisionNotFoundError, WrongDecisionTypeError, or OutcomeConflictError when a
    different outcome stands.
    """
    decision_id = DecisionId.parse(outcome.decision_id)
    decision = decision or store.get(DECISIONS, keys.decision(decision_id))
    if decision is None:
        raise DecisionNotFoundError(
            f"no decision {decision_id} is recorded (or it has expired): "
            "log the decision before its outcome"
        )
    if decision["type_key"] != keys.type_key(decision_id.agent_id, outcome.decision_type):
        recorded_type = str(decision["type_key"]).rpartition("#")[2]
        raise WrongDecisionTypeError(
            f"the outcome names the type {outcome.decision_type}, but {decision_id} is of "
            f"the type {recorded_type}",
            [("decision_type", f"is not {recorded_type}")],
        )
    standing = store.insert(DECISIONS, items.outcome_item(store, outcome, decision))
    if standing is None:
        return outcome
    recorded = items.read_outcome(store, standing)
    if not recorded.says_the_same_as(outcome):
        raise OutcomeConflictError(
            f"{decision_id} already has another outcome "
            f"(success={recorded.success}, quality_score={recorded.quality_score}, recorded at "
            f"{recorded.arrived_at.isoformat()}); it stands"
        )
    return recorded
