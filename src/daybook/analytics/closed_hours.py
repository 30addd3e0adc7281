"""What statistics take from rollups: whole hours that have closed, as they are at one moment."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from daybook.analytics.latecomers import decided_at, read_latecomers
from daybook.analytics.rolling import HOUR, JOB, closed_until, hour_of
from daybook.analytics.rollup_items import read_hours
from daybook.analytics.rollups import HourRollup
from daybook.models.identity import EPOCH
from daybook.progress import Arrival, Head, read_arrivals
from daybook.progress.heads import read_head
from daybook.store import Store

TRIES = 5
"""Times that rollups are read when a run writes meanwhile; between its writes lie reads."""

_MARKS = 100


class ClosedHours(NamedTuple):
    """The hours from `first` up to `until`, merged. They hold what `head` has done."""

    head: Head
    first: datetime
    until: datetime
    rollup: HourRollup


def read_closed_hours(store: Store, agent_id: str, since: datetime | None) -> ClosedHours | None:
    """Return the closed hours from the first whole one since then (None: from the beginning).

    None if there are none, or if runs kept writing while they were read. Two requests, more
    past a megabyte of rollups, and again for each run that got in between.
    """
    first = _whole_hour(since)
    for _ in range(TRIES):
        head = read_head(store, agent_id, JOB)
        until = closed_until(head)
        if until is None or first >= until:
            return None
        rollup, newest = HourRollup(), 0
        for hour in read_hours(store, agent_id, first, until - HOUR):
            rollup.merge(hour.rollup)
            newest = max(newest, hour.version)
        # a later version holds arrivals that this head does not know to be done
        if newest <= head.version:
            return ClosedHours(head, first, until, rollup)
    return None


def with_unrolled(store: Store, hours: ClosedHours) -> HourRollup:
    """Return the rollup of these hours with what has arrived for them since the last run."""
    rollup = HourRollup().merge(hours.rollup)
    agent_id, position = hours.head.agent_id, hours.head.position
    unrolled = (
        arrival
        for arrival in read_arrivals(store, agent_id, position.settled)
        if not position.is_done(arrival) and hours.first <= decided_at(arrival.uuid) < hours.until
    )
    for run in _runs(unrolled):
        for arrival in run:
            if arrival.outcome is not None:
                rollup.add_outcome(arrival.outcome)
        marks = [arrival for arrival in run if arrival.outcome is None]
        for decision in read_latecomers(store, agent_id, marks).values():
            if decision is not None:
                rollup.add_decision(decision)
    return rollup


def _runs(arrivals: Iterator[Arrival]) -> Iterator[list[Arrival]]:
    while run := list(islice(arrivals, _MARKS)):
        yield run


def _whole_hour(since: datetime | None) -> datetime:
    """Return the start of the first hour of which nothing lies before `since`."""
    moment = max(since or EPOCH, EPOCH)
    start = hour_of(moment)
    return start if start == moment else start + HOUR
