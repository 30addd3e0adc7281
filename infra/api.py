"""The HTTP door: an API that lets in only signed requests."""

import json
from collections.abc import Mapping
from typing import cast

from aws_cdk import CfnElement, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from daybook.store import schema
from infra.access import (
    grant_log,
    grant_memory,
    grant_noticing_loss,
    grant_signals,
    grant_state,
)
from infra.config import StageConfig
from infra.functions import Artifacts, DaybookFunction, log_group
from infra.payloads import Payloads

ACCESS_LOG = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "caller": "$context.identity.userArn",
    "sourceIp": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "error": "$context.error.message",
    # why the function gave no answer, also when it was not called at all
    "integrationError": "$context.integrationErrorMessage",
}


class AgentApi(Construct):
    """`agent-api` behind an HTTP API: one route, which the function's resolver divides.

    Every request has to be signed (SigV4); API Gateway hands the signer's ARN to the function,
    which takes the agent's id from it.
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
        self.handler = DaybookFunction(
            self,
            "agent-api",
            config=config,
            artifacts=artifacts,
            # API Gateway gives up after 30 seconds; a function that outlives it helps nobody
            timeout=Duration.seconds(29),
            memory_mb=1024,
            # an agent may ask for a run of its own
            learns=True,
        )
        self._grant(tables, payloads)
        # the router does it, and what the API publishes is delivered once either way
        self.handler.function.add_environment("DAYBOOK_SIGNALS_ROUTED", "true")
        self.api = apigw.HttpApi(
            self,
            "api",
            api_name=config.resource("api"),
            description="Daybook over HTTP",
            create_default_stage=False,
        )
        self.api.add_routes(
            path="/{proxy+}",
            methods=[apigw.HttpMethod.ANY],
            integration=integrations.HttpLambdaIntegration("agent-api", self.handler.function),
            authorizer=authorizers.HttpIamAuthorizer(),
        )
        self.stage = apigw.HttpStage(
            self,
            "stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigw.ThrottleSettings(rate_limit=config.rate, burst_limit=config.burst),
        )
        self._log_access(config)

    def _grant(self, tables: Mapping[str, dynamodb.Table], payloads: Payloads) -> None:
        """Let the function do whatever agents can do; it keeps each of them to its own."""
        role = self.handler.role
        log = schema.DECISIONS
        grant_log(role, table=tables[log.name], schema=log, payloads=payloads)
        grant_memory(role, table=tables[schema.MEMORY.name], schema=schema.MEMORY)
        grant_state(role, table=tables[schema.STATE.name], payloads=payloads)
        grant_signals(role, table=tables[schema.SIGNALS.name])
        grant_noticing_loss(role, payloads=payloads)

    def _log_access(self, config: StageConfig) -> None:
        """Write a JSON line for each request. The L2 construct only offers another format."""
        group = log_group(self, "api-access", config=config)
        stage = cast("apigw.CfnStage", self.stage.node.default_child)
        stage.access_log_settings = apigw.CfnStage.AccessLogSettingsProperty(
            destination_arn=group.log_group_arn, format=json.dumps(ACCESS_LOG)
        )

    @property
    def every_path_as_reported(self) -> str:
        """How cdk-nag spells the resource that `grant_invoke` grants."""
        logical_id = Stack.of(self).get_logical_id(cast("CfnElement", self.api.node.default_child))
        return (
            f"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{logical_id}>/*/*/*"
        )

    def grant_invoke(self, role: iam.Role) -> None:
        """Let a role call this API, on every path: the function decides what it may do there."""
        role.add_to_policy(
            iam.PolicyStatement(
                sid="CallDaybook",
                actions=["execute-api:Invoke"],
                resources=[self.api.arn_for_execute_api()],
            )
        )
