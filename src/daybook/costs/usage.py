"""From a workload to what it uses in a month, part by part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from daybook.costs import capacity, consolidation
from daybook.costs.calls import Calls, calls_of
from daybook.costs.capacity import Capacity
from daybook.costs.deployment import (
    ACCESS_LOG_BYTES,
    ALARMS,
    FUNCTIONS,
    LOG_RETENTION_DAYS,
    LONG_POLL_SECONDS,
    MESSAGES_A_SEND,
    METRICS,
    POLLED_QUEUES,
    POLLERS,
    Fn,
    When,
)
from daybook.costs.keys import key_requests
from daybook.costs.prices import Meter
from daybook.costs.storage import archive_bytes, index_bytes, table_bytes
from daybook.costs.workload import DAYS_A_MONTH, HOURS_A_MONTH, Workload

_GIGABYTE = 1024**3
_SECONDS = HOURS_A_MONTH * 3_600
_LOG_PACKED = 0.15
"""Old logs are kept packed; the share is that of AWS's own example of their price."""


@dataclass(frozen=True)
class Use:
    """What one part uses in a month: requests of any kind, and what each meter counts."""

    part: str
    requests: float = 0.0
    amounts: Mapping[Meter, float] = field(default_factory=dict)


def usage(workload: Workload) -> tuple[Use, ...]:
    """Return what a workload uses in a month, in the order of the agents' day.

    A part that is not used is there with nothing.
    """
    calls = calls_of(workload)
    return (
        *_verbs(workload),
        _checkpoints(workload, calls),
        _signals(workload, calls),
        _part("news", capacity.note_news() * calls.noted, calls, Fn.NEWS),
        _consolidation(workload, calls),
        _archive(workload),
        _api(calls),
        _schedules(workload, calls),
        _queues(calls),
        _storage(workload),
        Use("backups", 0, {Meter.RECOVERY_GB: table_bytes(workload) / _GIGABYTE}),
        _keys(workload, calls),
        _logs(workload, calls),
        _metrics(calls),
        Use("alarms", 0, {Meter.ALARMS: ALARMS}),
        Use("traces", 0, {Meter.TRACES: sum(map(_traced, calls.by_function.values()))}),
    )


def _verbs(workload: Workload) -> Iterator[Use]:
    """Yield what agents do by themselves; at whichever door, it comes to the tables in the end."""
    size, decisions = workload.decision_kb, workload.decisions
    saves = workload.cycles * workload.saves_per_cycle
    loads = min(saves, workload.cycles)
    yield _part("decisions", capacity.log_decision(size) * decisions)
    yield _part("outcomes", capacity.log_outcome(size) * (decisions * workload.outcomes))
    yield _part("recall", capacity.recall() * workload.recalls)
    yield _part(
        "state",
        capacity.save_state(workload.state_kb) * saves
        + capacity.load_state(workload.state_kb) * loads,
    )


def _checkpoints(workload: Workload, calls: Calls) -> Use:
    taken = calls.by_function[Fn.KEEPER]
    each = capacity.automatic_checkpoint(workload.state_kb)
    # each time the bucket is asked for bodies that no state needs any more
    return _part("checkpoints", each * taken, calls, Fn.KEEPER, {Meter.PUTS: taken})


def _signals(workload: Workload, calls: Calls) -> Use:
    sent = workload.cycles * workload.signals_per_cycle
    asked = workload.cycles if sent else 0
    taken = capacity.publish_signal(workload.agents) + capacity.deliver_signal()
    of_each = (taken + capacity.settle_signal()) * sent
    of_cycles = (capacity.ask_inbox() + capacity.heartbeat()) * asked
    return _part("signals", of_each + of_cycles, calls, Fn.ROUTER, {Meter.EVENTS: sent})


def _consolidation(workload: Workload, calls: Calls) -> Use:
    types = consolidation.types_of(workload.decisions_per_cycle)
    told = workload.decisions * workload.outcomes
    outcomes = told / calls.learning_runs if calls.learning_runs else 0
    run = consolidation.learning_run(
        types, workload.decision_kb, outcomes, workload.retention_days
    )
    taken = (
        run * calls.learning_runs
        + consolidation.IDLE * calls.idle_runs
        + consolidation.closed_hour() * calls.closed_hours
        + consolidation.merged(types) * calls.merges
    )
    return _part("consolidation", taken, calls, Fn.WORKER)


def _archive(workload: Workload) -> Use:
    """Return a file a day and agent, and one more: outcomes that come past midnight rewrite it."""
    days = workload.agents * DAYS_A_MONTH * min(1, workload.cycles_per_day)
    decisions = workload.decisions / days
    outcome = capacity.OUTCOME_ITEM * workload.outcomes
    taken = consolidation.archived_day(decisions, workload.decision_kb, outcome) * (2 * days)
    stored = {
        Meter.PUTS: 2 * days,
        Meter.GETS: days,
        Meter.BUCKET_GB: archive_bytes(workload) / _GIGABYTE,
    }
    return _part("archive", taken, also=stored)


def _api(calls: Calls) -> Use:
    requests = calls.by_function[Fn.API]
    return _part("api", Capacity(), calls, Fn.API, {Meter.API_REQUESTS: requests})


def _schedules(workload: Workload, calls: Calls) -> Use:
    planned = calls.by_function[Fn.PLANNER] + calls.by_function[Fn.KEEPING_PLANNER]
    gb_seconds = calls.gb_seconds(Fn.PLANNER) + calls.gb_seconds(Fn.KEEPING_PLANNER)
    amounts = {Meter.SCHEDULED: planned, Meter.CALLS: planned, Meter.GB_SECONDS: gb_seconds}
    return _part("schedules", capacity.plan(workload.agents) * planned, also=amounts)


def _queues(calls: Calls) -> Use:
    """Return the polls that find nothing, and what messages take: sent by ten, taken, deleted."""
    polls = len(POLLED_QUEUES) * POLLERS * _SECONDS / LONG_POLL_SECONDS
    messages = calls.by_function[Fn.WORKER] + calls.by_function[Fn.KEEPER]
    requests = polls + messages * (2 + 1 / MESSAGES_A_SEND)
    return Use("queues", requests, {Meter.QUEUE_REQUESTS: requests})


def _storage(workload: Workload) -> Use:
    stored = table_bytes(workload) + index_bytes(workload)
    return Use("storage", 0, {Meter.TABLE_GB: stored / _GIGABYTE})


def _keys(workload: Workload, calls: Calls) -> Use:
    requests = key_requests(workload, calls)
    return Use("keys", requests, {Meter.KEY_REQUESTS: requests})


def _logs(workload: Workload, calls: Calls) -> Use:
    written = sum(
        made * FUNCTIONS[function].log_bytes for function, made in calls.by_function.items()
    )
    written += calls.by_function[Fn.API] * ACCESS_LOG_BYTES
    months = min(LOG_RETENTION_DAYS, workload.retention_days) / DAYS_A_MONTH
    kept = written * months * _LOG_PACKED
    amounts = {Meter.LOG_GB: written / _GIGABYTE, Meter.LOG_ARCHIVE_GB: kept / _GIGABYTE}
    return Use("logs", 0, amounts)


def _metrics(calls: Calls) -> Use:
    """Return the metrics: each is billed for the hours in which it was sent."""
    hours = {
        function: min(1.0, made / HOURS_A_MONTH) for function, made in calls.by_function.items()
    }
    sent = sum(
        hours[metric.function] for metric in METRICS.values() if metric.when is not When.SELDOM
    )
    return Use("metrics", 0, {Meter.METRICS: sent})


def _traced(made: float) -> float:
    """Return how many calls X-Ray records: one a second, and of those beyond the twentieth."""
    return min(made, _SECONDS) + max(0.0, made - _SECONDS) * 0.05


def _part(
    part: str,
    taken: Capacity,
    calls: Calls | None = None,
    function: Fn | None = None,
    also: Mapping[Meter, float] | None = None,
) -> Use:
    """Return a part that takes capacity, calls a function, and whatever else there is."""
    amounts = {Meter.WRITE_UNITS: taken.write_units, Meter.READ_UNITS: taken.read_units}
    if calls and function:
        amounts[Meter.CALLS] = calls.by_function[function]
        amounts[Meter.GB_SECONDS] = calls.gb_seconds(function)
    amounts |= also or {}
    counted = sum(amounts.get(meter, 0.0) for meter in _REQUESTS)
    return Use(part, taken.requests + counted, amounts)


_REQUESTS = (
    Meter.CALLS,
    Meter.EVENTS,
    Meter.API_REQUESTS,
    Meter.SCHEDULED,
    Meter.PUTS,
    Meter.GETS,
)
"""Meters that count requests; DynamoDB's are counted beside its units."""
