"""The log by way of a spool: what is kept on the disk, and how it reaches the tables.

For the tables a decision is kept as the item that it will be, short of what depends on when that
is written; for the API, and all outcomes, as they were handed in.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic_core import from_json

from daybook.decisions import items
from daybook.decisions.recording import LATE_AFTER, record, record_outcome
from daybook.errors import (
    BodyCorruptError,
    DaybookError,
    InvalidInputError,
    RejectedError,
    StorageError,
    ThrottledError,
    UnfinishedBatchError,
)
from daybook.models import DecisionId, DecisionRecord
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.models.identity import uuid_at
from daybook.models.json_values import JsonObject
from daybook.spool import Delivery, Entry, Refusal
from daybook.store import DECISIONS, Store, keys
from daybook.store.attributes import Item
from daybook.store.batching import WRITE_LIMIT, cut
from daybook.store.bodies import body_of, has_large_body
from daybook.store.prepared import prepared, read_prepared

if TYPE_CHECKING:
    from daybook.decisions.handle import DecisionVerbs

DECISION = "decision"
OUTCOME = "outcome"

_OWN_FAULT = (RejectedError, BodyCorruptError, InvalidInputError)
"""Faults that lie in the entry: trying it again changes nothing."""

_log = logging.getLogger("daybook")


class KeptDecision:
    """A decision on its way to the tables: its id, and its item on a line of its own."""

    def __init__(self, body: bytes) -> None:
        head, _, self.item = body.partition(b"\n")
        self.decision_id = DecisionId.parse(head.decode())

    @staticmethod
    def of(store: Store, decision: DecisionRecord) -> tuple[bytes, bool]:
        """Return the body, and whether it is too large for a batch. Raises BodyTooLargeError."""
        item = items.content_of(store, decision)
        body = decision.decision_id.encode() + b"\n" + prepared(item)
        return body, has_large_body(store, item)

    @property
    def sort_key(self) -> str:
        """The item's sort key."""
        return str(keys.decision(self.decision_id)["sk"])

    def record(self, store: Store, now: datetime) -> DecisionRecord:
        """Return the record that is written at this moment."""
        return items.read_decision(store, read_prepared(self.item) | items.arrival(store, now))


def kept(draft: DecisionDraft | OutcomeDraft) -> bytes:
    """Return what was handed in."""
    return draft.model_dump_json().encode()


def shown(entry: Entry) -> JsonObject:
    """Return what an entry says, as plain JSON. Raises ValueError for what is damaged."""
    if entry.body.startswith(b"{"):
        said: JsonObject = from_json(entry.body)
        return said
    decision = KeptDecision(entry.body)
    body, version = body_of(read_prepared(decision.item))
    return {"decision_id": str(decision.decision_id)} | items.DECISION_CODEC.decode(body, version)


class ToTables:
    """Delivers what a spool holds to the tables.

    A decision whose id was made for it and that was never sent is written blindly, 25 to a
    request. All else goes through `record` and `record_outcome`, which look before they write.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, run: Sequence[Entry]) -> Delivery:
        """Deliver a run: first the new decisions, in batches, then the others in their order."""
        new = [entry for entry in run if entry.kind == DECISION and not entry.careful]
        others = [entry for entry in run if entry.kind != DECISION or entry.careful]
        now = self._store.clock()
        written: list[Entry] = []
        known: dict[str, bytes] = {}
        for batch in cut(new, WRITE_LIMIT):
            try:
                kept = {entry.number: KeptDecision(entry.body) for entry in batch}
                self._write_new(list(kept.values()), now)
            except UnfinishedBatchError as fault:
                left = {put["PutRequest"]["Item"]["sk"]["S"] for _, put in fault.unprocessed}
                written += [each for each in batch if kept[each.number].sort_key not in left]
                return Delivery(delivered=written, fault=fault)
            except _OWN_FAULT:
                # one of them is at fault: each by itself then
                others = [*batch, *others]
            except StorageError as fault:
                return Delivery(delivered=written, fault=fault, uncertain=True)
            else:
                written += batch
                known |= {str(each.decision_id): each.item for each in kept.values()}
        try:
            decisions = self._decisions_of(others, known, items.arrival(self._store, now))
        except StorageError as fault:
            return Delivery(delivered=written, fault=fault)
        return one_by_one(others, lambda entry: self._write(entry, decisions), delivered=written)

    def _write_new(self, new: Sequence[KeptDecision], now: datetime) -> None:
        """Write decisions that are not there. UnfinishedBatchError names those left undone."""
        in_time = uuid_at(now - LATE_AFTER)
        late = [each.decision_id for each in new if each.decision_id.uuid < in_time]
        try:
            marks = [items.late_mark(self._store, each, now) for each in late]
            self._store.put_all(DECISIONS, marks)
        except UnfinishedBatchError as fault:
            raise ThrottledError(str(fault)) from fault  # no decision was written
        arrival = prepared(items.arrival(self._store, now))
        self._store.put_prepared(DECISIONS, [b"%b,%b" % (each.item, arrival) for each in new])

    def _decisions_of(
        self, others: Sequence[Entry], written: Mapping[str, bytes], arrival: Item
    ) -> dict[str, Item]:
        """Return the items of the decisions whose outcomes are to be written.

        Those just written are known; the others are read, with one request.
        """
        wanted = set()
        for entry in others:
            with suppress(ValueError, KeyError, TypeError):  # then `_write` tells what is wrong
                if entry.kind == OUTCOME:
                    wanted.add(str(DecisionId.parse(from_json(entry.body)["decision_id"])))
        known = {text: read_prepared(written[text]) | arrival for text in wanted & written.keys()}
        unknown = [keys.decision(DecisionId.parse(text)) for text in wanted - known.keys()]
        found = self._store.fetch(DECISIONS, unknown) if unknown else []
        return known | {str(items.decision_id_of(item)): item for item in found}

    def _write(self, entry: Entry, decisions: Mapping[str, Item]) -> None:
        now = self._store.clock()
        if entry.kind == DECISION:
            record(self._store, KeptDecision(entry.body).record(self._store, now))
        else:
            draft = OutcomeDraft.model_validate_json(entry.body)
            outcome = draft.to_outcome(entry.agent_id, now)
            record_outcome(self._store, outcome, decisions.get(outcome.decision_id))


class ToApi:
    """Delivers what a spool holds through the API, by the handle of each entry's agent."""

    def __init__(self, handle_of: "Callable[[str], DecisionVerbs]") -> None:
        self._handle_of = handle_of

    def __call__(self, run: Sequence[Entry]) -> Delivery:
        """Deliver a run in its order."""
        return one_by_one(run, self._send)

    def _send(self, entry: Entry) -> None:
        handle = self._handle_of(entry.agent_id)
        if entry.kind == DECISION:
            handle.record_decision(DecisionDraft.model_validate_json(entry.body))
        else:
            handle.record_outcome(OutcomeDraft.model_validate_json(entry.body))


def one_by_one(
    run: Sequence[Entry], write: Callable[[Entry], None], delivered: Sequence[Entry] = ()
) -> Delivery:
    """Deliver entries in their order until AWS fails; those at fault themselves are refused."""
    done, refused = list(delivered), []
    for entry in run:
        try:
            write(entry)
        except _OWN_FAULT as fault:
            refused.append(Refusal(entry=entry, reason=_named(fault)))
        except StorageError as fault:
            return Delivery(delivered=done, refused=refused, fault=fault, uncertain=True)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the others go on
            if not isinstance(fault, DaybookError):
                _log.exception("an entry of a spool could not be delivered")
            refused.append(Refusal(entry=entry, reason=_named(fault)))
        else:
            done.append(entry)
    return Delivery(delivered=done, refused=refused)


def _named(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"
