"""On a schedule: asks the watch list whose state has changed, and sends a message for each.

An event that comes twice sends every message twice, and the second finds nothing to do.
"""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.progress.changed_states import changed_states
from lambdas.connection import client_manager
from lambdas.planning import plan

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Send a message for each agent whose state has changed; say how many."""
    del event, context
    store = client_manager().store
    due = changed_states(store)
    return plan(due, store.clock(), metrics, count="StatesChanged", lag="CheckpointLag")
