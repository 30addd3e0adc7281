"""Who is calling: the agent whose role signed the request, and nobody else's word for it."""

import re
from typing import Any

from daybook.errors import UnknownCallerError
from daybook.models.identity import AGENT_ID

_ASSUMED_ROLE = re.compile(r"arn:[a-z-]+:sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/[^/]+")


def calling_agent(event: dict[str, Any], role_prefix: str) -> str:
    """Return the agent of a request to an HTTP API with IAM authorization.

    The stack gives each agent a role named `<prefix><agent id>`; API Gateway checks the
    signature and passes the ARN of the role's session on. The session's name is the caller's
    own choice and says nothing. Raises UnknownCallerError for any other caller.
    """
    request = event.get("requestContext", {})
    authorizer = request.get("authorizer") or {}
    arn = str((authorizer.get("iam") or {}).get("userArn") or "")
    match = _ASSUMED_ROLE.fullmatch(arn)
    # a role of that name in another account is another role
    at_home = match and match["account"] == request.get("accountId")
    role = match["role"] if match and at_home else ""
    agent_id = role.removeprefix(role_prefix)
    if not role.startswith(role_prefix) or not AGENT_ID.fullmatch(agent_id):
        raise UnknownCallerError(
            f"the request is signed by {arn or 'nobody'}, which is not an agent's role: assume "
            f"the role {role_prefix}<agent id>, which the stack makes for each agent"
        )
    return agent_id
