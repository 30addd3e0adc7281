"""Follows the stream of the decision log, and notes which agents have something new.

A batch that fails is tried again whole, by parts, until it succeeds: noting an agent twice
does no harm. So nothing is reported as failed in part; a half-noted batch simply raises.
"""

from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.models.identity import AGENT_ID
from daybook.progress.registry import note_news
from daybook.store.keys import ARRIVING
from lambdas.connection import client_manager

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Note every agent in whose log something has arrived."""
    del context
    agents = set(arrivals(event))
    note_news(client_manager().store, agents)
    metrics.add_metric("AgentsWithNews", MetricUnit.Count, len(agents))


def arrivals(event: dict[str, Any]) -> Iterator[str]:
    """Yield the agent of each record that is a decision, an outcome or a late mark.

    Anything else in the table is not Daybook's, and would fail however often it was tried.
    """
    for record in event["Records"]:
        keys = record["dynamodb"]["Keys"]
        agent_id, sort_key = keys["pk"].get("S", ""), keys["sk"].get("S", "")
        if AGENT_ID.fullmatch(agent_id) and sort_key.startswith(ARRIVING):
            yield agent_id
        else:
            logger.warning("a record that is not Daybook's", extra={"keys": keys})
