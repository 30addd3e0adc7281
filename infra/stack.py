"""The stack: composes the constructs, and says what a person needs to connect."""

from pathlib import Path

from aws_cdk import CfnOutput, CliCredentialsStackSynthesizer, Stack, Tags
from constructs import Construct

from daybook.store import schema
from infra.access import grant_log
from infra.alarms import Alarms
from infra.api import AgentApi
from infra.assets import Layers
from infra.checkpoints import Checkpoints, Rollback
from infra.config import StageConfig
from infra.consolidation import Consolidation
from infra.functions import artifacts
from infra.news import News
from infra.payloads import Payloads
from infra.queue import DecisionQueue
from infra.roles import AgentRoles
from infra.signals import Signals
from infra.tables import Tables


class DaybookStack(Stack):
    """All of Daybook in one account and region.

    `code` and `layers` are folders (see `infra.assets`), so that a test can hand in empty ones.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        code: Path,
        layers: Layers,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Daybook ({config.name}): the decision log and memory of agents",
            termination_protection=config.protected,
            synthesizer=CliCredentialsStackSynthesizer() if config.local else None,
        )
        Tags.of(self).add("daybook:stage", config.name)
        tables = Tables(self, "tables", config=config)
        payloads = Payloads(self, "payloads", config=config)
        shared = artifacts(
            self,
            config=config,
            code=code,
            layers=layers,
            environment={"DAYBOOK_PAYLOAD_BUCKET": payloads.bucket.bucket_name},
        )
        api = AgentApi(
            self,
            "http",
            config=config,
            artifacts=shared,
            tables=tables.by_name,
            payloads=payloads,
        )
        queue = DecisionQueue(self, "queued", config=config, artifacts=shared)
        log = tables.by_name[schema.DECISIONS.name]
        grant_log(queue.handler.role, table=log, schema=schema.DECISIONS, payloads=payloads)
        memory = tables.by_name[schema.MEMORY.name]
        state = tables.by_name[schema.STATE.name]
        news = News(
            self,
            "following",
            config=config,
            artifacts=shared,
            log=log,
            state=state,
            memory=memory,
        )
        consolidation = Consolidation(
            self,
            "consolidating",
            config=config,
            artifacts=shared,
            tables=tables.by_name,
            payloads=payloads,
        )
        signals = Signals(
            self,
            "signalling",
            config=config,
            artifacts=shared,
            table=tables.by_name[schema.SIGNALS.name],
        )
        checkpoints = Checkpoints(
            self,
            "checkpointing",
            config=config,
            artifacts=shared,
            tables=tables.by_name,
            payloads=payloads,
        )
        rollback = Rollback(
            self,
            "rolling-back",
            config=config,
            artifacts=shared,
            state=state,
            payloads=payloads,
        )
        AgentRoles(
            self,
            "agents",
            config=config,
            api=api,
            tables=tables.by_name,
            payloads=payloads,
        )
        Alarms(
            self,
            "alarms",
            config=config,
            api=api,
            queue=queue,
            news=news,
            consolidation=consolidation,
            signals=signals,
            checkpoints=checkpoints,
            rollback=rollback,
        )
        for name, value, what in (
            ("ApiUrl", api.api.api_endpoint, "The HTTP API; every request has to be signed"),
            ("ApiId", api.api.api_id, "The HTTP API's id"),
            ("QueueUrl", queue.queue.queue_url, "Send decisions and outcomes here"),
            ("QueueArn", queue.queue.queue_arn, "For policies of those who send"),
            ("DeadLetterQueueUrl", queue.dead_letters.queue_url, "Messages that kept failing"),
            (
                "ConsolidationDeadLetterQueueUrl",
                consolidation.dead_letters.queue_url,
                "Agents whose consolidation kept failing",
            ),
            ("SignalBus", signals.bus.event_bus_name, "The event bus that tells of signals"),
            ("SignalsRouted", "true", "DAYBOOK_SIGNALS_ROUTED for the SDK: a router delivers"),
            (
                "SignalsDeadLetterQueueUrl",
                signals.dead_letters.queue_url,
                "Signals that agents or the router gave up",
            ),
            (
                "CheckpointDeadLetterQueueUrl",
                checkpoints.dead_letters.queue_url,
                "Agents whose automatic checkpoint kept failing",
            ),
            (
                "RollbackFunction",
                rollback.handler.function.function_name,
                "Invoke it to take an agent's state back to a checkpoint",
            ),
            (
                "CheckpointsKept",
                str(config.checkpoints_kept),
                "DAYBOOK_CHECKPOINTS_KEPT for the SDK, so that it keeps as many as the schedule",
            ),
            ("PayloadBucket", payloads.bucket.bucket_name, "DAYBOOK_PAYLOAD_BUCKET for the SDK"),
            ("TablePrefix", config.prefix or "-", "DAYBOOK_TABLE_PREFIX for the SDK; - is none"),
            (
                "RetentionDays",
                str(config.retention_days),
                "DAYBOOK_RETENTION_DAYS for the SDK: bodies in the bucket go by it, too",
            ),
            ("Agents", ",".join(config.agents) or "-", "The agents that have a role; - is none"),
            ("Fingerprint", config.fingerprint, "What this was deployed from, if it was said"),
            (
                "AgentRolePrefix",
                config.agent_role_prefix,
                "A role is named this, then the agent's id",
            ),
        ):
            CfnOutput(self, name, value=value, description=what)
