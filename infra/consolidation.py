"""What turns the log into memory, on a schedule: a planner, a queue and its workers."""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from daybook.store import schema
from infra.access import (
    QUERY,
    grant_bodies,
    grant_log_reading,
    grant_memory,
    grant_noticing_loss,
    grant_registry,
)
from infra.config import StageConfig
from infra.functions import Artifacts, DaybookFunction
from infra.nag import acknowledge
from infra.payloads import Payloads
from infra.queues import dead_letter_queue, work_queue


class Consolidation(Construct):
    """A schedule, a planner, a queue and its workers.

    The schedule calls `consolidation-planner`, which sends a message for each agent that has
    something new, and `consolidation-worker` looks after one agent for each message. However
    often the schedule fires, and a message comes, each outcome is learned from once.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        artifacts: Artifacts,
        tables: Mapping[str, dynamodb.Table],
        payloads: Payloads,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._artifacts = artifacts
        self.dead_letters = dead_letter_queue(
            self, "dead-letters", config=config, name="consolidation-dead-letters"
        )
        self.queue = work_queue(
            self,
            "queue",
            config=config,
            name="consolidation",
            visibility_seconds=config.consolidation_visibility_seconds,
            dead_letters=self.dead_letters,
        )
        self.planner = self._planner(memory=tables[schema.MEMORY.name])
        self.worker = self._worker(tables=tables, payloads=payloads)
        self.schedule_dead_letters = dead_letter_queue(
            self, "schedule-dead-letters", config=config, name="schedule-dead-letters"
        )
        self._schedule()

    def _planner(self, *, memory: dynamodb.Table) -> DaybookFunction:
        """Make the function that asks the registry, and may do nothing but ask and send."""
        planner = DaybookFunction(
            self,
            "consolidation-planner",
            config=self._config,
            artifacts=self._artifacts,
            handler="lambdas.consolidation_planner.handler",
            timeout=Duration.minutes(2),
        )
        grant_registry(planner.role, table=memory, actions=[QUERY])
        self._let_send(planner)
        return planner

    def _worker(
        self, *, tables: Mapping[str, dynamodb.Table], payloads: Payloads
    ) -> DaybookFunction:
        """Make the function that consolidates. It has the queue to go on in another message."""
        worker = DaybookFunction(
            self,
            "consolidation-worker",
            config=self._config,
            artifacts=self._artifacts,
            handler="lambdas.consolidation_worker.handler",
            timeout=Duration.seconds(self._config.consolidation_timeout_seconds),
            # a Lambda gets a whole processor at 1,769 MB, and learning is arithmetic
            memory_mb=1_769,
        )
        log, memory = tables[schema.DECISIONS.name], tables[schema.MEMORY.name]
        grant_log_reading(worker.role, table=log, schema=schema.DECISIONS)
        grant_memory(worker.role, table=memory, schema=schema.MEMORY)
        grant_bodies(worker.role, payloads=payloads)
        grant_noticing_loss(worker.role, payloads=payloads)
        self._let_send(worker)
        worker.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                # one agent may take all the time that there is
                batch_size=1,
                max_concurrency=self._config.consolidation_workers,
                report_batch_item_failures=True,
            )
        )
        return worker

    def _let_send(self, part: DaybookFunction) -> None:
        """Let a function send to the queue, and tell it where that is."""
        part.function.add_environment("DAYBOOK_CONSOLIDATION_QUEUE_URL", self.queue.queue_url)
        # the batch is no action of its own in AWS; the local platform believes that it is
        batch = ["sqs:SendMessageBatch"] if self._config.local else []
        self.queue.grant(part.role, "sqs:SendMessage", *batch)

    def _schedule(self) -> None:
        """Call the planner at the stage's rate."""
        every = Duration.minutes(self._config.consolidation_minutes)
        account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        role = iam.Role(
            self,
            "schedule-role",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=account),
        )
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::<{self.planner.logical_id}.Arn>:*]",
            "The target grants the versions and aliases of one function besides the function "
            "itself; there are none.",
        )
        scheduler.Schedule(
            self,
            "schedule",
            schedule_name=self._config.resource("consolidation"),
            description="Consolidate the agents that have something new",
            schedule=scheduler.ScheduleExpression.rate(every),
            time_window=scheduler.TimeWindow.off(),
            target=targets.LambdaInvoke(
                self.planner.function,
                role=role,
                dead_letter_queue=self.schedule_dead_letters,
                # by the next time this one is of no use any more
                max_event_age=every,
                retry_attempts=2,
            ),
        )
