"""Outcomes that have arrived, joined with their decisions: what the learner learns from."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from daybook.decisions.items import DECISION_CODEC
from daybook.errors import BodyCorruptError, BodyMissingError
from daybook.models import DecisionId, DecisionType
from daybook.progress import Arrival
from daybook.store import DECISIONS, Store, keys, unpack
from daybook.store.attributes import Item


class Joined(NamedTuple):
    """An outcome with the part of its decision that can be learned from."""

    decision_id: DecisionId
    decision_type: DecisionType
    choices: tuple[str, ...]
    context: dict[str, Any]
    success: bool


class Join(NamedTuple):
    """Outcomes with their decisions, and how many decisions could not be read."""

    lessons: list[Joined]
    damaged: int


def join(store: Store, agent_id: str, arrivals: Sequence[Arrival]) -> Join:
    """Return the outcomes among these arrivals with their decisions, in the same order.

    One request for every hundred, and one for each body in S3. An outcome whose decision has
    expired meanwhile is left out; one whose decision is damaged cannot hold up all others.
    """
    outcomes = [(arrival.uuid, arrival.outcome) for arrival in arrivals if arrival.outcome]
    wanted = {uuid: keys.decision(DecisionId(uuid, agent_id)) for uuid, _ in outcomes}
    found = {keys.uuid_of(str(i["sk"])): i for i in store.fetch(DECISIONS, wanted.values())}
    lessons: list[Joined] = []
    damaged = 0
    for uuid, outcome in outcomes:
        if uuid not in found:
            continue
        try:
            choices, context = _choice(store, found[uuid])
        except (BodyMissingError, BodyCorruptError):
            damaged += 1
            continue
        decision_id = DecisionId(uuid, agent_id)
        kind, success = outcome.decision_type, outcome.success
        lessons.append(Joined(decision_id, kind, choices, context, success))
    return Join(lessons, damaged)


def _choice(store: Store, item: Item) -> tuple[tuple[str, ...], dict[str, Any]]:
    # not through the record: checking a context anew takes longer than reading it
    body = unpack(store, DECISION_CODEC, item)
    return tuple(body["reasoning"].get("selected", ())), body["context"]
