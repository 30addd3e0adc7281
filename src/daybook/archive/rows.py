"""Rows of the archive: from the log's items, back to records, and two accounts made one."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import Any

from daybook.archive.columns import COLUMNS, DECISION, KEY, OUTCOME, Kind
from daybook.decisions import digests, items
from daybook.errors import BodyCorruptError, BodyMissingError
from daybook.models import DecisionId, DecisionOutcome, DecisionRecord
from daybook.models.identity import microseconds, moment_of
from daybook.store import Store, keys
from daybook.store.attributes import Item

Row = dict[str, Any]

_UNREADABLE = (BodyCorruptError, BodyMissingError)


def live_rows(store: Store, found: Iterable[Item]) -> Iterator[Row]:
    """Iterate the rows of a stretch of the log that is read oldest first.

    An item whose body cannot be read, and an outcome whose decision has been removed before
    it, come with what their keys and digests tell: better than nothing, and no reason to keep
    all the others out of the archive.
    """
    for _, together in groupby(found, key=lambda item: keys.uuid_of(str(item["sk"]))):
        parts = {keys.is_outcome(str(item["sk"])): item for item in together}
        yield _row(store, parts.get(False), parts.get(True))


def of_record(decision: DecisionRecord) -> Row:
    """Return the row of a decision and its outcome."""
    row = _of_decision(decision)
    return row | _of_outcome(decision.outcome) if decision.outcome else row


def is_whole(row: Row) -> bool:
    """Whether the row says all that was recorded, so that the record can be had from it."""
    return row["context"] is not None and not _misses_details(row)


def is_damaged(row: Row) -> bool:
    """Whether a body of the row's could not be read, though its item was there."""
    return (row["arrived_at"] is not None and row["context"] is None) or _misses_details(row)


def read(row: Row) -> DecisionRecord:
    """Return the record of a whole row."""
    return DecisionRecord.checked(
        decision_id=row[KEY],
        decision_type=row["decision_type"],
        context=json.loads(row["context"]),
        reasoning={
            "options": row["options"],
            "scores": json.loads(row["scores"]),
            "selected": row["selected"],
            "patterns_applied": row["patterns_applied"],
            "confidence": row["confidence"],
            "rationale": row["rationale"],
            "propensity": row["propensity"],
        },
        parent_decision_id=row["parent_decision_id"],
        session_id=row["session_id"],
        tags=row["tags"],
        agent_version=row["agent_version"],
        arrived_at=moment_of(row["arrived_at"]),
        outcome=_read_outcome(row),
    )


def merged(archived: Row, live: Row) -> Row:
    """Return one row of two about the same decision: of each half what says more.

    Where both say as much the live one stands. So an outcome is never lost, whatever the log
    has forgotten meanwhile.
    """
    decision = max(live, archived, key=lambda row: _told(row, "arrived_at", "context"))
    outcome = max(live, archived, key=lambda row: _told(row, "outcome_arrived_at", "details"))
    return {name: decision[name] for name in DECISION} | {name: outcome[name] for name in OUTCOME}


def _told(row: Row, *names: str) -> int:
    return sum(row[name] is not None for name in names)


def _misses_details(row: Row) -> bool:
    return row["outcome_arrived_at"] is not None and row["details"] is None


def _row(store: Store, decision: Item | None, outcome: Item | None) -> Row:
    row: Row = {}
    if decision:
        try:
            row = _of_decision(items.read_decision(store, decision))
        except _UNREADABLE:
            row = _decision_from_keys(decision)
    if outcome:
        row = row or _named(outcome) | _told_by_outcome(outcome, "decision_type", "confidence")
        try:
            row |= _of_outcome(items.read_outcome(store, outcome))
        except _UNREADABLE:
            row |= {"outcome_arrived_at": int(outcome["arrived_at"])}
            row |= _told_by_outcome(outcome, "success", "quality_score", "latency_ms")
    return row


def _of_decision(decision: DecisionRecord) -> Row:
    reasoning = decision.reasoning
    return _EMPTY | {
        KEY: decision.decision_id,
        "decision_type": decision.decision_type.value,
        "decided_at": microseconds(decision.decided_at),
        "arrived_at": microseconds(decision.arrived_at),
        "parent_decision_id": decision.parent_decision_id,
        "session_id": decision.session_id,
        "agent_version": decision.agent_version,
        "tags": decision.tags,
        "options": reasoning.options,
        "selected": reasoning.selected,
        "patterns_applied": reasoning.patterns_applied,
        "scores": _json(reasoning.scores),
        "context": _json(decision.context.as_dict()),
        "confidence": reasoning.confidence,
        "propensity": reasoning.propensity,
        "rationale": reasoning.rationale,
    }


def _of_outcome(outcome: DecisionOutcome) -> Row:
    return {
        "success": outcome.success,
        "quality_score": outcome.quality_score,
        "latency_ms": outcome.latency_ms,
        "error": outcome.error,
        "details": _json(outcome.details),
        "outcome_arrived_at": microseconds(outcome.arrived_at),
    }


def _read_outcome(row: Row) -> DecisionOutcome | None:
    if row["outcome_arrived_at"] is None:
        return None
    return DecisionOutcome.checked(
        decision_id=row[KEY],
        decision_type=row["decision_type"],
        success=row["success"],
        quality_score=row["quality_score"],
        latency_ms=row["latency_ms"],
        error=row["error"],
        details=json.loads(row["details"]),
        arrived_at=moment_of(row["outcome_arrived_at"]),
    )


def _decision_from_keys(item: Item) -> Row:
    row = _named(item) | {
        "decision_type": str(item["type_key"]).rpartition("#")[2],
        "arrived_at": int(item["written_at"]),
    }
    with suppress(KeyError, TypeError, ValueError):
        row["confidence"] = digests.confidence_in(item)
    return row


def _told_by_outcome(item: Item, *names: str) -> Row:
    with suppress(KeyError, TypeError, ValueError):
        digest = digests.read_outcome(item)
        return {name: getattr(digest, name) for name in names}
    return {}


def _named(item: Item) -> Row:
    decision_id = DecisionId(keys.uuid_of(str(item["sk"])), str(item["pk"]))
    return _EMPTY | {KEY: str(decision_id), "decided_at": microseconds(decision_id.decided_at)}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


_EMPTY: Row = {name: [] if kind is Kind.TEXTS else None for name, kind in COLUMNS.items()}
