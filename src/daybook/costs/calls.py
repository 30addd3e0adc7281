"""How often a workload calls each function in a month, and what for."""

from collections.abc import Mapping
from dataclasses import dataclass

from daybook.costs.consolidation import MERGES_A_DAY
from daybook.costs.deployment import (
    FUNCTIONS,
    NEWS_WINDOW_SECONDS,
    PLANNED_EVERY,
    SHARDS,
    Fn,
)
from daybook.costs.workload import DAYS_A_MONTH, Workload

_DAY_MINUTES = 24 * 60
_DUE_MINUTES = 7
"""An agent stays due so long after its last news: `WatchedAgent.is_due`."""

_HOURS_A_DAY = 24


@dataclass(frozen=True)
class Calls:
    """Calls of each function in a month.

    `noted` counts how often the watch list is told of an agent, `learning_runs` and `idle_runs`
    what the workers do; `closed_hours` are the runs in which an hour is rolled up, and `merges`
    those with which six hours are over.
    """

    by_function: Mapping[Fn, float]
    noted: float
    learning_runs: float
    idle_runs: float
    closed_hours: float
    merges: float

    def gb_seconds(self, function: Fn) -> float:
        """Return what the calls of a function take."""
        return self.by_function[function] * FUNCTIONS[function].gb_seconds


def calls_of(workload: Workload) -> Calls:
    """Return the calls of a month.

    Cycles lie evenly over the day, and each is over within a minute: what is in a stream by then
    comes to `news` in one batch.
    """
    cycles = workload.cycles_per_day
    agent_days = workload.agents * DAYS_A_MONTH
    most = planned_a_day(Fn.PLANNER)
    told = cycles * min(1.0, workload.decisions_per_cycle * workload.outcomes)
    learning = min(most, told)
    hours, days = min(_HOURS_A_DAY, cycles), min(1, cycles)
    late = _DUE_MINUTES / PLANNED_EVERY[Fn.PLANNER]
    runs = min(most, cycles * (1 + late) + hours + days)
    changed = cycles * min(1.0, workload.saves_per_cycle)
    kept = min(planned_a_day(Fn.KEEPING_PLANNER), changed)
    streams = [each for each in (cycles, changed) if each]
    by_function = dict.fromkeys(Fn, 0.0) | {
        Fn.API: _api_requests(workload),
        Fn.NEWS: sum(_batches(workload.agents * each) for each in streams) * DAYS_A_MONTH,
        Fn.PLANNER: most * DAYS_A_MONTH,
        Fn.WORKER: runs * agent_days,
        Fn.KEEPING_PLANNER: planned_a_day(Fn.KEEPING_PLANNER) * DAYS_A_MONTH,
        Fn.KEEPER: kept * agent_days,
        Fn.ROUTER: workload.cycles * workload.signals_per_cycle,
    }
    return Calls(
        by_function=by_function,
        noted=sum(streams) * agent_days,
        learning_runs=learning * agent_days,
        idle_runs=(runs - learning) * agent_days,
        closed_hours=hours * agent_days,
        merges=min(MERGES_A_DAY, learning) * agent_days,
    )


def planned_a_day(planner: Fn) -> float:
    """Return how often a day a schedule calls a planner."""
    return _DAY_MINUTES / PLANNED_EVERY[planner]


def _batches(changes: float) -> float:
    """Return how many batches of a day's changes there are: at most one a window and shard."""
    return min(changes, SHARDS * _HOURS_A_DAY * 3_600 / NEWS_WINDOW_SECONDS)


def _api_requests(workload: Workload) -> float:
    """Return the requests of a month at the API: one for each verb.

    Of a signal these are publishing and acknowledging it; of a cycle with signals a claim and a
    heartbeat.
    """
    if workload.door != "api":
        return 0.0
    signals = workload.signals_per_cycle
    of_signals = signals * 2 + 2 if signals else 0
    saves = workload.saves_per_cycle
    each = workload.decisions_per_cycle * (1 + workload.outcomes)
    each += saves + min(1.0, saves) + of_signals
    return workload.cycles * each + workload.recalls
