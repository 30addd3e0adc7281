"""New decisions, many to a request: each is written down once, as its item will be."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, Self

from daybook.decisions import items
from daybook.decisions.recording import LATE_AFTER, record
from daybook.errors import StorageError, ThrottledError, UnfinishedBatchError
from daybook.models import DecisionId, DecisionRecord
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
    def of(cls, store: Store, decision: DecisionRecord) -> Self:
        """Prepare a decision. Raises BodyTooLargeError."""
        item = items.content_of(store, decision)
        check_large_body(store, item)
        return cls(DecisionId.parse(decision.decision_id), prepared(item))

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
    store: Store, decisions: Sequence[DecisionRecord], known: Collection[str]
) -> list[DecisionRecord]:
    """Write decisions, and return them as they stand in the log.

    Those whose ids are `known` may have been written before: these are recorded one by one, as
    large ones are, and the others 25 to a request. Raises what `record` raises; a StorageError
    carries the ids of all, for another try.
    """
    ready = {each.decision_id: PreparedDecision.of(store, each) for each in decisions}
    alone = {own for own, each in ready.items() if each.is_large or own in known}
    together = [each for own, each in ready.items() if own not in alone]
    try:
        for batch in cut(together, WRITE_LIMIT):
            write_new(store, batch, store.clock())
        return [record(store, each) if each.decision_id in alone else each for each in decisions]
    except StorageError as fault:
        fault.decision_ids = [each.decision_id for each in decisions]
        raise
