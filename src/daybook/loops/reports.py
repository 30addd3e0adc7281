"""Metrics of loops, made of what each reports of itself. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from daybook.analytics.sketches import LatencySketch
from daybook.loops.tally import Counts, merged, percentiles
from daybook.loops.working_memory import memory_metrics
from daybook.models.loops import (
    LoopMetrics,
    LoopState,
    Messages,
    SupervisorMetrics,
    WorkingMemoryMetrics,
)

NO_MESSAGES = Messages(sent=0, received=0, dropped=0, waiting=0)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a loop says of itself at one moment."""

    name: str
    state: LoopState
    counts: Counts
    step_ms: LatencySketch
    delay_ms: LatencySketch
    busy_s: float
    memory: WorkingMemoryMetrics


def loop_metrics(report: Report, messages: Messages) -> LoopMetrics:
    """Return the metrics of a loop, given its messages."""
    counts = report.counts
    return LoopMetrics(
        name=report.name,
        state=report.state,
        ticks=counts.ticks,
        failures=counts.failures,
        failures_in_a_row=counts.failures_in_a_row,
        restarts=counts.restarts,
        missed_beats=counts.missed_beats,
        step_ms=percentiles(report.step_ms),
        delay_ms=percentiles(report.delay_ms),
        busy_s=report.busy_s,
        last_error=counts.last_error,
        messages=messages,
        memory=report.memory,
    )


def supervisor_metrics(
    reports: Sequence[Report], total: Messages, by_name: dict[str, Messages]
) -> SupervisorMetrics:
    """Return the metrics of a supervisor, given the messages of all and by loop."""
    memories = [report.memory for report in reports]
    counts = [report.counts for report in reports]
    return SupervisorMetrics(
        states=dict(Counter(report.state for report in reports)),
        ticks=sum(each.ticks for each in counts),
        failures=sum(each.failures for each in counts),
        restarts=sum(each.restarts for each in counts),
        missed_beats=sum(each.missed_beats for each in counts),
        step_ms=percentiles(merged(report.step_ms for report in reports)),
        delay_ms=percentiles(merged(report.delay_ms for report in reports)),
        messages=total,
        memory=memory_metrics(
            entries=sum(each.entries for each in memories),
            blocks=sum(each.blocks for each in memories),
            plain_bytes=sum(each.plain_bytes for each in memories),
            packed_bytes=sum(each.packed_bytes for each in memories),
            unpacked_bytes=sum(each.unpacked_bytes for each in memories),
            forgotten=sum(each.forgotten for each in memories),
        ),
        loops=[loop_metrics(report, by_name[report.name]) for report in reports],
    )
