"""What rollups save and what they cost, counted by DynamoDB Local: units are exact."""

import dataclasses
from uuid import uuid4

import pytest

from bench import statistics
from bench.statistics import NOW
from daybook import AWSClientManager
from daybook.analytics import decision_stats, rolling
from daybook.decisions import DecisionQuery, iterate
from daybook.models import DecisionType
from daybook.progress import Head
from daybook.store import CapacityMeter, Store

DECISIONS = 5_000


@pytest.fixture(scope="module")
def rolled(database: AWSClientManager) -> tuple[Store, Head]:
    """Give a log of 5,000 decisions of a day, rolled up."""
    store = dataclasses.replace(database.store, clock=lambda: NOW)
    agent_id = f"agent-{uuid4().hex}"
    statistics.load(store, agent_id, DECISIONS, days=1)
    return store, statistics.roll(store, agent_id)


def test_a_day_of_5000_decisions_reads_little(rolled: tuple[Store, Head]) -> None:
    """An hour of over 200 decisions is an item of two kilobytes, so a day is a few units.

    The rest is the hour that has not closed and the part of the first one.
    """
    store, head = rolled
    with CapacityMeter(store.dynamodb) as meter:
        stats = decision_stats(store, head.agent_id, 24)
    assert stats["total_decisions"] == DECISIONS
    assert meter.by_index.keys() <= {"DecisionTypeIndex", "SuccessIndex", "STMIndex"}
    live = sum(meter.by_index.values())
    assert meter.read_units - live <= 1 + 24 * 2 / 4
    with CapacityMeter(store.dynamodb) as reading:
        assert sum(1 for _ in iterate(store, DecisionQuery(agent_id=head.agent_id))) == DECISIONS
    assert meter.read_units < reading.read_units / 10
    assert sum(meter.requests.values()) <= 3 + 2 * (len(DecisionType) + 2)


def test_the_log_alone_would_miss_the_bar(rolled: tuple[Store, Head]) -> None:
    """The control: without rollups the same statistics read many times as much."""
    store, head = rolled
    with CapacityMeter(store.dynamodb) as meter:
        decision_stats(store, head.agent_id, 24)
    with CapacityMeter(store.dynamodb) as control:
        statistics.exact(store, head.agent_id)
    assert control.read_units > 3 * meter.read_units


def test_nothing_new_costs_nothing(rolled: tuple[Store, Head]) -> None:
    """While no hour closes, closing sends no request; nor does rolling up no arrivals."""
    store, head = rolled
    with CapacityMeter(store.dynamodb) as meter:
        assert rolling.close_hours(store, head, NOW, []) is head
        assert rolling.roll_arrivals(store, head, [], NOW, []) is head
        assert not rolling.is_due(store, head, NOW)
    assert meter.requests == {}
