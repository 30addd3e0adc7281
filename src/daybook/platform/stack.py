"""What is deployed, asked of the running platform rather than remembered beside it.

A server that was killed comes back without its last changes, so a note of ours about what
was deployed could be wrong; the stack's own outputs cannot.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

# the platform is ours and on loopback; its answers are not an attack
from xml.etree import ElementTree as ET

from daybook.errors import PlatformError
from daybook.platform.config import REGION, PlatformConfig
from daybook.platform.server import ask
from daybook.store.schema import TABLES

COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
NAMESPACE = {"cf": "http://cloudformation.amazonaws.com/doc/2010-05-15/"}


@dataclass(frozen=True, kw_only=True)
class DeployedStack:
    """A stack's status and outputs."""

    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the last deployment went through."""
        return self.status in COMPLETE

    @property
    def fingerprint(self) -> str:
        """The digest of the code it was deployed from."""
        return self.outputs.get("Fingerprint", "")

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that have a role."""
        return tuple(a for a in self.outputs.get("Agents", "").split(",") if a and a != "-")


def describe(config: PlatformConfig, stack_name: str) -> DeployedStack | None:
    """Return a stack, or None if there is none of this name.

    PlatformError if the platform gives no answer that can be read.
    """
    asked = {"Action": "DescribeStacks", "StackName": stack_name, "Version": "2010-05-15"}
    request = _request(
        config,
        "cloudformation",
        urllib.parse.urlencode(asked),
        "application/x-www-form-urlencoded",
    )
    try:
        tree = ET.fromstring(ask(request, seconds=30))  # noqa: S314
    except urllib.error.HTTPError as refusal:
        if b"does not exist" in refusal.read():
            return None
        raise _unreadable(config, f"it answered with status {refusal.code}") from refusal
    except (OSError, ET.ParseError) as fault:
        raise _unreadable(config, str(fault)) from fault
    status = tree.findtext(".//cf:StackStatus", default="", namespaces=NAMESPACE)
    outputs = {
        output.findtext("cf:OutputKey", default="", namespaces=NAMESPACE): output.findtext(
            "cf:OutputValue", default="", namespaces=NAMESPACE
        )
        for output in tree.iterfind(".//cf:Outputs/cf:member", namespaces=NAMESPACE)
    }
    return DeployedStack(status=status, outputs=outputs)


def missing_tables(config: PlatformConfig) -> list[str]:
    """Return the schema's tables that are not there, whatever CloudFormation believes.

    PlatformError if the platform gives no answer that can be read.
    """
    request = _request(config, "dynamodb", "{}", "application/x-amz-json-1.0")
    request.add_header("X-Amz-Target", "DynamoDB_20120810.ListTables")
    try:
        present = set(json.loads(ask(request, seconds=30))["TableNames"])
    except (OSError, ValueError, KeyError) as fault:
        raise _unreadable(config, str(fault)) from fault
    return [name for t in TABLES if (name := config.table_prefix + t.name) not in present]


def _request(
    config: PlatformConfig, service: str, body: str, content_type: str
) -> urllib.request.Request:
    """Make a request to a service, as the account's root.

    ministack finds the service in the signature's scope, and takes any signature of the root.
    """
    scope = f"test/20260101/{REGION}/{service}/aws4_request"
    return urllib.request.Request(  # noqa: S310 - loopback
        config.endpoint_url,
        data=body.encode(),
        headers={
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, "
            "Signature=0",
            "Content-Type": content_type,
        },
    )


def _unreadable(config: PlatformConfig, why: str) -> PlatformError:
    """Say that the platform cannot be asked what it has."""
    return PlatformError(
        f"The platform on port {config.port} was asked what is deployed to it, but {why}. Run "
        f"`daybook down` and `daybook up`; its log is {config.log_file}."
    )
