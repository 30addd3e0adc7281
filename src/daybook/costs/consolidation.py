"""What consolidation takes of DynamoDB: fitted, since it grows with what is known.

`tests/unit/costs/test_consolidation.py` lets agents live for days on DynamoDB Local and compares.
The figures are of agents that have long found patterns, and so high: in an agent's first days, and
where there is nothing to find, a run takes a fraction.
"""

import math

from daybook.costs.capacity import KILOBYTE, READ_BYTES, Capacity, decision_bytes, log_outcome

TYPES = 8
"""Types of decisions that there are; an agent that makes fewer in a cycle uses fewer."""

_RUN = Capacity(21.5, 27, 5)
"""Heads, lease, rollups, the record of the run, and what the watch list is told."""

_TYPE = Capacity(8.4, 79, 49.5)
"""A type: its knowledge is written anew and the old deleted, and half of its patterns refreshed.

That is of one and a half outcomes, after ten days. The decisions are read besides.
"""

_A_DOUBLING_OF_OUTCOMES = Capacity(1.6, 16.5, 0)
_FITTED_TO_OUTCOMES = 1.5
"""Each time a run learns from twice as many outcomes of a type, more of its patterns change."""

_MERGED = Capacity(0, 150, 0)
MERGES_A_DAY = 4
"""Every six hours the segments of what is known of a type are merged, and written anew."""

_OLDER_READ_UNITS = 16.5
_FITTED_AFTER_DAYS = 10
"""Each time the log gets twice as old, this much more is read: the segments of what is known.

They are about three and a half for each doubling (`memory/learning/segments.py`).
"""

_HOUR = Capacity(11, 6, 5)
"""Closing an hour: a query for each type, and the hour's rollup in a transaction."""

_DAY = Capacity(3, 4, 2)
"""Archiving a day, besides what is read of it."""

IDLE = Capacity(4, 1, 4)
"""A run that finds nothing, and what the watch list is told."""

RUN_RECORD_BYTES = 8_000
RUN_RECORDS_DAYS = 90
"""What a run has changed is kept, and so long after it can no more be undone."""

KNOWLEDGE_BYTES = 250_000
"""What is known of a type, with what the last five runs replaced."""

HOUR_BYTES = 700
_ARCHIVED = 80
_ARCHIVED_SHARE = 0.25
"""A decision with its outcome in a file of hundreds: bytes, and a share of its JSON."""


def types_of(decisions_per_cycle: float) -> int:
    """Return how many types an agent decides about: each decision of a cycle is of another."""
    return min(TYPES, math.ceil(decisions_per_cycle))


def learning_run(types: int, decisions_kb: float, outcomes: float, days: float) -> Capacity:
    """Return what a run takes that learns, of an agent that has lived for so many days."""
    older = max(0.0, math.log2(days / _FITTED_AFTER_DAYS))
    fuller = math.log2(outcomes / types / _FITTED_TO_OUTCOMES) if outcomes else 0.0
    type_ = _TYPE + _A_DOUBLING_OF_OUTCOMES * fuller + Capacity(0, 0, older * _OLDER_READ_UNITS)
    decisions = Capacity(0, 0, outcomes * log_outcome(decisions_kb).read_units)
    return _RUN + type_ * types + decisions


def merged(types: int) -> Capacity:
    """Return what a run takes besides with which six hours are over."""
    return _MERGED * types


def closed_hour() -> Capacity:
    """Return what a run takes besides in which an hour is rolled up."""
    return _HOUR


def archived_day(decisions: float, decisions_kb: float, item_bytes: float) -> Capacity:
    """Return what a run takes besides in which a day of so many decisions is archived.

    `item_bytes` are those of a decision's outcome, which is read with it.
    """
    read = decisions * (decision_bytes(decisions_kb) + item_bytes)
    return _DAY + Capacity(0, 0, math.ceil(read / READ_BYTES))


def archived_bytes(decisions_kb: float) -> float:
    """Return what a decision takes in the archive, with its outcome."""
    return _ARCHIVED + _ARCHIVED_SHARE * decisions_kb * KILOBYTE
