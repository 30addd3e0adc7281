"""The queue door: decisions and outcomes sent as messages, for agents that do not wait."""

from aws_cdk import Duration
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.config import StageConfig
from infra.functions import Artifacts, DaybookFunction
from infra.queues import dead_letter_queue, work_queue


class DecisionQueue(Construct):
    """`decision-queue` behind a queue. A message that failed five times goes to the dead letters.

    The function reports the messages of a batch that failed, so the others are not repeated.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: StageConfig, artifacts: Artifacts
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = dead_letter_queue(
            self, "dead-letters", config=config, name="decisions-dead-letters"
        )
        self.queue = work_queue(
            self,
            "queue",
            config=config,
            name="decisions",
            visibility_seconds=config.queue_visibility_seconds,
            dead_letters=self.dead_letters,
        )
        self.handler = DaybookFunction(
            self,
            "decision-queue",
            config=config,
            artifacts=artifacts,
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
