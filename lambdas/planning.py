"""What every planner does: a message for each agent that is due, and two numbers to watch."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas import agent_messages


class Due(Protocol):
    """What makes an agent due: news that has not been learned from, a state that is not kept."""

    @property
    def agent_id(self) -> str:
        """The agent."""

    def waiting(self, now: datetime) -> timedelta:
        """Return how long it has waited."""


def plan(
    agents: Iterable[Due], now: datetime, metrics: Metrics, *, count: str, lag: str
) -> dict[str, int]:
    """Send a message for each agent, and publish how many and how late; say how many.

    The lag is measured here, and not by the workers, so that it is also seen when none runs.
    """
    due, longest = 0, timedelta()

    def ids() -> Iterator[str]:
        nonlocal due, longest
        for agent in agents:
            due, longest = due + 1, max(longest, agent.waiting(now))
            yield agent.agent_id

    try:
        sent = agent_messages.send(ids())
    finally:
        metrics.add_metric(count, MetricUnit.Count, due)
        metrics.add_metric(lag, MetricUnit.Seconds, longest.total_seconds())
    return {"agents": sent}
