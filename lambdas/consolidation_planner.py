"""On a schedule: asks the registry who is due, and sends a message for each of them.

An event that comes twice sends every message twice, and the second finds nothing to do.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.progress.registry import RegisteredAgent, due_agents
from lambdas import consolidation_messages
from lambdas.connection import client_manager

logger = Logger()
metrics = Metrics()
tracer = Tracer()


class Census:
    """Counts agents as they go by, and remembers how long the oldest news of all has waited."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self.count = 0
        self.longest_wait = timedelta()

    def ids(self, agents: Iterable[RegisteredAgent]) -> Iterator[str]:
        """Yield the agents' ids."""
        for agent in agents:
            self.count += 1
            self.longest_wait = max(self.longest_wait, agent.waiting(self._now))
            yield agent.agent_id


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Send a message for each agent that is due; say how many."""
    del event, context
    store = client_manager().store
    now = store.clock()
    census = Census(now)
    try:
        sent = consolidation_messages.send(census.ids(due_agents(store, now)))
    finally:
        # measured here, and not by the workers, so that it is also seen when none of them runs
        metrics.add_metric("AgentsDue", MetricUnit.Count, census.count)
        lag = census.longest_wait.total_seconds()
        metrics.add_metric("ConsolidationLag", MetricUnit.Seconds, lag)
    return {"agents": sent}
