"""A job that a schedule plans and a queue hands out: one message for each agent."""

from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.config import Pace, StageConfig
from infra.functions import Artifacts, DaybookFunction
from infra.nag import acknowledge
from infra.queues import dead_letter_queue, work_queue


@dataclass(frozen=True, kw_only=True)
class Job:
    """What tells one such job from another.

    Its functions are `<name>-planner` and `<name>-worker`. `schedule_dead_letters` is the name
    of the queue for calls of the planner that failed; `memory_mb` is the worker's, and `learns`
    says that it needs what learning imports.
    """

    name: str
    description: str
    schedule_dead_letters: str
    pace: Pace
    memory_mb: int
    learns: bool = False


class ScheduledFanOut(Construct):
    """A schedule, a planner, a queue and its workers.

    The planner and the worker may do nothing but send to the queue until they are granted more.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        artifacts: Artifacts,
        job: Job,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._artifacts = artifacts
        self._job = job
        self.dead_letters = dead_letter_queue(
            self, "dead-letters", config=config, name=f"{job.name}-dead-letters"
        )
        self.queue = work_queue(
            self,
            "queue",
            config=config,
            name=job.name,
            visibility_seconds=job.pace.visibility_seconds,
            dead_letters=self.dead_letters,
        )
        self.planner = self._function("planner", timeout=Duration.minutes(2), memory_mb=512)
        self.worker = self._function(
            "worker",
            timeout=Duration.seconds(job.pace.timeout_seconds),
            memory_mb=job.memory_mb,
            learns=job.learns,
        )
        self.worker.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                # one agent may take all the time that there is
                batch_size=1,
                max_concurrency=job.pace.workers,
                report_batch_item_failures=True,
            )
        )
        self.schedule_dead_letters = dead_letter_queue(
            self, "schedule-dead-letters", config=config, name=job.schedule_dead_letters
        )
        self._schedule()

    def _function(
        self, part: str, *, timeout: Duration, memory_mb: int, learns: bool = False
    ) -> DaybookFunction:
        """Make the planner or the worker, which may send to the queue and knows where it is."""
        made = DaybookFunction(
            self,
            f"{self._job.name}-{part}",
            config=self._config,
            artifacts=self._artifacts,
            timeout=timeout,
            memory_mb=memory_mb,
            learns=learns,
        )
        made.function.add_environment("DAYBOOK_WORK_QUEUE_URL", self.queue.queue_url)
        # the batch is no action of its own in AWS; the local platform believes that it is
        batch = ["sqs:SendMessageBatch"] if self._config.local else []
        self.queue.grant(made.role, "sqs:SendMessage", *batch)
        return made

    def _schedule(self) -> None:
        """Call the planner at the job's rate."""
        every = Duration.minutes(self._job.pace.minutes)
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
            schedule_name=self._config.resource(self._job.name),
            description=self._job.description,
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
