"""What keeps agents' states, on a schedule, and what takes one back, by hand."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from daybook.store import schema
from infra.access import NOTE_AGENTS, QUERY, grant_state, grant_sweeping, grant_watch_list
from infra.config import StageConfig
from infra.fan_out import Job, ScheduledFanOut
from infra.functions import Artifacts, DaybookFunction
from infra.payloads import Payloads


class Checkpoints(ScheduledFanOut):
    """`checkpoint-planner` and `checkpoint-worker`.

    The planner sends a message for each agent whose state has changed since it was last kept,
    and the worker takes a checkpoint for each message, unless the version has one.
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
        job = Job(
            name="checkpoint",
            description="Take a checkpoint of the states that have changed",
            schedule_dead_letters="checkpoint-schedule-dead-letters",
            pace=config.checkpoints,
            # a state of 64 MB, as JSON and as Python has it
            memory_mb=1_769,
        )
        super().__init__(scope, construct_id, config=config, artifacts=artifacts, job=job)
        memory, state = tables[schema.MEMORY.name], tables[schema.STATE.name]
        grant_watch_list(self.planner.role, config=config, table=memory, actions=[QUERY])
        grant_watch_list(self.worker.role, config=config, table=memory, actions=NOTE_AGENTS)
        grant_state(self.worker.role, table=state, payloads=payloads)
        grant_sweeping(self.worker.role, payloads=payloads)


class Rollback(Construct):
    """`rollback`, which nothing calls but an operator who may invoke it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        artifacts: Artifacts,
        state: dynamodb.Table,
        payloads: Payloads,
    ) -> None:
        super().__init__(scope, construct_id)
        self.handler = DaybookFunction(
            self,
            "rollback",
            config=config,
            artifacts=artifacts,
            timeout=Duration.seconds(60),
            memory_mb=1_769,
        )
        grant_state(self.handler.role, table=state, payloads=payloads)
