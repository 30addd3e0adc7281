"""A Lambda function, with its log group and a role that starts with nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aws_cdk import CfnElement, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.assets import Layers
from infra.config import StageConfig
from infra.nag import acknowledge

ARCHITECTURES = {
    "arm64": lambda_.Architecture.ARM_64,
    "x86_64": lambda_.Architecture.X86_64,
}

NAMESPACE = "Daybook"
SERVICE = "daybook"
"""Where the functions' metrics are found: the namespace, and the dimension `service`."""


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """What the functions are made of: their code, its layers, their environment."""

    code: lambda_.Code
    dependencies: lambda_.LayerVersion
    learning: lambda_.LayerVersion
    environment: dict[str, str]


def artifacts(
    scope: Construct,
    *,
    config: StageConfig,
    code: Path,
    layers: Layers,
    environment: dict[str, str],
) -> Artifacts:
    """Upload the code and its layers once, for all functions."""

    def layer(name: str, folder: Path, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            scope,
            name,
            code=lambda_.Code.from_asset(str(folder)),
            compatible_runtimes=[runtime(config)],
            compatible_architectures=[architecture(config)],
            description=description,
        )

    return Artifacts(
        code=lambda_.Code.from_asset(str(code)),
        dependencies=layer(
            "dependencies", layers.dependencies, "What all of Daybook's functions import"
        ),
        learning=layer("learning", layers.learning, "What learning and the archive import"),
        environment={
            "DAYBOOK_TABLE_PREFIX": config.prefix,
            "DAYBOOK_RETENTION_DAYS": str(config.retention_days),
            "DAYBOOK_AGENT_ROLE_PREFIX": config.agent_role_prefix,
            "DAYBOOK_CHECKPOINTS_KEPT": str(config.checkpoints_kept),
            "POWERTOOLS_SERVICE_NAME": SERVICE,
            "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            "POWERTOOLS_LOG_LEVEL": config.log_level,
            **({} if config.tracing else {"POWERTOOLS_TRACE_DISABLED": "true"}),
            **environment,
        },
    )


def runtime(config: StageConfig) -> lambda_.Runtime:
    """Return the stage's Python."""
    return lambda_.Runtime(f"python{config.layer_target.python}", lambda_.RuntimeFamily.PYTHON)


def architecture(config: StageConfig) -> lambda_.Architecture:
    """Return the stage's processor."""
    return ARCHITECTURES[config.layer_target.architecture]


def log_retention(config: StageConfig) -> logs.RetentionDays:
    """Return the stage's log retention; KeyError for a number CloudWatch does not offer."""
    offered = {
        1: logs.RetentionDays.ONE_DAY,
        30: logs.RetentionDays.ONE_MONTH,
        365: logs.RetentionDays.ONE_YEAR,
    }
    return offered[config.log_retention_days]


def log_group(scope: Construct, construct_id: str, *, config: StageConfig) -> logs.LogGroup:
    """Make a log group named after its construct, with the stage's retention."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=f"/daybook/{config.resource(construct_id)}",
        retention=log_retention(config),
        removal_policy=RemovalPolicy.RETAIN if config.protected else RemovalPolicy.DESTROY,
    )


class DaybookFunction(Construct):
    """The function of `lambdas/handlers/` that its construct is named after.

    One that `learns` gets what learning imports besides. Its role may write its own log and,
    where the stage traces, send traces; whatever else it does is granted to `role` by the
    construct that needs it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        artifacts: Artifacts,
        timeout: Duration,
        memory_mb: int = 512,
        learns: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        group = log_group(self, construct_id, config=config)
        self.role = iam.Role(self, "role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        group.grant_write(self.role)
        self.timeout = timeout
        self.function = lambda_.Function(
            self,
            "function",
            function_name=config.resource(construct_id),
            code=artifacts.code,
            layers=[artifacts.dependencies, *([artifacts.learning] if learns else [])],
            handler=f"lambdas.handlers.{construct_id.replace('-', '_')}.handler",
            runtime=runtime(config),
            architecture=architecture(config),
            role=self.role,
            log_group=group,
            timeout=timeout,
            memory_size=memory_mb,
            tracing=lambda_.Tracing.ACTIVE if config.tracing else lambda_.Tracing.DISABLED,
            environment=artifacts.environment,
        )
        acknowledge(
            self.function,
            "AwsSolutions-L1",
            "The runtime is chosen in infra/config.py, together with the layer that is built "
            "for it; moving to a newer Python is a change of both.",
        )
        if config.tracing:
            acknowledge(
                self.role,
                "AwsSolutions-IAM5[Resource::*]",
                "X-Ray's PutTraceSegments and PutTelemetryRecords know no resources.",
            )

    @property
    def logical_id(self) -> str:
        """The function's name in the template, by which cdk-nag speaks of it."""
        return Stack.of(self).get_logical_id(cast("CfnElement", self.function.node.default_child))
