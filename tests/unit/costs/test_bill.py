"""What a bill does whatever the workload: it grows, adds up, and gives what is free once."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.costs import PRICES, Meter, Workload, bill, capacity, usage
from daybook.costs.deployment import ALARMS

WORKLOADS = st.builds(
    Workload,
    agents=st.integers(1, 100_000),
    cycles_per_day=st.floats(0.1, 2_000),
    decisions_per_cycle=st.floats(0.1, 20),
    decision_kb=st.floats(0.1, 1_000),
    outcomes=st.floats(0, 1),
    recalls_per_cycle=st.none() | st.floats(0, 50),
    saves_per_cycle=st.floats(0, 10),
    state_kb=st.floats(0.1, 1_000),
    signals_per_cycle=st.floats(0, 10),
    retention_days=st.floats(1, 3_650),
    door=st.sampled_from(["tables", "api"]),
)
LESSER = (
    "cycles_per_day",
    "outcomes",
    "saves_per_cycle",
    "signals_per_cycle",
    "retention_days",
)
QUADRATIC = {"signals"}
"""Each signal reads who is there, which takes more the more there are."""

ROUNDING = 1 + 1e-9
DUST = 1e-9


def more(workload: Workload, **changes: object) -> Workload:
    """Return another workload like this one."""
    return workload.model_copy(update=changes)


@given(WORKLOADS)
def test_twice_the_agents(workload: Workload) -> None:
    """No part costs less, and none more than twice as much, before what is free."""
    one, two = bill(workload), bill(more(workload, agents=2 * workload.agents))
    for before, after in zip(one.lines, two.lines, strict=True):
        most = 4 if before.part in QUADRATIC else 2
        low, high = before.full_dollars, most * before.full_dollars
        assert low <= after.full_dollars * ROUNDING + DUST, before.part
        assert after.full_dollars <= high * ROUNDING + DUST, before.part
        assert before.dollars <= after.dollars * ROUNDING + DUST
    assert one.requests <= two.requests * ROUNDING


@given(
    WORKLOADS,
    st.sampled_from(LESSER),
    st.floats(0, 1),
)
def test_less_costs_no_more(workload: Workload, what: str, share: float) -> None:
    """Fewer cycles, saves, signals or days never cost more in all."""
    least = 0.1 if what in {"cycles_per_day", "retention_days"} else 0
    less = more(workload, **{what: max(least, getattr(workload, what) * share)})
    assert bill(less).dollars <= bill(workload).dollars * ROUNDING + DUST


@given(st.floats(0.01, 1_000), st.floats(0.01, 1_000))
def test_less_to_write_takes_no_more_units(one: float, other: float) -> None:
    """Bytes may be more: what fits into a unit as it is, is not packed, and what is larger is."""
    less, more_ = sorted((one, other))
    for verb in (capacity.log_decision, capacity.save_state, capacity.automatic_checkpoint):
        assert verb(less).write_units <= verb(more_).write_units
    for verb in (capacity.log_outcome, capacity.load_state):
        assert verb(less).read_units <= verb(more_).read_units


@given(WORKLOADS)
def test_what_is_free_is_given_once(workload: Workload) -> None:
    """The sum over the parts is what the sum of their use costs beyond the allowance."""
    used: Counter[Meter] = Counter()
    for use in usage(workload):
        used.update(use.amounts)
    expected = sum(
        PRICES[meter].of(max(0.0, amount - PRICES[meter].free)) for meter, amount in used.items()
    )
    made = bill(workload)
    assert made.dollars == pytest.approx(expected)
    assert made.full_dollars == pytest.approx(sum(PRICES[m].of(n) for m, n in used.items()))
    for line in made.lines:
        assert 0 <= line.dollars <= line.full_dollars * ROUNDING


@given(WORKLOADS)
def test_without_anything_free(workload: Workload) -> None:
    """Each part costs its price."""
    for line in bill(workload, free_tier=False).lines:
        assert line.dollars == pytest.approx(line.full_dollars)


def test_by_hand() -> None:
    """One agent, one decision a day of a kilobyte and nothing else, added up on paper."""
    alone = Workload(
        agents=1,
        cycles_per_day=1,
        decisions_per_cycle=1,
        decision_kb=1,
        outcomes=0,
        recalls_per_cycle=0,
        saves_per_cycle=0,
        signals_per_cycle=0,
    )
    parts = {use.part: use.amounts for use in usage(alone)}
    days = 730 / 24
    assert parts["decisions"][Meter.WRITE_UNITS] == pytest.approx(2 * days)
    # 2,920 quarters of an hour and 730 hours
    assert parts["schedules"][Meter.SCHEDULED] == 2_920 + 730
    # five polls of twenty seconds at each of three queues; a message is two requests and a tenth
    polls = 3 * 5 * 3 * 60 * 730
    assert parts["queues"][Meter.QUEUE_REQUESTS] > polls
    assert parts["queues"][Meter.QUEUE_REQUESTS] < polls + 1_000
    assert parts["alarms"] == {Meter.ALARMS: ALARMS}
    lines = {line.part: line for line in bill(alone).lines}
    assert lines["alarms"].dollars == pytest.approx(0.10 * (ALARMS - 10))
    assert lines["queues"].dollars == pytest.approx(0.4 * (polls / 1e6 - 1), rel=0.001)
    for unused in ("outcomes", "recall", "state", "checkpoints", "signals", "api"):
        assert lines[unused].full_dollars == 0, unused


def test_the_doors() -> None:
    """Through the API there is a request for each verb, and fewer ask for the tables' keys."""
    given_ = {"agents": 5, "cycles_per_day": 144, "decisions_per_cycle": 4}
    at_tables, at_api = (
        {use.part: use for use in usage(Workload.checked(**given_, door=door))}
        for door in ("tables", "api")
    )
    cycles = 5 * 144 * 730 / 24
    # 4 decisions, 4 outcomes, 4 recalls, a load, a save; publish, claim, acknowledge, heartbeat
    assert at_api["api"].amounts[Meter.API_REQUESTS] == pytest.approx(18 * cycles)
    assert not any(at_tables["api"].amounts.values())
    assert at_api["keys"].requests < at_tables["keys"].requests
    assert at_api["decisions"] == at_tables["decisions"]
