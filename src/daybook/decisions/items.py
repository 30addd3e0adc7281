"""A decision and its outcome as items of the log, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from daybook.decisions import digests, workflow_facts
from daybook.errors import BodyCorruptError
from daybook.models import DecisionId, DecisionOutcome, DecisionRecord
from daybook.models.decisions import DecisionReasoning
from daybook.models.drafts import DecisionDraft
from daybook.models.identity import microseconds, moment_of
from daybook.models.json_values import JsonObject
from daybook.store import Codec, Store, keys, pack, session_keys, unpack
from daybook.store.attributes import Item, size
from daybook.store.bodies import packed, placed
from daybook.store.schema import TTL_ATTRIBUTE

DECISION_CODEC = Codec(version=1)
OUTCOME_CODEC = Codec(version=1)

_REASONING = set(DecisionReasoning.model_fields)
_BESIDE_REASONING = {"session_id", "tags", "agent_version"}
_DECISION_BODY = {"reasoning", *_BESIDE_REASONING}
_ARRIVAL_BYTES = size({"written_at": 10**15, TTL_ATTRIBUTE: 10**9})
"""The size of what `arrival` adds, at most."""
_OUTCOME_BODY = {"success", "quality_score", "latency_ms", "error", "details"}


def decision_item(store: Store, decision: DecisionRecord) -> Item:
    """Return the item of a decision, its large body already in S3."""
    decision_id = DecisionId.parse(decision.decision_id)
    item = content_of(decision_id, decision) | arrival(store, decision.arrived_at)
    return placed(store, keys.decision_bodies(decision_id), item)


def arrival(store: Store, arrived_at: datetime) -> Item:
    """Return the attributes of a decision that depend on when it is written."""
    # not `arrived_at`, which is the outcomes' key in STMIndex; and not in the body, so that a
    # decision handed in twice has the same body
    return {"written_at": microseconds(arrived_at), **store.expiry(arrived_at)}


def content_of(decision_id: DecisionId, said: DecisionRecord | DecisionDraft) -> Item:
    """Return the attributes of a decision that its facts make, the body among them."""
    reasoning = said.reasoning if isinstance(said, DecisionRecord) else said
    item = keys.decision(decision_id) | {
        "type_key": keys.type_key(decision_id.agent_id, said.decision_type),
        digests.DIGEST: digests.of_decision(reasoning, *workflow_facts.of_decision(said)),
    }
    body = {
        "reasoning": reasoning.model_dump(include=_REASONING, exclude_defaults=True),
        **said.model_dump(include=_BESIDE_REASONING, exclude_defaults=True),
        "type": said.decision_type,
        "context": said.context.as_dict(),
    }
    if said.parent_decision_id is not None:
        item["parent_key"] = keys.parent_key(DecisionId.parse(said.parent_decision_id))
        body["parent"] = said.parent_decision_id
    return packed(DECISION_CODEC, item, body, beside=_ARRIVAL_BYTES)


def outcome_item(store: Store, outcome: DecisionOutcome, decision: Item) -> Item:
    """Return the item of an outcome, which expires when its decision does."""
    ends = {TTL_ATTRIBUTE: decision[TTL_ATTRIBUTE]} if TTL_ATTRIBUTE in decision else {}
    decision_id = DecisionId.parse(outcome.decision_id)
    item = keys.outcome(decision_id) | {
        "success_key": keys.success_key(decision_id.agent_id, success=outcome.success),
        "arrived_at": microseconds(outcome.arrived_at),
        **ends,
    }
    task_type, also = workflow_facts.of_outcome(outcome, decision)
    if task_type is not None:
        item["type_key"] = session_keys.workflow_key(decision_id.agent_id, task_type)
    item[digests.DIGEST] = digests.of_outcome(outcome, digests.confidence_in(decision), *also)
    body = outcome.model_dump(include=_OUTCOME_BODY, exclude_defaults=True)
    body["type"] = outcome.decision_type
    return pack(store, OUTCOME_CODEC, keys.decision_bodies(decision_id), item, body)


def late_mark(store: Store, decision_id: DecisionId, arrived_at: datetime) -> Item:
    """Return the mark of a decision that arrived late, for jobs that follow the log by time.

    It is in STMIndex beside the outcomes, so that one query tells all that has arrived.
    """
    arrived = microseconds(arrived_at)
    key = keys.late_mark(decision_id, arrived)
    return key | {"arrived_at": arrived} | store.expiry(arrived_at)


def read_decision(store: Store, item: Item, outcome: Item | None = None) -> DecisionRecord:
    """Return the record of a decision's item and, if there is one, its outcome's."""
    body = unpack(store, DECISION_CODEC, item)
    with _reading(item):
        return DecisionRecord.checked(
            **{name: value for name, value in body.items() if name in _DECISION_BODY},
            context=body["context"],
            decision_id=str(decision_id_of(item)),
            decision_type=body["type"],
            parent_decision_id=body.get("parent"),
            arrived_at=moment_of(int(item["written_at"])),
            outcome=read_outcome(store, outcome) if outcome else None,
        )


def read_outcome(store: Store, item: Item) -> DecisionOutcome:
    """Return the record of an outcome's item."""
    body: JsonObject = unpack(store, OUTCOME_CODEC, item)
    with _reading(item):
        return DecisionOutcome.checked(
            **{name: value for name, value in body.items() if name in _OUTCOME_BODY},
            decision_id=str(decision_id_of(item)),
            decision_type=body["type"],
            arrived_at=moment_of(int(item["arrived_at"])),
        )


@contextmanager
def _reading(item: Item) -> Iterator[None]:
    """Tell a stored record that is not whole from input that is not valid."""
    try:
        yield
    except (KeyError, TypeError, ValueError, ArithmeticError) as fault:
        raise BodyCorruptError(
            f"the item {item['pk']!r} {item['sk']!r} is no record of Daybook's: {fault!r}"
        ) from fault


def decision_id_of(item: Item) -> DecisionId:
    """Return the id that a decision's or an outcome's item is of."""
    return DecisionId(keys.uuid_of(str(item["sk"])), str(item["pk"]))
