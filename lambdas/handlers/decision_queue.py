"""The decision log behind a queue: each message is carried out, or left for another try.

A message that cannot be carried out stays on the queue and, after its last try, goes to the
dead-letter queue. Retrying is right even for bad input: an outcome may have overtaken its
decision, and whatever is wrong is kept for a person to see, not dropped.
"""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.decisions import messages
from lambdas.connection import client_manager
from lambdas.queued import take_each

logger = Logger()
metrics = Metrics()
tracer = Tracer()


def carry_out(body: str) -> None:
    """Carry out one message."""
    messages.carry_out(client_manager().store, messages.parse(body))
    metrics.add_metric("MessagesCarriedOut", MetricUnit.Count, 1)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carry out a batch of messages and report those that failed."""
    return take_each(event, context, carry_out, metrics=metrics, failures="MessagesFailed")
