"""Positions: every arrival is dealt with once, whenever runs happen and arrivals show up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from daybook.models.identity import microseconds
from daybook.progress import Arrival, Position

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def arrival(at: datetime, name: str = "x") -> Arrival:
    """Make an arrival of this moment."""
    return Arrival(microseconds(at), f"D#{name}#O", name, None)


def test_old_arrivals_are_settled() -> None:
    """What is older than two minutes is done by its time alone, but for its last microsecond."""
    old = arrival(NOW - timedelta(minutes=5))
    older = arrival(NOW - timedelta(minutes=6), "y")
    position = Position().after([older, old], NOW)
    assert position.settled == old.arrived_at
    assert position.done == {old.fingerprint: old.arrived_at}
    assert position.is_done(old)
    assert position.is_done(older)
    assert not position.is_done(arrival(NOW - timedelta(minutes=5), "another"))


def test_recent_arrivals_are_named() -> None:
    """One of the last two minutes is done by name: an older one may still show up."""
    position = Position().after([arrival(NOW, "seen")], NOW)
    assert position.is_done(arrival(NOW, "seen"))
    assert not position.is_done(arrival(NOW - timedelta(seconds=30), "late"))


def test_position_survives_json() -> None:
    """A position reads back equal."""
    position = Position().after([arrival(NOW, "a"), arrival(NOW, "b")], NOW)
    assert Position.read(position.document) == position


def test_nothing_is_passed_that_cannot_be_named() -> None:
    """A tail longer than a position can hold waits; what is old does not count against it."""
    old = [arrival(NOW - timedelta(hours=1), f"old{n}") for n in range(10)]
    tail = [arrival(NOW, f"new{n:05d}") for n in range(20_100)]
    passed = list(Position().new_among([*old, *tail], NOW))
    assert len(passed) == 10 + 20_000
    position = Position().after(passed, NOW)
    assert list(position.new_among(tail, NOW)) == []
    later = NOW + timedelta(minutes=3)
    rest = list(position.new_among(tail, later))
    assert rest == tail[20_000:]


@given(
    delays=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 119)), max_size=60),
    runs=st.lists(st.integers(0, 900), max_size=12),
    cut=st.integers(1, 7),
)
def test_each_arrival_is_done_once(
    delays: list[tuple[int, int]], runs: list[int], cut: int
) -> None:
    """Whatever becomes visible within two minutes of its stamp is done by just one run."""
    # stamped at `at` seconds, visible `delay` seconds later
    arrivals = [
        (arrival(NOW + timedelta(seconds=at), str(number)), at + delay)
        for number, (at, delay) in enumerate(delays)
    ]
    position = Position()
    done: list[Arrival] = []
    for moment in [*sorted(runs), 2000]:
        now = NOW + timedelta(seconds=moment)
        visible = sorted(
            each
            for each, seen in arrivals
            if seen <= moment and each.arrived_at >= position.settled
        )
        fresh = list(position.new_among(visible, now))
        for start in range(0, len(fresh), cut):
            position = position.after(fresh[start : start + cut], now)
        done += fresh
    assert sorted(done) == sorted(each for each, _ in arrivals)
