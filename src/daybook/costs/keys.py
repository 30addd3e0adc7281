"""How often DynamoDB asks for the key of a table: an estimate, from what AWS says of its cache.

The tables are encrypted with AWS's managed key, whose requests are billed. DynamoDB asks for a
table's key "once every 5 minutes per client connection with active traffic" (developer guide,
"Encryption at rest: how it works"). Here an agent has one connection, and so has each function; a
program with many at once asks more often. No test can hold this.
"""

from daybook.costs.calls import Calls
from daybook.costs.deployment import Fn
from daybook.costs.workload import DAYS_A_MONTH, HOURS_A_MONTH, Workload

KEPT_MINUTES = 5

_TABLES_OF = {
    Fn.NEWS: 1,
    Fn.PLANNER: 1,
    Fn.WORKER: 2,
    Fn.KEEPING_PLANNER: 1,
    Fn.KEEPER: 2,
    Fn.ROUTER: 1,
}
"""How many tables each function's role reaches; the API's are those of its agents."""


def key_requests(workload: Workload, calls: Calls) -> float:
    """Return the requests of a month: once for each connection, table and time of use."""
    behind_api = workload.door == "api"
    connections = 1 if behind_api else workload.agents
    cycles = workload.cycles_per_day * (workload.agents if behind_api else 1)
    tables = 1 + sum(
        bool(each)
        for each in (workload.recalls, workload.saves_per_cycle, workload.signals_per_cycle)
    )
    asked = connections * tables * _times_asked(cycles)
    return asked + sum(
        reached * _times_asked(_times(function, workload, calls))
        for function, reached in _TABLES_OF.items()
    )


def _times(function: Fn, workload: Workload, calls: Calls) -> float:
    """Return how often a day a function is called; those that a plan calls at once count once."""
    a_day = calls.by_function[function] / DAYS_A_MONTH
    return a_day / workload.agents if function in {Fn.WORKER, Fn.KEEPER} else a_day


def _times_asked(times_a_day: float) -> float:
    """Return in how many of a month's windows, in which a key is kept, something happens."""
    windows_a_day = 24 * 60 / KEPT_MINUTES
    return min(times_a_day, windows_a_day) / 24 * HOURS_A_MONTH
