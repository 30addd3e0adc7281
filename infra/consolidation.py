"""What turns the log into memory, on a schedule."""

from collections.abc import Mapping

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from daybook.store import schema
from infra.access import (
    QUERY,
    grant_bodies,
    grant_log_reading,
    grant_memory,
    grant_noticing_loss,
    grant_watch_list,
)
from infra.config import StageConfig
from infra.fan_out import Job, ScheduledFanOut
from infra.functions import Artifacts
from infra.payloads import Payloads


class Consolidation(ScheduledFanOut):
    """`consolidation-planner` and `consolidation-worker`.

    The planner sends a message for each agent that has something new, and the worker looks
    after one agent for each message. However often the schedule fires, and a message comes,
    each outcome is learned from once.
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
            name="consolidation",
            description="Consolidate the agents that have something new",
            schedule_dead_letters="schedule-dead-letters",
            pace=config.consolidation,
            # a Lambda gets a whole processor at 1,769 MB, and learning is arithmetic
            memory_mb=1_769,
            learns=True,
        )
        super().__init__(scope, construct_id, config=config, artifacts=artifacts, job=job)
        log, memory = tables[schema.DECISIONS.name], tables[schema.MEMORY.name]
        grant_watch_list(self.planner.role, config=config, table=memory, actions=[QUERY])
        grant_log_reading(self.worker.role, table=log, schema=schema.DECISIONS)
        grant_memory(self.worker.role, table=memory, schema=schema.MEMORY)
        grant_bodies(self.worker.role, payloads=payloads)
        grant_noticing_loss(self.worker.role, payloads=payloads)
