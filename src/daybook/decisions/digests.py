"""Digests: the few numbers of a decision or an outcome that the indexes carry.

Statistics read these instead of the bodies. They are JSON in one attribute, so floats are
the same floats, at any size.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from daybook.models import DecisionOutcome, DecisionRecord, DecisionType
from daybook.store import DECISIONS, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import Condition, between, equals

DIGEST = "digest"

Window = tuple[str, str]
"""The first and the last sort key, from `keys.log_range`."""


class DecisionDigest(NamedTuple):
    """A decision, as `DecisionTypeIndex` tells it."""

    uuid: str
    decision_type: DecisionType
    confidence: float


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


def of_decision(decision: DecisionRecord) -> str:
    """Return the digest attribute of a decision."""
    return _dumped([decision.reasoning.confidence])


def of_outcome(outcome: DecisionOutcome, confidence: float) -> str:
    """Return the digest attribute of an outcome, given its decision's confidence.

    It says all that calibration and rates need, so that they never join the decision.
    """
    numbers = [outcome.quality_score, outcome.latency_ms]
    flags = [outcome.error is not None, outcome.success]
    return _dumped([outcome.decision_type, *numbers, *flags, confidence])


def confidence_in(decision: Item) -> float:
    """Return the confidence from the item of a decision."""
    confidence, *_ = json.loads(str(decision[DIGEST]))
    return float(confidence)


def read_decisions(
    store: Store,
    agent_id: str,
    decision_type: DecisionType,
    window: Window,
    page_size: int | None = None,
) -> Iterator[DecisionDigest]:
    """Iterate the decisions of a type within a window of the log, newest first."""
    partition = equals("type_key", keys.type_key(agent_id, decision_type))
    condition = partition & between("sk", *window)
    for item in _newest_first(store, condition, "DecisionTypeIndex", page_size):
        uuid = keys.uuid_of(str(item["sk"]))
        yield DecisionDigest(uuid, decision_type, confidence_in(item))


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
    condition = partition & between("sk", *window)
    for item in _newest_first(store, condition, "SuccessIndex", page_size):
        yield read_outcome(item)


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


def _newest_first(
    store: Store, condition: Condition, index: str, page_size: int | None
) -> Iterator[Item]:
    return store.query(
        DECISIONS,
        condition,
        index=DECISIONS.index(index),
        newest_first=True,
        page_size=page_size,
    )


def _dumped(values: list[object]) -> str:
    return json.dumps(values, separators=(",", ":"))
