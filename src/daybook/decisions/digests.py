"""Digests: the few numbers of a decision or an outcome that the indexes carry.

Statistics read these instead of the bodies. They are JSON in one attribute, so floats are
the same floats, at any size.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from daybook.models import DecisionOutcome, DecisionReasoning, DecisionType
from daybook.models.json_values import JsonValue
from daybook.store import DECISIONS, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import between, equals

DIGEST = "digest"
_OUTCOME_VALUES = 6

Window = tuple[str, str]
"""The first and the last sort key, from `keys.log_range`."""


class DecisionDigest(NamedTuple):
    """A decision, as `DecisionTypeIndex` tells it.

    `written_at` is the writer's clock in microseconds since 1970.
    """

    uuid: str
    decision_type: DecisionType
    confidence: float
    written_at: int


class OutcomeDigest(NamedTuple):
    """An outcome, as the indexes tell it, with its decision's confidence.

    `latency_ms` in milliseconds.
    """

    uuid: str
    decision_type: DecisionType
    success: bool
    quality_score: float | None
    latency_ms: float | None
    has_error: bool
    confidence: float


def of_decision(reasoning: DecisionReasoning, *also: str | None) -> str:
    """Return the digest attribute of a decision; `also` is what says its workflow, if it has."""
    return _dumped([reasoning.confidence, *also])


def of_outcome(outcome: DecisionOutcome, confidence: float, *also: JsonValue) -> str:
    """Return the digest attribute of an outcome, given its decision's confidence.

    It says all that calibration and rates need, so that they never join the decision.
    """
    numbers = [outcome.quality_score, outcome.latency_ms]
    flags = [outcome.error is not None, outcome.success]
    return _dumped([outcome.decision_type, *numbers, *flags, confidence, *also])


def confidence_in(decision: Item) -> float:
    """Return the confidence from the item of a decision."""
    confidence, *_ = json.loads(str(decision[DIGEST]))
    return float(confidence)


def beyond_confidence(decision: Item) -> list[JsonValue]:
    """Return what the digest of a decision says besides."""
    also: list[JsonValue] = json.loads(str(decision[DIGEST]))[1:]
    return also


def beyond_outcome(outcome: Item) -> list[JsonValue]:
    """Return what the digest of an outcome says besides what every one does."""
    also: list[JsonValue] = json.loads(str(outcome[DIGEST]))[_OUTCOME_VALUES:]
    return also


def read_decisions(
    store: Store,
    agent_id: str,
    decision_type: DecisionType,
    window: Window,
    page_size: int | None = None,
    *,
    newest_first: bool = True,
) -> Iterator[DecisionDigest]:
    """Iterate the decisions of a type within a window of the log."""
    partition = equals("type_key", keys.type_key(agent_id, decision_type))
    found = store.query(
        DECISIONS,
        partition & between("sk", *window),
        index=DECISIONS.index("DecisionTypeIndex"),
        newest_first=newest_first,
        page_size=page_size,
    )
    return map(read_decision, found)


def read_outcomes(
    store: Store,
    agent_id: str,
    window: Window,
    *,
    success: bool,
    page_size: int | None = None,
) -> Iterator[OutcomeDigest]:
    """Iterate the outcomes within a window of the log, newest decision first."""
    partition = equals("success_key", keys.success_key(agent_id, success=success))
    found = store.query(
        DECISIONS,
        partition & between("sk", *window),
        index=DECISIONS.index("SuccessIndex"),
        newest_first=True,
        page_size=page_size,
    )
    return map(read_outcome, found)


def read_decision(item: Item) -> DecisionDigest:
    """Return the digest of a decision's item, as the table or `DecisionTypeIndex` holds it."""
    return DecisionDigest(
        keys.uuid_of(str(item["sk"])),
        DecisionType(str(item["type_key"]).rpartition("#")[2]),
        confidence_in(item),
        int(item["written_at"]),
    )


def read_outcome(item: Item) -> OutcomeDigest:
    """Return the digest of an outcome's item, as the table or any index holds it."""
    # what later versions add comes after these
    kind, quality_score, latency_ms, has_error, success, confidence, *_ = json.loads(
        str(item[DIGEST])
    )
    return OutcomeDigest(
        keys.uuid_of(str(item["sk"])),
        DecisionType(kind),
        success,
        quality_score,
        latency_ms,
        has_error,
        confidence,
    )


def _dumped(values: list[object]) -> str:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)
