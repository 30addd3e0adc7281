"""Queues as Daybook makes them: encrypted, and with a place for what keeps failing."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import StageConfig
from infra.nag import acknowledge, acknowledge_plain_http

ATTEMPTS = 5


def work_queue(
    scope: Construct,
    construct_id: str,
    *,
    config: StageConfig,
    name: str,
    visibility_seconds: int,
    dead_letters: sqs.Queue,
) -> sqs.Queue:
    """Make a queue from which a message goes to the dead letters after its fifth failure."""
    queue = sqs.Queue(
        scope,
        construct_id,
        queue_name=config.resource(name),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=not config.local,
        # a message's age counts on in the dead-letter queue, which keeps it ten days more
        retention_period=Duration.days(4),
        visibility_timeout=Duration.seconds(visibility_seconds),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=ATTEMPTS),
    )
    acknowledge_plain_http(queue, "AwsSolutions-SQS4", config=config)
    return queue


def dead_letter_queue(
    scope: Construct, construct_id: str, *, config: StageConfig, name: str
) -> sqs.Queue:
    """Make a queue that keeps what failed for two weeks, as long as SQS allows."""
    queue = sqs.Queue(
        scope,
        construct_id,
        queue_name=config.resource(name),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=not config.local,
        retention_period=Duration.days(14),
    )
    acknowledge_plain_http(queue, "AwsSolutions-SQS4", config=config)
    acknowledge(
        queue,
        "AwsSolutions-SQS3",
        "This is where failures end. Nothing but a person reads it, so nothing fails here.",
    )
    return queue
