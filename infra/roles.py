"""A role for every agent named with `-c agents=…`."""

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.api import DecisionApi
from infra.config import StageConfig
from infra.nag import acknowledge


class AgentRoles(Construct):
    """Roles that may call the API and nothing else.

    The agent's id is the end of the role's name, and the API's function reads it from the ARN
    that API Gateway gives it. So whoever may assume the role is the agent, and nobody can be
    another one by saying so. Principals of the account may assume it, as far as their own
    policies allow `sts:AssumeRole` on it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: StageConfig, api: DecisionApi
    ) -> None:
        super().__init__(scope, construct_id)
        self.roles = {agent: self._role(agent, config, api) for agent in config.agents}

    def _role(self, agent: str, config: StageConfig, api: DecisionApi) -> iam.Role:
        """Make the role of one agent."""
        role = iam.Role(
            self,
            agent,
            role_name=config.agent_role_prefix + agent,
            description=f"Daybook: the agent {agent}",
            assumed_by=iam.AccountRootPrincipal(),
            max_session_duration=Duration.hours(12),
        )
        api.grant_invoke(role)
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::{api.every_path_as_reported}]",
            "Every path of one API; its function lets an agent write to its own log only.",
        )
        CfnOutput(self, f"role-{agent}", value=role.role_arn, description=f"The role of {agent}")
        return role
