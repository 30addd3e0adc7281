"""The queue door: decisions and outcomes sent as messages, for agents that do not wait."""

from aws_cdk import Duration
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import StageConfig
from infra.functions import Artifacts, DaybookFunction
from infra.nag import acknowledge_plain_http

ATTEMPTS = 5


class DecisionQueue(Construct):
    """`decision-queue` behind a queue. A message that failed five times goes to the dead letters.

    The function reports the messages of a batch that failed, so the others are not repeated.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: StageConfig, artifacts: Artifacts
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "dead-letters",
            queue_name=config.resource("decisions-dead-letters"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not config.local,
            retention_period=Duration.days(14),
        )
        self.queue = sqs.Queue(
            self,
            "queue",
            queue_name=config.resource("decisions"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not config.local,
            # a message's age counts on in the dead-letter queue, which keeps it ten days more
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(config.queue_visibility_seconds),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=ATTEMPTS
            ),
        )
        for queue in (self.queue, self.dead_letters):
            acknowledge_plain_http(queue, "AwsSolutions-SQS4", config=config)
        self.handler = DaybookFunction(
            self,
            "decision-queue",
            config=config,
            artifacts=artifacts,
            handler="lambdas.decision_queue.handler",
            timeout=Duration.seconds(config.queue_timeout_seconds),
            memory_mb=1024,
        )
        self.handler.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=25,
                max_batching_window=Duration.seconds(config.queue_window_seconds),
                report_batch_item_failures=True,
            )
        )
