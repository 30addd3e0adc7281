"""What every planner does: a message for each agent that is due, and two numbers to watch."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas import agent_messages

Due = tuple[str, timedelta]
"""An agent, and how long what makes it due has waited."""


class Census:
    """Counts agents as they go by, and remembers the longest wait of all."""

    def __init__(self) -> None:
        self.count = 0
        self.longest_wait = timedelta()

    def ids(self, agents: Iterable[Due]) -> Iterator[str]:
        """Yield the agents' ids."""
        for agent_id, waiting in agents:
            self.count += 1
            self.longest_wait = max(self.longest_wait, waiting)
            yield agent_id


def plan(agents: Iterable[Due], metrics: Metrics, *, count: str, lag: str) -> dict[str, int]:
    """Send a message for each agent, and publish how many and how late; say how many.

    The lag is measured here, and not by the workers, so that it is also seen when none runs.
    """
    census = Census()
    try:
        sent = agent_messages.send(census.ids(agents))
    finally:
        metrics.add_metric(count, MetricUnit.Count, census.count)
        metrics.add_metric(lag, MetricUnit.Seconds, census.longest_wait.total_seconds())
    return {"agents": sent}
