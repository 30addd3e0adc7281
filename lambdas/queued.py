"""What every function behind a queue does: each message by itself, and what fails stays there.

A message that fails is tried again and, after its last try, goes to the dead-letter queue.
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()


def take_each(
    event: dict[str, Any],
    context: LambdaContext,
    take: Callable[[str], None],
    *,
    metrics: Metrics,
    failures: str,
) -> dict[str, Any]:
    """Hand the body of each message to `take`; answer which messages failed.

    Whatever `take` raises leaves this message, and no other, on the queue; it is logged, and
    counted as the metric `failures`.
    """

    def tried(record: SQSRecord) -> None:
        try:
            take(record.body)
        except Exception as error:
            metrics.add_metric(failures, MetricUnit.Count, 1)
            logger.warning(
                "the message is left for another try",
                extra={"message_id": record.message_id, "error": type(error).__name__},
                exc_info=True,
            )
            raise

    # a batch in which every message fails is still a partial failure: each is tried by itself
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return dict(
        process_partial_response(
            event=event, record_handler=tried, processor=processor, context=context
        )
    )
