"""The HTTP API: the SDK by its other door, for an agent whose role may reach no table."""

from collections.abc import Mapping
from typing import Any

import boto3

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.models.drafts import DecisionDraft, OutcomeDraft


class HttpDoor:
    """`POST /decisions` and its neighbours, signed by the agent's role."""

    name = "HTTP API, IAM"
    threads = 2

    def __init__(
        self, agent_id: str, *, api_url: str, role_arn: str, session: boto3.Session, endpoint: str
    ) -> None:
        assumed = _assume(role_arn, session, endpoint)
        manager = AWSClientManager(session.region_name, session=assumed)
        self._memory = MemoryManager(agent_id, manager, door="api", api_url=api_url)
        self._log = DecisionLogger(self._memory)
        self.requests = 0

    def log_decision(self, draft: DecisionDraft) -> str:
        """Send a decision. Raises a DaybookError, the same as at the tables."""
        self.requests += 1
        return self._log.log_decision(**dict(draft))

    def log_outcome(self, draft: OutcomeDraft) -> None:
        """Send an outcome. Raises a DaybookError, the same as at the tables."""
        self.requests += 1
        self._log.log_outcome(**dict(draft))

    def settle(self) -> None:
        """Do nothing: a request that was answered has been carried out."""

    def stats(self, time_window_hours: float) -> Mapping[str, Any]:
        """Ask for the statistics of the agent that signs."""
        self.requests += 1
        return self._memory.get_decision_stats(time_window_hours)


def _assume(role_arn: str, session: boto3.Session, endpoint: str) -> boto3.Session:
    """Become the agent: take its role's credentials, which last an hour."""
    sts = session.client("sts", endpoint_url=endpoint)
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName="trading-desk")["Credentials"]
    return boto3.Session(
        given["AccessKeyId"],
        given["SecretAccessKey"],
        given["SessionToken"],
        region_name=session.region_name,
    )
