"""The decision log behind a queue: each message is carried out, or left for another try.

A message that cannot be carried out stays on the queue and, after its last try, goes to the
dead-letter queue. Retrying is right even for bad input: an outcome may have overtaken its
decision, and whatever is wrong is kept for a person to see, not dropped.
"""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.decisions import messages
from lambdas.connection import client_manager

logger = Logger()
metrics = Metrics()
tracer = Tracer()
# a batch in which every message fails is still a partial failure: each is tried by itself
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


def carry_out(record: SQSRecord) -> None:
    """Carry out one message. What it raises leaves this message, and no other, on the queue."""
    try:
        messages.carry_out(client_manager().store, messages.parse(record.body))
    except Exception as error:
        metrics.add_metric("MessagesFailed", MetricUnit.Count, 1)
        logger.warning(
            "the message is left for another try",
            extra={"message_id": record.message_id, "error": type(error).__name__},
            exc_info=True,
        )
        raise
    metrics.add_metric("MessagesCarriedOut", MetricUnit.Count, 1)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Carry out a batch of messages and report those that failed."""
    return dict(
        process_partial_response(
            event=event, record_handler=carry_out, processor=processor, context=context
        )
    )
