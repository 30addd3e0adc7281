"""The log by way of a spool: what is kept on the disk, and how it reaches the tables.

For the tables a decision is kept as the item that it will be, short of what depends on when that
is written; for the API, and all outcomes, as they were handed in.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from pydantic_core import from_json

from daybook.decisions import items
from daybook.decisions.batches import PreparedDecision, write_new
from daybook.decisions.recording import record, record_outcome
from daybook.errors import (
    BodyCorruptError,
    DaybookError,
    InvalidInputError,
    RejectedError,
    StorageError,
    TableMissingError,
    ThrottledError,
    UnfinishedBatchError,
    UnreachableError,
)
from daybook.models import DecisionId
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.models.json_values import JsonObject
from daybook.spool import Delivery, Entry, Kept, Refusal
from daybook.store import DECISIONS, Store, keys
from daybook.store.attributes import Item
from daybook.store.batching import WRITE_LIMIT, cut
from daybook.store.bodies import body_of
from daybook.store.prepared import read_prepared

if TYPE_CHECKING:
    from daybook.decisions.handle import DecisionVerbs

DECISION = "decision"
OUTCOME = "outcome"

_OWN_FAULT = (RejectedError, BodyCorruptError, InvalidInputError)
"""Faults that lie in the entry: trying it again changes nothing."""
_EVERYWHERE = (UnreachableError, TableMissingError)
"""Faults that the next entry would meet as well. DynamoDB throttles an agent's partition."""
_TRIES = 2
"""Of a batch whose items are left undone: the spool itself tries again, after longer."""


def kept_prepared(decision: PreparedDecision, *, is_new: bool) -> Kept:
    """Return a decision for the tables: its id, and its item on a line of its own."""
    body = b"%b\n%b" % (str(decision.decision_id).encode(), decision.item)
    return Kept(DECISION, body, not is_new or decision.is_large)


def read_kept(body: bytes) -> PreparedDecision:
    """Return what `kept_prepared` was given. Raises ValueError."""
    head, _, item = body.partition(b"\n")
    return PreparedDecision(DecisionId.parse(head.decode()), item)


def kept_draft(draft: DecisionDraft | OutcomeDraft) -> Kept:
    """Return what was handed in, as it was; an API always looks whether it is there."""
    kind = DECISION if isinstance(draft, DecisionDraft) else OUTCOME
    return Kept(kind, draft.model_dump_json().encode(), careful=kind == DECISION)


def shown(entry: Entry) -> JsonObject:
    """Return what an entry says, as plain JSON. Raises ValueError for what is damaged."""
    if entry.body.startswith(b"{"):
        said: JsonObject = from_json(entry.body)
        return said
    decision = read_kept(entry.body)
    body, version = body_of(read_prepared(decision.item))
    return {"decision_id": str(decision.decision_id)} | items.DECISION_CODEC.decode(body, version)


class Course:
    """How the delivery of a run goes: what is done, who is held back, what has stopped it."""

    def __init__(self) -> None:
        self.delivered: list[Entry] = []
        self._refused: list[Refusal] = []
        self._held: dict[str, StorageError] = {}
        self._fault: StorageError | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether nothing goes through at present."""
        return self._fault is not None

    def stop(self, fault: StorageError) -> None:
        """Deliver nothing further."""
        self._fault = fault

    def open_to(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the entries that can still be delivered."""
        return [] if self.is_stopped else [e for e in entries if e.agent_id not in self._held]

    def hold(self, agents: Iterable[str], fault: StorageError) -> None:
        """Deliver nothing further of these agents."""
        self._held |= dict.fromkeys(agents, fault)

    def write_each(self, entries: Iterable[Entry], write: Callable[[Entry], None]) -> None:
        """Write entries in their order. What is wrong with an agent or an entry is its own."""
        for entry in entries:
            if self.is_stopped or entry.agent_id in self._held:
                continue
            try:
                write(entry)
            except _OWN_FAULT as fault:
                self._refuse(entry, fault)
            except _EVERYWHERE as fault:
                self.stop(fault)
            except StorageError as fault:
                self.hold([entry.agent_id], fault)
            except (DaybookError, ValueError, TypeError, KeyError) as fault:
                self._refuse(entry, fault)
            else:
                self.delivered.append(entry)

    def result(self) -> Delivery:
        """Return what became of the run. Whatever failed may have arrived all the same."""
        return Delivery(
            delivered=self.delivered,
            refused=self._refused,
            fault=self._fault,
            held=self._held,
            uncertain=True,
        )

    def _refuse(self, entry: Entry, fault: Exception) -> None:
        self._refused.append(Refusal(entry=entry, reason=f"{type(fault).__name__}: {fault}"))


class ToTables:
    """Delivers what a spool holds to the tables.

    A decision whose id was made for it and that was never sent is written blindly, 25 to a
    request. All else goes through `record` and `record_outcome`, which look before they write.
    """

    def __init__(self, store: Store) -> None:
        self._store = replace(store, backoff=replace(store.backoff, tries=_TRIES))

    def __call__(self, run: Sequence[Entry]) -> Delivery:
        """Deliver a run in its order, and what follows each other together where it can be."""
        course = Course()
        for looks_first, part in groupby(run, _is_careful_decision):
            if looks_first:
                course.write_each(part, self._write_decision)
            else:
                self._write_together(course.open_to(part), course)
        return course.result()

    def _write_together(self, part: Sequence[Entry], course: Course) -> None:
        """Write new decisions, in batches, and then the outcomes."""
        now = self._store.clock()
        written: dict[str, bytes] = {}
        decisions = [entry for entry in part if entry.kind == DECISION]
        for batch in map(course.open_to, cut(decisions, WRITE_LIMIT)):
            if not batch:
                continue
            try:
                kept = {entry.number: read_kept(entry.body) for entry in batch}
                write_new(self._store, list(kept.values()), now)
            except UnfinishedBatchError as fault:
                keys_left = {put["PutRequest"]["Item"]["sk"]["S"] for _, put in fault.unprocessed}
                left = [each for each in batch if kept[each.number].sort_key in keys_left]
                course.delivered += [each for each in batch if each not in left]
                course.hold((each.agent_id for each in left), fault)
            except ThrottledError as fault:
                course.hold((each.agent_id for each in batch), fault)
            except _EVERYWHERE as fault:
                course.stop(fault)
            except (*_OWN_FAULT, StorageError):
                # one of them, or of their agents, is at fault: each by itself then
                course.write_each(batch, self._write_decision)
            else:
                course.delivered += batch
                written |= {str(each.decision_id): each.item for each in kept.values()}
        outcomes = course.open_to(entry for entry in part if entry.kind == OUTCOME)
        known = self._known(outcomes, written, items.arrival(self._store, now))
        course.write_each(outcomes, lambda entry: self._write_outcome(entry, known))

    def _known(
        self, outcomes: Sequence[Entry], written: Mapping[str, bytes], arrival: Item
    ) -> dict[str, Item]:
        """Return the items of the decisions whose outcomes are to be written, where it can.

        Those just written are known; the others are read, with one request. What is not found
        here is looked for singly, and each of those finds out for itself what is wrong.
        """
        wanted = set()
        for entry in outcomes:
            with suppress(ValueError, KeyError, TypeError):
                wanted.add(str(DecisionId.parse(from_json(entry.body)["decision_id"])))
        known = {text: read_prepared(written[text]) | arrival for text in wanted & written.keys()}
        unknown = [keys.decision(DecisionId.parse(text)) for text in wanted - known.keys()]
        with suppress(StorageError):
            found = self._store.fetch(DECISIONS, unknown) if unknown else []
            known |= {str(items.decision_id_of(item)): item for item in found}
        return known

    def _write_decision(self, entry: Entry) -> None:
        record(self._store, read_kept(entry.body).record(self._store, self._store.clock()))

    def _write_outcome(self, entry: Entry, decisions: Mapping[str, Item]) -> None:
        draft = OutcomeDraft.model_validate_json(entry.body)
        outcome = draft.to_outcome(entry.agent_id, self._store.clock())
        record_outcome(self._store, outcome, decisions.get(outcome.decision_id))


class ToApi:
    """Delivers what a spool holds through the API, by the handle of each entry's agent."""

    def __init__(self, handle_of: "Callable[[str], DecisionVerbs]") -> None:
        self._handle_of = handle_of

    def __call__(self, run: Sequence[Entry]) -> Delivery:
        """Deliver a run in its order."""
        course = Course()
        course.write_each(run, self._send)
        return course.result()

    def _send(self, entry: Entry) -> None:
        handle = self._handle_of(entry.agent_id)
        if entry.kind == DECISION:
            handle.record_decision(DecisionDraft.model_validate_json(entry.body))
        else:
            handle.record_outcome(OutcomeDraft.model_validate_json(entry.body))


def _is_careful_decision(entry: Entry) -> bool:
    return entry.kind == DECISION and entry.careful
