"""A role for every agent named with `-c agents=…`."""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.access import grant_own_partitions
from infra.api import AgentApi
from infra.config import StageConfig
from infra.nag import acknowledge
from infra.payloads import Payloads


class AgentRoles(Construct):
    """Roles that may go through one door or both as one agent, and do nothing else.

    The agent's id is the end of the role's name, and the API's function reads it from the ARN
    that API Gateway gives it. In the tables the role reaches the agent's own partitions. So
    whoever may assume the role is the agent, and nobody can be another one by saying so.
    Principals of the account may assume it, as far as their own policies allow
    `sts:AssumeRole` on it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        api: AgentApi,
        tables: Mapping[str, dynamodb.Table],
        payloads: Payloads,
    ) -> None:
        super().__init__(scope, construct_id)
        self.roles = {agent: self._role(agent, config) for agent in config.agents}
        for agent, role in self.roles.items():
            if "api" in config.doors:
                self._open_api(role, api)
            if "tables" in config.doors:
                grant_own_partitions(
                    role, agent=agent, config=config, tables=tables, payloads=payloads
                )

    def _role(self, agent: str, config: StageConfig) -> iam.Role:
        """Make the role of one agent."""
        role = iam.Role(
            self,
            agent,
            role_name=config.agent_role_prefix + agent,
            description=f"Daybook: the agent {agent}",
            assumed_by=iam.AccountRootPrincipal(),
            max_session_duration=Duration.hours(12),
        )
        CfnOutput(self, f"role-{agent}", value=role.role_arn, description=f"The role of {agent}")
        return role

    def _open_api(self, role: iam.Role, api: AgentApi) -> None:
        """Let a role call the API."""
        api.grant_invoke(role)
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::{api.every_path_as_reported}]",
            "Every path of one API; its function lets an agent reach what is its own only.",
        )
