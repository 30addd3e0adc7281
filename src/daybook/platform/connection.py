"""How to reach a running platform."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from daybook.platform.config import ACCOUNT, REGION, PlatformConfig
from daybook.platform.stack import DeployedStack


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Addresses and names of a deployed platform.

    `api_url` needs no special Host header: ministack also serves an API under a path. A client
    that prefers the address AWS would give sends `api_host` as its Host header to
    `endpoint_url`. Any secret is good for the access key `test`, which is the account's root;
    an agent's own credentials come from `sts:AssumeRole` on `role_arn(agent_id)`.
    """

    endpoint_url: str
    region: str
    api_url: str
    api_host: str
    queue_url: str
    dead_letter_queue_url: str
    payload_bucket: str
    table_prefix: str
    retention_days: str
    agent_role_prefix: str
    agents: tuple[str, ...]
    access_key_id: str = "test"
    secret_access_key: str = "test"  # noqa: S105 - the local platform's, no secret

    def role_arn(self, agent_id: str) -> str:
        """Return the ARN of an agent's role."""
        return f"arn:aws:iam::{ACCOUNT}:role/{self.agent_role_prefix}{agent_id}"

    def environment(self) -> dict[str, str]:
        """Return the variables with which the SDK, boto3 and the AWS CLI find the platform."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "DAYBOOK_TABLE_PREFIX": self.table_prefix,
            "DAYBOOK_PAYLOAD_BUCKET": self.payload_bucket,
            "DAYBOOK_RETENTION_DAYS": self.retention_days,
            "DAYBOOK_API_URL": self.api_url,
            "DAYBOOK_SIGNALS_ROUTED": "true",
            "DAYBOOK_QUEUE_URL": self.queue_url,
        }

    def exports(self) -> list[str]:
        """Return the variables as lines for a shell."""
        return [
            f"export {name}={shlex.quote(value)}" for name, value in self.environment().items()
        ]

    def write(self, path: Path) -> None:
        """Write the lines to a file for `source`."""
        path.write_text("\n".join(self.exports()) + "\n")


def connection_to(config: PlatformConfig, stack: DeployedStack) -> Connection:
    """Make a connection from a stack's outputs.

    The addresses are made for the port that the platform has now: those in the outputs name
    the port at which the stack was deployed.
    """
    outputs = stack.outputs
    api_id = outputs["ApiId"]
    return Connection(
        endpoint_url=config.endpoint_url,
        region=REGION,
        api_url=f"{config.endpoint_url}/_aws/execute-api/{api_id}",
        api_host=f"{api_id}.execute-api.localhost:{config.port}",
        queue_url=config.endpoint_url + urlsplit(outputs["QueueUrl"]).path,
        dead_letter_queue_url=config.endpoint_url + urlsplit(outputs["DeadLetterQueueUrl"]).path,
        payload_bucket=outputs["PayloadBucket"],
        table_prefix=config.table_prefix,
        # a stack of an earlier day, before `up` renews it, does not say
        retention_days=outputs.get("RetentionDays", "365"),
        agent_role_prefix=outputs["AgentRolePrefix"],
        agents=stack.agents,
    )
