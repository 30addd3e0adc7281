"""What the stage `prod` deploys, as far as it costs; `tests/infra/test_costs.py` compares the two.

What a template cannot say is an estimate: how long a function runs and how much it logs.
"""

from dataclasses import dataclass
from enum import StrEnum


class Fn(StrEnum):
    """The functions, by the names of their constructs."""

    API = "agent-api"
    QUEUE = "decision-queue"
    NEWS = "news"
    PLANNER = "consolidation-planner"
    WORKER = "consolidation-worker"
    KEEPING_PLANNER = "checkpoint-planner"
    KEEPER = "checkpoint-worker"
    ROUTER = "signal-router"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Function:
    """A function's memory, and what a call of it takes on average.

    `seconds` are an estimate, with the start of a container where a call is mostly the first in
    one: AWS bills that, too. `log_bytes` are what is written to its log group: by the platform,
    by the logger, and as metrics.
    """

    memory_mb: int
    seconds: float
    log_bytes: int

    @property
    def gb_seconds(self) -> float:
        """What a call takes of memory, by the time that it takes it."""
        return self.memory_mb / 1_024 * self.seconds


FUNCTIONS: dict[Fn, Function] = {
    Fn.API: Function(1_024, 0.1, 900),
    Fn.QUEUE: Function(1_024, 0.3, 900),
    Fn.NEWS: Function(512, 0.2, 900),
    # every quarter of an hour, and every hour: a new container, mostly
    Fn.PLANNER: Function(512, 2.5, 900),
    Fn.WORKER: Function(1_769, 2.5, 2_200),
    Fn.KEEPING_PLANNER: Function(512, 2.5, 900),
    Fn.KEEPER: Function(1_769, 1.5, 900),
    Fn.ROUTER: Function(1_024, 0.3, 900),
    Fn.ROLLBACK: Function(1_769, 2.0, 900),
}

ACCESS_LOG_BYTES = 500
"""A line of the API's own log, for each request."""

PLANNED_EVERY = {Fn.PLANNER: 15, Fn.KEEPING_PLANNER: 60}
"""Minutes from one call of a planner by its schedule to the next."""

POLLED_QUEUES = ("decisions", "consolidation", "checkpoint")
"""The queues that Lambda polls, whether or not there is anything in them."""

POLLERS = 5
LONG_POLL_SECONDS = 20
"""Lambda has five polls of a queue under way at once, each as long as SQS allows.

Developer guide, "Configuring scaling behavior for SQS event source mappings": it may go down to
two where there is little to do and no maximum of concurrency is set, as it is here for two of the
three. Counted is the dearer.
"""

NEWS_WINDOW_SECONDS = 60
NEWS_STREAMS = 2
"""The streams that `news` follows, and how long Lambda gathers what is in them."""

SHARDS = 4
"""Shards of a stream: as many as a new table on demand has partitions. Each is read by itself."""

ALARMS = 33
LOG_RETENTION_DAYS = 365
MESSAGES_A_SEND = 10


class When(StrEnum):
    """When a metric is sent."""

    ALWAYS = "with each call"
    LOGGED = "with what it counts"
    SELDOM = "when something goes wrong, or somebody asks"


@dataclass(frozen=True)
class Metric:
    """A metric of a function's; AWS bills it for the hours in which it was sent."""

    function: Fn
    when: When = When.ALWAYS


METRICS: dict[str, Metric] = {
    "Requests": Metric(Fn.API),
    "DecisionsLogged": Metric(Fn.API, When.LOGGED),
    "OutcomesLogged": Metric(Fn.API, When.LOGGED),
    "RequestsRefused": Metric(Fn.API, When.SELDOM),
    "MessagesCarriedOut": Metric(Fn.QUEUE),
    "MessagesFailed": Metric(Fn.QUEUE, When.SELDOM),
    "AgentsWithNews": Metric(Fn.NEWS),
    "AgentsWithNewState": Metric(Fn.NEWS),
    "AgentsDue": Metric(Fn.PLANNER),
    "ConsolidationLag": Metric(Fn.PLANNER),
    "Runs": Metric(Fn.WORKER),
    "OutcomesLearned": Metric(Fn.WORKER),
    "OutcomesDamaged": Metric(Fn.WORKER),
    "PatternsCreated": Metric(Fn.WORKER),
    "PatternsUpdated": Metric(Fn.WORKER),
    "PatternsRetired": Metric(Fn.WORKER),
    "DaysArchived": Metric(Fn.WORKER),
    "DaysDamaged": Metric(Fn.WORKER),
    "RunsBusy": Metric(Fn.WORKER, When.SELDOM),
    "RunsContinued": Metric(Fn.WORKER, When.SELDOM),
    "RunsFailed": Metric(Fn.WORKER, When.SELDOM),
    "StatesChanged": Metric(Fn.KEEPING_PLANNER),
    "CheckpointLag": Metric(Fn.KEEPING_PLANNER),
    "CheckpointsTaken": Metric(Fn.KEEPER),
    "StateBodiesRemoved": Metric(Fn.KEEPER),
    "CheckpointsFailed": Metric(Fn.KEEPER, When.SELDOM),
    "SignalsRouted": Metric(Fn.ROUTER),
    "DeliveriesRouted": Metric(Fn.ROUTER),
    "SignalsDamaged": Metric(Fn.ROUTER, When.SELDOM),
    "SignalsDead": Metric(Fn.ROUTER, When.SELDOM),
    "RecordsFailed": Metric(Fn.ROUTER, When.SELDOM),
    "RollbacksAsked": Metric(Fn.ROLLBACK, When.SELDOM),
    "Rollbacks": Metric(Fn.ROLLBACK, When.SELDOM),
}
"""Each has one dimension, `service`, of one value, so a name is a metric."""
