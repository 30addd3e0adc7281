"""The job that rolls an agent's log up into hours, each decision and each outcome once.

Outcomes, and decisions that arrived late, are added as they arrive (`roll_arrivals`). Other
decisions are counted when their hour has closed (`close_hours`), so they cost no request of
their own. Every change of a rollup is in one transaction with the job's head, on condition
that nobody has moved the head.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from daybook.analytics.latecomers import arrived_late, decided_at, read_latecomers
from daybook.analytics.rollup_items import StoredHour, fetch_hours, hour_item
from daybook.analytics.rollups import HourRollup
from daybook.decisions import digests
from daybook.decisions.digests import DecisionDigest
from daybook.decisions.recording import LATE_AFTER
from daybook.models import DecisionType
from daybook.models.identity import microseconds, moment_of
from daybook.models.json_values import JsonObject
from daybook.progress import LAG, Arrival, Head, Position, commit
from daybook.store import DECISIONS, MEMORY, Store, keys
from daybook.store.expressions import between, equals
from daybook.store.requests import Put, Write

JOB = "rollups"

HOUR = timedelta(hours=1)

CLOSED_AFTER = LATE_AFTER + LAG
"""How long after its end an hour closes.

A decision on time carries an arrival of up to a minute after the hour, and whatever arrives
may become visible two minutes after the time that it carries.
"""

MOST_HOURS = 90
"""Hours in one transaction, which takes 100 items: the head and the caller's check are two."""

MOST_DECISIONS = 20_000
"""Decisions that are read between two transactions, give or take an hour's."""

_CLOSED_UNTIL = "closed_until"


def closed_until(head: Head) -> datetime | None:
    """Return the end of the last hour that has been closed, or None when none has."""
    stored = head.notes.get(_CLOSED_UNTIL)
    return None if stored is None else moment_of(stored)


def hour_of(moment: datetime) -> datetime:
    """Return the start of the hour of a moment (UTC)."""
    return moment.replace(minute=0, second=0, microsecond=0)


def roll_arrivals(
    store: Store, head: Head, arrivals: Sequence[Arrival], now: datetime, also: Sequence[Write]
) -> Head:
    """Add what has arrived to the hours of its decisions, and return the head as it is then.

    `arrivals` are the oldest that the head's position has not done, in order; those that it
    has done are passed over. The mark of a decision that is not there yet is left undone for
    two minutes, and then counts nothing. `also` goes into every transaction. Raises
    OvertakenError when another worker has moved the head; what was written until then is
    whole, and the rest is not written.

    Requests: one for a hundred late marks, two for 90 hours.
    """
    fresh = [arrival for arrival in arrivals if not head.position.is_done(arrival)]
    marks = [arrival for arrival in fresh if arrival.outcome is None]
    late = read_latecomers(store, head.agent_id, marks)
    border = microseconds(now - LAG)
    ripe = [
        arrival
        for arrival in fresh
        if arrival.outcome or arrival.sort_key in late or arrival.arrived_at < border
    ]
    for part in _cut_by_hours(ripe):
        additions: dict[datetime, HourRollup] = {}
        for arrival in part:
            decision = late.get(arrival.sort_key)
            if arrival.outcome:
                additions.setdefault(_hour(arrival), HourRollup()).add_outcome(arrival.outcome)
            elif decision:
                additions.setdefault(_hour(arrival), HourRollup()).add_decision(decision)
        position = head.position.after(part, now)
        head = _add(store, head, additions, also, position=position)
    return head


def is_due(store: Store, head: Head, now: datetime) -> bool:
    """Whether `close_hours` has something to do. One request; none if no hour has closed."""
    return _first_open(store, head, now) is not None


def close_hours(store: Store, head: Head, now: datetime, also: Sequence[Write]) -> Head:
    """Count the decisions of the hours that have closed, and return the head as it is then.

    Those that arrived late are left out: their marks tell of them. `also` goes into every
    transaction. Raises OvertakenError as `roll_arrivals` does.

    Requests: none if no hour has closed, one if nothing was decided since; otherwise one a
    type (more past 1 MB of index), and two for 90 hours in which something was decided.
    """
    first = _first_open(store, head, now)
    if first is None:
        return head
    end = _end(now)
    additions: dict[datetime, HourRollup] = {}
    read = 0
    for start, decided in _decisions_by_hour(store, head.agent_id, first, end):
        if len(additions) == MOST_HOURS or read >= MOST_DECISIONS:
            head = _add(store, head, additions, also, notes=_closed(head, start))
            additions, read = {}, 0
        hour = HourRollup()
        for decision in decided:
            read += 1
            if not arrived_late(decision):
                hour.add_decision(decision)
        if hour.by_type:
            additions[start] = hour
    return _add(store, head, additions, also, notes=_closed(head, end))


def _add(
    store: Store,
    head: Head,
    additions: Mapping[datetime, HourRollup],
    also: Sequence[Write],
    *,
    position: Position | None = None,
    notes: JsonObject | None = None,
) -> Head:
    """Add to these hours and move the head, in one transaction.

    The hours need no conditions of their own: whoever writes one moves the head, so if they
    have changed since they were read, the head has moved and nothing is written.
    """
    standing = fetch_hours(store, head.agent_id, additions) if additions else {}
    version = head.version + 1
    hours = [
        StoredHour(start, version, standing.get(start, HourRollup()).merge(more))
        for start, more in additions.items()
    ]
    puts = [Put(table=MEMORY, item=hour_item(store, head.agent_id, hour)) for hour in hours]
    return commit(store, head, position=position, notes=notes, also=[*puts, *also])


def _first_open(store: Store, head: Head, now: datetime) -> datetime | None:
    """Return the first hour that can be closed now and in which something was decided.

    The stretch before it is passed over, so years without a decision cost nothing.
    """
    since, end = closed_until(head), _end(now)
    if since is not None and since >= end:
        return None
    window = keys.log_range(since, end)
    condition = equals("pk", head.agent_id) & between("sk", *window)
    for item in store.query(DECISIONS, condition, consistent=True, page_size=1):
        return hour_of(decided_at(keys.uuid_of(str(item["sk"]))))
    return None


def _decisions_by_hour(
    store: Store, agent_id: str, first: datetime, end: datetime
) -> Iterator[tuple[datetime, Iterator[DecisionDigest]]]:
    window = keys.log_range(first, end)
    by_type = [
        digests.read_decisions(store, agent_id, kind, window, newest_first=False)
        for kind in DecisionType
    ]
    together = heapq.merge(*by_type, key=lambda decision: decision.uuid)
    return groupby(together, key=lambda decision: hour_of(decided_at(decision.uuid)))


def _cut_by_hours(arrivals: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """Cut arrivals, in their order, into parts that touch few enough hours."""
    part: list[Arrival] = []
    hours: set[datetime] = set()
    for arrival in arrivals:
        hour = _hour(arrival)
        if hour not in hours and len(hours) == MOST_HOURS:
            yield part
            part, hours = [], set()
        part.append(arrival)
        hours.add(hour)
    if part:
        yield part


def _hour(arrival: Arrival) -> datetime:
    return hour_of(decided_at(arrival.uuid))


def _end(now: datetime) -> datetime:
    """Return the end of the last hour that is closed at this moment."""
    return hour_of(now - CLOSED_AFTER)


def _closed(head: Head, until: datetime) -> JsonObject:
    return head.notes | {_CLOSED_UNTIL: microseconds(until)}
