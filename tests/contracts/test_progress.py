"""What every backend must do for jobs: arrivals, heads and the lease."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daybook import (
    AWSClientManager,
    ConsolidationBusyError,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    OvertakenError,
)
from daybook.models.identity import microseconds
from daybook.progress import Head, Position, commit, leased, read_arrivals, read_heads
from daybook.progress.leases import LENGTH
from daybook.store import MEMORY, Store, keys
from daybook.store.attributes import Item
from daybook.store.requests import Put
from tests.clocks import Clock
from tests.contracts.conftest import BY_TABLES

# these speak to the tables themselves, and no verb of an agent is among them
pytestmark = pytest.mark.parametrize("client_manager", BY_TABLES, indirect=True)


@pytest.fixture
def store(client_manager: AWSClientManager) -> Store:
    """Give the store of a backend."""
    return client_manager.store


def decide(log: DecisionLogger, **details: object) -> str:
    """Log a decision about nothing much."""
    kind = DecisionType.OTHER
    return log.log_decision(kind, selected="a", confidence=0.5, **details)  # type: ignore[arg-type]


def test_arrivals_come_in_order(
    store: Store, log: DecisionLogger, memory: MemoryManager, clock: Clock
) -> None:
    """Outcomes and late decisions are told in the order in which they arrived."""
    first, second = decide(log), decide(log)
    for decision_id in (second, first):
        clock.advance(seconds=1)
        log.log_outcome(decision_id, DecisionType.OTHER, success=True)
    clock.advance(seconds=1)
    late = decide(log, decided_at=clock() - timedelta(days=3))
    found = list(read_arrivals(store, memory.agent_id, 0))
    assert [str(each.decision_id(memory.agent_id)) for each in found] == [second, first, late]
    assert [each.outcome is None for each in found] == [False, False, True]
    assert list(read_arrivals(store, memory.agent_id, found[1].arrived_at)) == found[1:]


def test_head_moves_with_what_is_written(store: Store, memory: MemoryManager) -> None:
    """A head and what belongs to it are written together, and read back equal."""
    item: Item = {"pk": memory.agent_id, "sk": "T#1", "text": "x"}
    position = Position(5, {1 << 63: 6})
    head = commit(
        store,
        Head(memory.agent_id, "job"),
        position=position,
        notes={"a": [1.5]},
        also=[Put(table=MEMORY, item=item)],
    )
    assert read_heads(store, memory.agent_id) == {"job": head}
    assert (head.version, head.position, head.notes) == (1, position, {"a": [1.5]})
    assert store.get(MEMORY, {"pk": memory.agent_id, "sk": "T#1"}) == item


def test_stale_worker_writes_nothing(store: Store, memory: MemoryManager) -> None:
    """A worker whose head has moved is told, and what it meant to write is not there."""
    stale = Head(memory.agent_id, "job")
    commit(store, stale, notes={"by": "another"})
    item: Item = {"pk": memory.agent_id, "sk": "T#1"}
    for also in ([], [Put(table=MEMORY, item=item)]):
        with pytest.raises(OvertakenError, match="job"):
            commit(store, stale, notes={"by": "me"}, also=also)
    assert read_heads(store, memory.agent_id)["job"].notes == {"by": "another"}
    assert store.get(MEMORY, item) is None


def test_lease_excludes(store: Store, memory: MemoryManager) -> None:
    """While one holds the lease another is told so; once given back it can be had."""
    with (
        leased(store, memory.agent_id) as lease,
        pytest.raises(ConsolidationBusyError, match="under way"),
        leased(store, memory.agent_id),
    ):
        pass
    with leased(store, memory.agent_id) as later:
        assert later.fence > lease.fence
        assert not later.inherited


def test_lease_ends(store: Store, memory: MemoryManager, clock: Clock) -> None:
    """A lease that is not prolonged can be taken over, and its holder can write no more."""
    with leased(store, memory.agent_id) as lease:
        clock.advance(seconds=LENGTH.total_seconds() + 1)
        with leased(store, memory.agent_id) as successor:
            assert successor.inherited
            head = Head(memory.agent_id, "job")
            with pytest.raises(OvertakenError):
                commit(store, head, also=[lease.check])
            commit(store, head, also=[successor.check])
        with pytest.raises(OvertakenError, match="taken over"):
            lease.renewed()


def test_lease_is_prolonged(store: Store, memory: MemoryManager, clock: Clock) -> None:
    """A worker that goes on prolongs its lease, and keeps others out for longer."""
    with leased(store, memory.agent_id) as first:
        assert first.renewed() is first
        clock.advance(seconds=LENGTH.total_seconds() * 0.9)
        lease = first.renewed()
        clock.advance(seconds=LENGTH.total_seconds() * 0.9)
        with pytest.raises(ConsolidationBusyError), leased(store, memory.agent_id):
            pass
        commit(store, Head(memory.agent_id, "job"), also=[lease.check])


def test_dead_holder_is_outwaited(store: Store, memory: MemoryManager, clock: Clock) -> None:
    """A lease that nobody prolongs is taken over by our own watch, whatever the clocks say."""
    clock.now = datetime(2036, 1, 1, tzinfo=UTC)
    slept: list[float] = []
    with leased(store, memory.agent_id) as dead:
        clock.now = datetime(2026, 1, 1, tzinfo=UTC)
        wait = LENGTH + timedelta(seconds=5)
        with leased(store, memory.agent_id, wait=wait, sleep=slept.append) as successor:
            assert successor.fence == dead.fence + 1
    assert LENGTH.total_seconds() <= sum(slept) < LENGTH.total_seconds() + 1


def test_another_waiter_that_won_is_waited_for(
    store: Store, memory: MemoryManager, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch over a dead holder begins anew for the one who takes its place."""
    lease = keys.lease(memory.agent_id) | {"until": microseconds(clock() + 100 * LENGTH)}
    store.put(MEMORY, lease | {"fence": 1, "owner": "dead"})
    replace = Store.replace
    lost: list[Any] = []

    def lose_once(*arguments: Any) -> Item | None:
        if not lost:
            lost.append(arguments)
            store.put(MEMORY, lease | {"fence": 2, "owner": "rival"})
        return replace(*arguments)

    monkeypatch.setattr(Store, "replace", lose_once)
    wait = LENGTH + timedelta(seconds=30)
    with (
        pytest.raises(ConsolidationBusyError),
        leased(store, memory.agent_id, wait=wait, sleep=lambda _: None),
    ):
        pytest.fail("the rival's lease was taken over")
    assert lost


def test_a_holder_that_fails_says_so(store: Store, memory: MemoryManager) -> None:
    """Its lease is free at once, and the next one knows that something may be left."""
    with suppress(ZeroDivisionError), leased(store, memory.agent_id):
        raise ZeroDivisionError
    with leased(store, memory.agent_id) as next_one:
        assert next_one.inherited
    with leased(store, memory.agent_id) as after:
        assert not after.inherited
