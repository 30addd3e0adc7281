"""What the cost model says of consolidation: agents live for days, and their runs are counted.

What a run takes grows with what is known and varies with what was found, so this is no equality:
the fit has to be within a tenth. Writes stay level once an agent has found its patterns, reads go
on growing with the logarithm of its age. A run that finds nothing is held by a bound.
"""

from datetime import timedelta

import pytest

from daybook import AWSClientManager, DecisionType
from daybook.costs import capacity, consolidation, storage
from daybook.costs.capacity import Capacity
from daybook.costs.workload import Workload
from daybook.store import DECISIONS
from daybook.store.attributes import from_wire, size
from tests.clocks import Clock
from tests.unit.costs.aws_meter import AwsMeter, entry
from tests.unit.costs.conftest import Bucket
from tests.unit.costs.lives import EVERY, Life

HALF_A_DAY = timedelta(hours=12)
RUNS = 24
"""Six hours of them: in so many, segments of what is known are merged once."""


def born(manager: AWSClientManager, clock: Clock, types: int, kilobytes: float = 1.0) -> Life:
    """Return an agent that begins to live, with so many types of decisions."""
    clock.now = clock.now.replace(hour=0)
    return Life(manager, clock, "btc-agent-001", tuple(DecisionType)[:types], kilobytes)


def counted(life: Life, runs: int, every: timedelta = EVERY) -> tuple[Capacity, list[int]]:
    """Return what runs take on average, and how many outcomes each learned."""
    learned = []
    with AwsMeter(life.manager.dynamodb) as meter:
        for _ in range(runs):
            life.live(every)
            learned.append(life.consolidated().outcomes_learned)
    taken = Capacity(meter.requests.total(), meter.write_units, meter.read_units)
    return taken * (1 / runs), learned


def aged(life: Life, days: int, every: timedelta = EVERY) -> None:
    """Live for so many days, looked after twice a day, and then as the schedule does."""
    for _ in range(2 * days):
        life.live(HALF_A_DAY)
        life.consolidated()
    for _ in range(6):
        life.live(every)
        life.consolidated()


def check(life: Life, days: int, every: timedelta = EVERY) -> None:
    """Compare what the runs of six hours, or of a multiple of that, take with the model."""
    runs = RUNS if every == EVERY else 6
    found, learned = counted(life, runs, every)
    types = len(life.kinds)
    outcomes = sum(learned) / runs
    expected = consolidation.learning_run(types, life.kilobytes, outcomes, days)
    expected += consolidation.closed_hour() * min(1.0, every / timedelta(hours=1))
    expected += consolidation.merged(types) * (every / timedelta(hours=6))
    assert found.requests == pytest.approx(expected.requests, rel=0.1)
    assert found.write_units == pytest.approx(expected.write_units, rel=0.1)
    assert found.read_units == pytest.approx(expected.read_units, rel=0.1)


def test_an_agent_of_ten_days(manager: AWSClientManager, clock: Clock) -> None:
    """One type: a run, its hour, and one that finds nothing."""
    life = born(manager, clock, types=1)
    aged(life, days=10)
    check(life, days=10)
    clock.advance(minutes=9)
    life.consolidated()
    with AwsMeter(manager.dynamodb) as meter:
        assert life.consolidated().outcomes_learned == 0
    assert meter.requests.total() <= consolidation.IDLE.requests
    assert meter.write_units == consolidation.IDLE.write_units
    assert meter.read_units <= consolidation.IDLE.read_units


@pytest.mark.campaign
@pytest.mark.parametrize("every", [timedelta(hours=1), timedelta(hours=2)])
def test_other_schedules(manager: AWSClientManager, clock: Clock, every: timedelta) -> None:
    """Fewer runs, each of which learns from more."""
    life = born(manager, clock, types=4)
    aged(life, 10, every)
    check(life, 10, every)


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("types", "days", "size"), [(1, 40, 1), (4, 10, 1), (4, 10, 4), (8, 10, 1)]
)
def test_other_agents(
    manager: AWSClientManager, clock: Clock, types: int, days: int, size: float
) -> None:
    """Older, with more types, with larger decisions."""
    life = born(manager, clock, types, size)
    aged(life, days)
    check(life, days)


def test_a_young_agent_costs_less(manager: AWSClientManager, clock: Clock) -> None:
    """The control: the fit is of agents that have found patterns, and one of an hour misses it."""
    life = born(manager, clock, types=1)
    found, learned = counted(life, 4)
    expected = consolidation.learning_run(1, 1, sum(learned) / 4, 10)
    assert found.write_units < expected.write_units / 2


def test_the_archive(manager: AWSClientManager, clock: Clock, bucket: Bucket) -> None:
    """A day is read once and put once, and again when an outcome comes for it."""
    life = born(manager, clock, types=4, kilobytes=4.0)
    life.live(timedelta(hours=23, minutes=59))
    # the outcomes of the day's last cycle are told after that
    clock.advance(minutes=5)
    life.consolidated()
    decisions = 4 * 143
    assert bucket.requests == {"put": 1}
    (stored,) = map(len, bucket.objects.values())
    assert stored == pytest.approx(consolidation.archived_bytes(4) * decisions, rel=0.1)
    life.live(timedelta(hours=23, minutes=55))
    life.consolidated()
    bucket.requests.clear()
    clock.advance(minutes=10)
    with AwsMeter(manager.dynamodb) as meter:
        life.consolidated()
    assert bucket.requests == {"put": 2, "get": 1}
    two = consolidation.archived_day(2 * decisions, 4, capacity.OUTCOME_ITEM)
    assert meter.read_units == pytest.approx(two.read_units, rel=0.25)


def test_what_is_stored(manager: AWSClientManager, clock: Clock) -> None:
    """A day of log takes what the model says, in the table and in its indexes."""
    life = born(manager, clock, types=4, kilobytes=4.0)
    life.live(timedelta(days=1, minutes=10))
    name = manager.store.name_of(DECISIONS)
    pages = manager.dynamodb.get_paginator("scan").paginate(TableName=name)
    found = [from_wire(item) for page in pages for item in page["Items"]]
    entries = [entry(index, item) for item in found for index in DECISIONS.indexes]
    told = sum(str(item["sk"]).endswith("#O") for item in found)
    made = len(found) - told
    day = Workload(
        agents=1,
        cycles_per_day=made / 4,
        decisions_per_cycle=4,
        outcomes=told / made,
        saves_per_cycle=0,
        signals_per_cycle=0,
        retention_days=1,
    )
    in_table = sum(size(item) + storage.ITEM for item in found)
    in_indexes = sum(size(each) + storage.ITEM for each in entries if each)
    assert storage.log_bytes(day) == pytest.approx(in_table, rel=0.1)
    assert storage.index_bytes(day) == pytest.approx(in_indexes, rel=0.1)
