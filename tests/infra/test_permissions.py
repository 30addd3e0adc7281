"""Every role may do what its work needs, and nothing else."""

from collections.abc import Iterator
from typing import Any

from tests.infra.conftest import Synthesized

FUNCTION_ACTIONS = {
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:PutObject",
}
TRACING = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
CONSUMING = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
}


def statements(stage: Synthesized, role: str = "") -> Iterator[dict[str, Any]]:
    """Yield the statements of all policies, or of those of roles whose id holds a word."""
    for policy in stage.of_type("AWS::IAM::Policy").values():
        if any(role in attached["Ref"] for attached in policy["Properties"]["Roles"]):
            yield from policy["Properties"]["PolicyDocument"]["Statement"]


def actions(stage: Synthesized, role: str = "") -> set[str]:
    """Return all actions that the statements name."""
    named: set[str] = set()
    for statement in statements(stage, role):
        action = statement["Action"]
        named.update([action] if isinstance(action, str) else action)
    return named


def test_no_action_is_a_wildcard(stage: Synthesized) -> None:
    """Each action is named."""
    assert not {action for action in actions(stage) if "*" in action}


def test_nothing_scans_updates_or_deletes(stage: Synthesized) -> None:
    """The log is append-only and read by key or index."""
    assert not {a for a in actions(stage) if a.endswith((":Scan", ":DeleteItem", ":UpdateItem"))}


def test_api_function(prod: Synthesized) -> None:
    """The API's function may use the log, and write its own log lines and traces."""
    assert actions(prod, "decisionapi") == FUNCTION_ACTIONS | TRACING


def test_queue_function(prod: Synthesized) -> None:
    """The queue's function may consume its queue besides."""
    assert actions(prod, "decisionqueue") == FUNCTION_ACTIONS | TRACING | CONSUMING


def test_local_functions_do_not_trace(stage: Synthesized) -> None:
    """Only a stage that traces grants it."""
    assert (actions(stage) & TRACING == TRACING) is stage.config.tracing


def test_log_is_the_only_table_within_reach(prod: Synthesized) -> None:
    """Of all tables the functions reach the decision log and its indexes."""
    for statement in statements(prod):
        if str(statement["Action"]).find("dynamodb:") >= 0:
            assert "tablesagentdecisions" in str(statement["Resource"])
            assert "*" not in str(statement["Resource"])


def test_only_tracing_has_no_resource(prod: Synthesized) -> None:
    """`*` as a whole resource stands only where AWS knows no other."""
    bare = [s for s in statements(prod) if s["Resource"] == "*"]
    assert all(set(s["Action"]) == TRACING for s in bare)


def test_no_managed_policies(stage: Synthesized) -> None:
    """No role inherits rights from a policy that AWS may widen."""
    for role in stage.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_agent_role_calls_the_api_and_nothing_else(prod: Synthesized) -> None:
    """Each agent's role is named after it, and may invoke one API."""
    names = {
        role["Properties"].get("RoleName") for role in prod.of_type("AWS::IAM::Role").values()
    }
    assert {"daybook-agent-btc-agent-001", "daybook-agent-risk@desk"} <= names
    for agent in ("agentsbtcagent001", "agentsriskdesk"):
        (statement,) = statements(prod, agent)
        assert statement["Action"] == "execute-api:Invoke"
        assert "httpapi" in str(statement["Resource"])


def test_agent_role_is_for_the_account_only(prod: Synthesized) -> None:
    """Whoever assumes an agent's role belongs to the account."""
    for name, role in prod.of_type("AWS::IAM::Role").items():
        if name.startswith("agents"):
            (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert ":root" in str(statement["Principal"]["AWS"])
            assert "AWS::AccountId" in str(statement["Principal"]["AWS"])
