"""What the verbs take of DynamoDB: requests, and units by the size of what they carry.

The rules are AWS's ("DynamoDB throughput capacity", developer guide): a write unit carries a
kilobyte of an item or of an index entry, and a transaction takes two; a read unit carries four
kilobytes read consistently, or eight from an index. That Daybook's verbs do take what is said here
is compared with DynamoDB Local in `tests/unit/costs/test_capacity.py`.
"""

import math
from dataclasses import dataclass

KILOBYTE = 1_024
READ_BYTES = 4 * KILOBYTE

_PACKED = 260
_PACKED_SHARE = 0.24
"""Ordinary JSON, with zstd: 260 bytes, and a quarter of what there is (bench/quotes.py)."""

_DECISION_BESIDE = 146
_DECISION_FACTS = 245
_STATE_BESIDE = 142

INDEX_ENTRY = 250
"""Bytes of an entry of the log's indexes: keys, digest and expiry, and 100 of DynamoDB's own."""

OUTCOME_ITEM = 365
"""Bytes of an outcome, and 100 of DynamoDB's own."""

PATTERNS = 8
"""Patterns of a type that an agent has at most (`LearningSettings.most_patterns`)."""

_PATTERN_ENTRY = 1_000
_CARD = 140
_WATCHED = 235
_CHECKPOINT_LINE = 130
CHECKPOINTS_KEPT = 50


@dataclass(frozen=True)
class Capacity:
    """Requests to DynamoDB, and the units that they take; fractions where it is an average."""

    requests: float = 0.0
    write_units: float = 0.0
    read_units: float = 0.0

    def __add__(self, other: "Capacity") -> "Capacity":
        return Capacity(
            self.requests + other.requests,
            self.write_units + other.write_units,
            self.read_units + other.read_units,
        )

    def __mul__(self, times: float) -> "Capacity":
        return Capacity(self.requests * times, self.write_units * times, self.read_units * times)


def decision_bytes(kilobytes: float) -> float:
    """Return the size of a decision's item whose context is so many kilobytes of JSON."""
    return _stored(_DECISION_BESIDE, kilobytes * KILOBYTE + _DECISION_FACTS)


def state_bytes(kilobytes: float) -> float:
    """Return the size of the item of a state of so many kilobytes of JSON."""
    return _stored(_STATE_BESIDE, kilobytes * KILOBYTE)


def log_decision(kilobytes: float) -> Capacity:
    """Return what a decision takes: its item, and its entry in `DecisionTypeIndex`."""
    return Capacity(1, _write_units(decision_bytes(kilobytes)) + 1)


def log_outcome(kilobytes: float) -> Capacity:
    """Return what its outcome takes: its item, two index entries; its decision is read."""
    return Capacity(2, 3, _read_units(decision_bytes(kilobytes)))


def recall(patterns: int = PATTERNS) -> Capacity:
    """Return what recall takes: a query of the index that holds the patterns of a type whole."""
    return Capacity(1, 0, _index_read_units(patterns * _PATTERN_ENTRY))


def load_state(kilobytes: float) -> Capacity:
    """Return what loading the state takes: one consistent read."""
    return Capacity(1, 0, _read_units(state_bytes(kilobytes)))


def save_state(kilobytes: float) -> Capacity:
    """Return what saving the state takes: one write."""
    return Capacity(1, _write_units(state_bytes(kilobytes)))


def automatic_checkpoint(kilobytes: float) -> Capacity:
    """Return what a checkpoint of the schedule takes, for which an earlier one goes.

    Two transactions: the state's `last` is set, and a line and the data are put; a line and data
    are deleted. Besides, the state is read, the lines are listed, and the watch list is told.
    """
    units = _write_units(state_bytes(kilobytes))
    listed = _read_units((CHECKPOINTS_KEPT + 1) * _CHECKPOINT_LINE)
    taken = 2 * (units + 1 + units)
    gone = 2 * (1 + units)
    reads = _read_units(state_bytes(kilobytes)) + listed
    return Capacity(5, taken + gone + 1, reads)


def publish_signal(agents: int) -> Capacity:
    """Return what a signal to a named agent takes that a router delivers: who is there is read.

    A signal, here and below, is under a kilobyte with all that is about it.
    """
    return Capacity(2, 1, _index_read_units(agents * _CARD))


def deliver_signal() -> Capacity:
    """Return what the router writes: the delivery, and its entries in two indexes."""
    return Capacity(1, 3)


def ask_inbox() -> Capacity:
    """Return what a claim takes that finds nothing: AWS bills half a unit at least."""
    return Capacity(1, 0, 0.5)


def settle_signal() -> Capacity:
    """Return what a signal takes that is claimed and acknowledged: a write each."""
    return Capacity(2, 6)


def heartbeat() -> Capacity:
    """Return what a heartbeat takes: the registration, and its entry in the index."""
    return Capacity(1, 2)


def note_news() -> Capacity:
    """Return what `news` takes for an agent: its item of the watch list is read and changed."""
    return Capacity(2, 1, 1)


def plan(agents: int) -> Capacity:
    """Return what a plan takes: a query of the watch list, a request for each megabyte."""
    size = agents * _WATCHED
    return Capacity(math.ceil(size / KILOBYTE**2), 0, _read_units(size))


def _stored(beside: float, json_bytes: float) -> float:
    """Return an item's bytes: the codec packs what does not fit into a write unit as it is."""
    if beside + json_bytes <= KILOBYTE:
        return beside + json_bytes
    return beside + min(json_bytes, _PACKED + _PACKED_SHARE * json_bytes)


def _write_units(size: float) -> int:
    return max(1, math.ceil(size / KILOBYTE))


def _read_units(size: float) -> int:
    return max(1, math.ceil(size / READ_BYTES))


def _index_read_units(size: float) -> float:
    """Return the units of a query of an index, which is never consistent: half of them."""
    return _read_units(size) / 2
