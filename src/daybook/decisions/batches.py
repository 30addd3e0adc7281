"""New decisions, many to a request: each is written down once, as its item will be."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

from daybook.decisions import items
from daybook.decisions.recording import LATE_AFTER, record
from daybook.errors import ThrottledError, UnfinishedBatchError
from daybook.models import DecisionId, DecisionRecord
from daybook.models.drafts import DecisionDraft
from daybook.models.identity import uuid_at
from daybook.store import DECISIONS, Store, keys
from daybook.store.batching import WRITE_LIMIT, cut
from daybook.store.bodies import check_large_body
from daybook.store.codec import LARGEST_INLINE
from daybook.store.prepared import prepared, read_prepared


class PreparedDecision(NamedTuple):
    """A decision's id, and its item in DynamoDB's notation, short of when it is written."""

    decision_id: DecisionId
    item: bytes

    @classmethod
    def of(cls, store: Store, decision_id: str, draft: DecisionDraft) -> Self:
        """Prepare a decision. Raises BodyTooLargeError."""
        own = DecisionId.parse(decision_id)
        item = items.content_of(own, draft)
        check_large_body(store, item)
        return cls(own, prepared(item))

    @property
    def is_large(self) -> bool:
        """Whether it is written by itself, for its body may have to go to S3."""
        return len(self.item) > LARGEST_INLINE

    @property
    def sort_key(self) -> str:
        """The item's sort key."""
        return str(keys.decision(self.decision_id)["sk"])

    def record(self, store: Store, now: datetime) -> DecisionRecord:
        """Return the record that is written at this moment."""
        return items.read_decision(store, read_prepared(self.item) | items.arrival(store, now))


def write_new(store: Store, new: Sequence[PreparedDecision], now: datetime) -> None:
    """Write up to 25 decisions that are not there and not large; the marks of late ones first.

    Raises UnfinishedBatchError, which names those left undone, or ThrottledError when none
    was written.
    """
    in_time = uuid_at(now - LATE_AFTER)
    late = [each.decision_id for each in new if each.decision_id.uuid < in_time]
    try:
        store.put_all(DECISIONS, [items.late_mark(store, each, now) for each in late])
    except UnfinishedBatchError as fault:
        raise ThrottledError(str(fault)) from fault
    arrival = prepared(items.arrival(store, now))
    store.put_prepared(DECISIONS, [b"%b,%b" % (each.item, arrival) for each in new])


def record_all(
    store: Store, agent_id: str, decisions: Sequence[tuple[str, DecisionDraft]]
) -> None:
    """Write decisions of an agent under these ids.

    Drafts with an id of their own may have been written before: these are recorded one by one,
    as large ones are, and then the others 25 to a request. Raises what `record` raises.
    """
    now = store.clock()
    together: list[PreparedDecision] = []
    alone: list[DecisionRecord] = []
    for decision_id, draft in decisions:
        ready = PreparedDecision.of(store, decision_id, draft)
        if ready.is_large or draft.decision_id is not None:
            alone.append(draft.named(decision_id).to_record(agent_id, now))
        else:
            together.append(ready)
    for each in alone:
        record(store, each)
    for batch in cut(together, WRITE_LIMIT):
        write_new(store, batch, store.clock())
