"""Outcomes that have arrived, joined with their decisions: what the learner learns from."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from daybook.decisions.items import DECISION_CODEC
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


def joined(store: Store, agent_id: str, arrivals: Sequence[Arrival]) -> Iterator[Joined]:
    """Iterate the outcomes among these arrivals with their decisions, in the same order.

    One request for every hundred. An outcome whose decision has expired meanwhile is left out.
    """
    outcomes = [(arrival.uuid, arrival.outcome) for arrival in arrivals if arrival.outcome]
    wanted = {uuid: keys.decision(DecisionId(uuid, agent_id)) for uuid, _ in outcomes}
    found = {keys.uuid_of(str(i["sk"])): i for i in store.fetch(DECISIONS, wanted.values())}
    for uuid, outcome in outcomes:
        if uuid in found:
            choices, context = _choice(store, found[uuid])
            decision_id = DecisionId(uuid, agent_id)
            yield Joined(decision_id, outcome.decision_type, choices, context, outcome.success)


def _choice(store: Store, item: Item) -> tuple[tuple[str, ...], dict[str, Any]]:
    # not through the record: checking a context anew takes longer than reading it
    body = unpack(store, DECISION_CODEC, item)
    return tuple(body["reasoning"].get("selected", ())), body["context"]
