"""What logging costs, counted by DynamoDB Local: requests and capacity units are exact."""

import json
import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from bench.quotes import quote
from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager
from daybook.store import CapacityMeter

KIND = DecisionType.STRATEGY_SELECTION


@pytest.fixture
def log(database: AWSClientManager) -> DecisionLogger:
    """Give the logger of an agent that nobody else uses."""
    return DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", database))


@pytest.fixture
def meter(database: AWSClientManager) -> Iterator[CapacityMeter]:
    """Give a meter that runs during the test."""
    with CapacityMeter(database.dynamodb) as running:
        yield running


def ordinary(size: int, seed: int) -> dict[str, object]:
    """Make a context of at least `size` bytes of JSON, as a trading agent would see it."""
    draw = random.Random(seed)  # noqa: S311 - no secrets here
    market: dict[str, object] = {}
    while len(json.dumps(market, separators=(",", ":"))) < size:
        news = ["earnings beat expectations"]
        market[f"SYM{len(market)}"] = quote(draw) | {"news": news * draw.randrange(2)}
    return {"market": market, "cycle": seed}


def log_pair(log: DecisionLogger, context: dict[str, object], parent: str | None = None) -> str:
    """Log a decision and its outcome."""
    decision_id = log.log_strategy_selection(
        ["momentum", "mean_reversion", "stay_out"],
        {"momentum": 0.61, "mean_reversion": 0.2, "stay_out": 0.19},
        "momentum",
        context,
        0.7,
        parent_decision_id=parent,
        rationale="the trend is intact",
    )
    log.log_outcome(decision_id, KIND, True, 0.53, 12.25)
    return decision_id


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("size", "most"), [(0, 5), (1024, 5), (8 * 1024, 7)])
def test_write_units(
    log: DecisionLogger, meter: CapacityMeter, size: int, most: int, seed: int
) -> None:
    """A decision with its outcome: at most 5 units at 1 KB of payload and 7 at 8 KB."""
    log_pair(log, ordinary(size, seed))
    assert meter.write_units <= most
    assert set(meter.by_index) == {"DecisionTypeIndex", "SuccessIndex", "STMIndex"}


@pytest.mark.parametrize(("size", "most"), [(1024, 6), (8 * 1024, 8)])
def test_a_parent_costs_one_unit_more(
    log: DecisionLogger, meter: CapacityMeter, size: int, most: int
) -> None:
    """The index of children takes one unit, and only from decisions with a parent."""
    parent = log_pair(log, ordinary(0, 1))
    before = meter.write_units
    log_pair(log, ordinary(size, 2), parent)
    assert meter.write_units - before <= most
    assert meter.by_index["ParentIndex"] == 1


def test_a_wasteful_item_would_be_caught(log: DecisionLogger, meter: CapacityMeter) -> None:
    """The control: a payload that does not compress costs more than the bound."""
    noise = "".join(uuid4().hex for _ in range(256))
    log_pair(log, {"noise": noise})
    assert meter.write_units > 7


def test_requests(log: DecisionLogger, meter: CapacityMeter) -> None:
    """Log 1, outcome 2, get 1, chain as many as it is deep, children 2; never a scan."""
    root = log.log_decision(KIND, confidence=0.5)
    assert meter.requests == {"PutItem": 1}
    log.log_outcome(root, KIND, True, 0.5, 1.0)
    assert meter.requests == {"PutItem": 2, "GetItem": 1}
    log.log_outcome(root, KIND, True, 0.5, 1.0)
    assert meter.requests == {"PutItem": 3, "GetItem": 2}
    leaf = log_pair(log, {}, log_pair(log, {}, root))
    meter.requests.clear()
    log.get_decision(root)
    assert meter.requests == {"Query": 1}
    assert len(log.get_decision_chain(leaf)) == 3
    assert meter.requests == {"Query": 1 + 3}
    meter.requests.clear()
    assert len(log.get_children(root)) == 1
    assert meter.requests == {"Query": 1, "BatchGetItem": 1}


def test_many_at_once_are_25_to_a_request(log: DecisionLogger, meter: CapacityMeter) -> None:
    """For the write units of each; what was handed in before costs a request of its own."""
    said = [{"decision_type": KIND, "confidence": 0.5} for _ in range(60)]
    ids = log.log_decisions(said)
    assert meter.requests == {"BatchWriteItem": 3}
    assert meter.write_units == 2 * 60
    log.log_decisions([said[0] | {"decision_id": ids[0]}, said[1]])
    assert meter.requests == {"BatchWriteItem": 4, "PutItem": 1}


def test_lists_and_statistics_never_scan(log: DecisionLogger, meter: CapacityMeter) -> None:
    """Every filter goes through the table's keys or an index."""
    log_pair(log, {})
    for success in (None, True):
        for kind in (None, KIND):
            assert len(list(log.query_decisions(kind, success))) == 1
    log.get_decision_stats()
    assert meter.requests["Scan"] == 0
    assert set(meter.requests) <= {"PutItem", "GetItem", "Query", "BatchGetItem"}


def test_statistics_do_not_read_bodies(log: DecisionLogger, meter: CapacityMeter) -> None:
    """The statistics of ten decisions of 100 KB read less than one of them would take."""
    noise = "".join(uuid4().hex for _ in range(3_200))
    for _ in range(10):
        log_pair(log, {"noise": noise})
    before = meter.read_units
    assert log.get_decision_stats()["total_decisions"] == 10
    assert meter.read_units - before < 12.5
    assert meter.requests["Query"] == len(DecisionType) + 2


def test_a_short_list_reads_little(log: DecisionLogger, meter: CapacityMeter) -> None:
    """The newest of 300 decisions of 4 KB cost what they are, not what lies behind them."""
    noise = "".join(uuid4().hex for _ in range(120))
    for _ in range(300):
        log_pair(log, {"noise": noise})

    def reading(**filters: Any) -> tuple[float, dict[str, int]]:
        before = meter.read_units
        meter.requests.clear()
        list(log.query_decisions(**filters))
        return meter.read_units - before, dict(meter.requests)

    units, sent = reading(limit=2)
    assert units <= 2.0
    assert sent == {"Query": 1}
    assert reading(limit=60)[0] <= 40
    for filters in ({"success": True}, {"decision_type": KIND}):
        units, sent = reading(**filters, limit=2)
        assert units <= 5.0
        assert sent == {"Query": 1, "BatchGetItem": 1}
