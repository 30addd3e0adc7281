"""Every role may do what its work needs, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import Synthesized

LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
READING = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
BODIES = {"s3:GetObject", "s3:PutObject"}
FUNCTION_ACTIONS = LOGGING | READING | BODIES | {"dynamodb:PutItem"}
LEARNING = {
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
}
KEEPING = LEARNING - {"dynamodb:BatchWriteItem"}
FOLLOWING = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
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
        named |= acting(statement)
    return named


def acting(statement: dict[str, Any]) -> set[str]:
    """Return the actions of a statement, which names a single one without a list."""
    action = statement["Action"]
    return {action} if isinstance(action, str) else set(action)


def test_no_action_is_a_wildcard(stage: Synthesized) -> None:
    """Each action is named."""
    assert not {action for action in actions(stage) if "*" in action}


def test_nothing_scans(stage: Synthesized) -> None:
    """Everything is read by key or index."""
    assert not {action for action in actions(stage) if action.endswith(":Scan")}


def test_the_log_is_append_only(stage: Synthesized) -> None:
    """No function can change or delete what is in it."""
    for statement in statements(stage):
        if "tablesagentdecisions" in str(statement["Resource"]):
            assert not acting(statement) & (LEARNING - {"dynamodb:PutItem"})


def test_api_function(prod: Synthesized) -> None:
    """The API's function may do whatever agents can do, and notice that an object is lost."""
    expected = FUNCTION_ACTIONS | LEARNING | TRACING | {"s3:ListBucket"}
    assert actions(prod, "agentapi") == expected


def test_the_api_changes_what_agents_can(prod: Synthesized) -> None:
    """In each table but the log, it may put, change and delete, alone and in batches."""
    for table, missing in (("memory", set()), ("signals", set()), ("state", {"BatchWriteItem"})):
        (granted,) = (
            acting(found)
            for found in statements(prod, "agentapi")
            if f"tablesagent{table}" in str(found["Resource"]) and "index" not in str(found)
        )
        assert LEARNING - granted == {f"dynamodb:{name}" for name in missing}, table


def test_queue_function(prod: Synthesized) -> None:
    """The queue's function may consume its queue besides."""
    assert actions(prod, "decisionqueue") == FUNCTION_ACTIONS | TRACING | CONSUMING


def test_news(prod: Synthesized) -> None:
    """The streams' follower may follow, note agents, and set aside what failed."""
    setting_aside = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}
    noting = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"}
    expected = LOGGING | TRACING | FOLLOWING | noting | setting_aside
    assert actions(prod, "followingnews") == expected


@pytest.mark.parametrize("role", ["consolidationplanner", "checkpointplanner"])
def test_planner(prod: Synthesized, role: str) -> None:
    """A planner may ask the watch list and send messages."""
    expected = LOGGING | TRACING | {"dynamodb:Query", "sqs:SendMessage"}
    assert actions(prod, role) == expected


def test_checkpoint_worker(prod: Synthesized) -> None:
    """It may keep states, clean up their bodies, note agents, and consume its queue."""
    expected = LOGGING | TRACING | CONSUMING | READING | KEEPING | {"sqs:SendMessage"}
    bodies = {"s3:DeleteObject", "s3:GetObject", "s3:ListBucket"}
    assert actions(prod, "checkpointworker") == expected | bodies


def test_rollback(prod: Synthesized) -> None:
    """It reaches states and their bodies, and nothing else."""
    expected = LOGGING | TRACING | READING | KEEPING | {"s3:GetObject"}
    assert actions(prod, "rollingback") == expected
    for statement in statements(prod, "rollingback"):
        if any(action.startswith("dynamodb:") for action in acting(statement)):
            assert "tablesagentstate" in str(statement["Resource"])


def test_a_request_without_keys(stage: Synthesized) -> None:
    """What is confined to partitions wants a key named; the local platform never names one."""
    confined = [each for each in statements(stage) if "dynamodb:LeadingKeys" in str(each)]
    assert confined
    for found in confined:
        demanded = found["Condition"].get("Null") == {"dynamodb:LeadingKeys": "false"}
        assert demanded is not stage.config.local


@pytest.mark.parametrize("role", ["checkpointworker", "rollingback"])
def test_bodies_of_states_only(prod: Synthesized, role: str) -> None:
    """Of the bucket they see one folder."""
    for found in statements(prod, role):
        if acting(found) & {"s3:GetObject", "s3:DeleteObject"}:
            assert str(found["Resource"]).endswith("'/state/*']]}")
        if "s3:ListBucket" in acting(found):
            assert found["Condition"] == {"StringLike": {"s3:prefix": ["state/*"]}}


def test_worker(prod: Synthesized) -> None:
    """The worker may read the log, rewrite memory, and go on in another message."""
    expected = LOGGING | TRACING | CONSUMING | READING | LEARNING | BODIES
    also = {"sqs:SendMessage", "s3:ListBucket"}
    assert actions(prod, "consolidationworker") == expected | also
    for statement in statements(prod, "consolidationworker"):
        if "tablesagentdecisions" in str(statement["Resource"]):
            assert acting(statement) <= READING


def test_router(prod: Synthesized) -> None:
    """The router may follow, put deliveries, ask who is there, and tell the outside."""
    setting_aside = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}
    delivering = {"dynamodb:PutItem", "dynamodb:Query", "events:PutEvents"}
    expected = LOGGING | TRACING | FOLLOWING | delivering | setting_aside
    assert actions(prod, "signalrouter") == expected
    (asking,) = (s for s in statements(prod, "signalrouter") if "dynamodb:Query" in acting(s))
    assert asking["Condition"]["ForAllValues:StringEquals"] == {
        "dynamodb:LeadingKeys": ["#registry"]
    }
    assert "/index/RegistryIndex" in str(asking["Resource"])


@pytest.mark.parametrize(
    "role", ["followingnews", "consolidationplanner", "checkpointplanner", "checkpointworker"]
)
def test_the_watch_list_is_all_of_memory_within_reach(prod: Synthesized, role: str) -> None:
    """Follower, planners and checkpoints reach one partition, which is no agent's."""
    touching = [s for s in statements(prod, role) if "agentmemory" in str(s["Resource"])]
    assert touching
    for statement in touching:
        (allowed,) = statement["Condition"]["ForAllValues:StringEquals"].values()
        assert allowed == ["#agents"]


@pytest.mark.parametrize("job", ["consolidating", "checkpointing"])
def test_schedule_calls_the_planner_and_nothing_else(prod: Synthesized, job: str) -> None:
    """The schedule's role may invoke one function and set aside what failed."""
    assert actions(prod, f"{job}schedulerole") == {"lambda:InvokeFunction", "sqs:SendMessage"}
    (trust,) = (
        role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        for name, role in prod.of_type("AWS::IAM::Role").items()
        if f"{job}schedulerole" in name
    )
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert "aws:SourceAccount" in str(trust["Condition"])


def test_local_functions_do_not_trace(stage: Synthesized) -> None:
    """Only a stage that traces grants it."""
    assert (actions(stage) & TRACING == TRACING) is stage.config.tracing


def test_tables_within_reach(prod: Synthesized) -> None:
    """Of all tables the functions reach the log, memory, state and signals."""
    for statement in statements(prod):
        named = {a for a in [statement["Action"]] if isinstance(a, str)} or set(
            statement["Action"]
        )
        if any(action.startswith("dynamodb:") for action in named - {"dynamodb:ListStreams"}):
            reached = str(statement["Resource"])
            tables = {f"tablesagent{name}" for name in ("decisions", "memory", "state", "signals")}
            assert any(table in reached for table in tables)
            assert "*" not in reached


def test_little_has_no_resource(prod: Synthesized) -> None:
    """`*` as a whole resource stands only where AWS knows no other: traces, lists of streams."""
    bare = [s for s in statements(prod) if s["Resource"] == "*"]
    assert all(acting(s) <= TRACING | {"dynamodb:ListStreams"} for s in bare)


def test_no_managed_policies(stage: Synthesized) -> None:
    """No role inherits rights from a policy that AWS may widen."""
    for role in stage.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_agent_roles(prod: Synthesized) -> None:
    """Each agent's role is named after it, and may invoke one API; for the rest, see isolation."""
    names = {
        role["Properties"].get("RoleName") for role in prod.of_type("AWS::IAM::Role").values()
    }
    assert {"daybook-agent-btc-agent-001", "daybook-agent-risk@desk"} <= names
    for agent in ("agentsbtcagent001", "agentsriskdesk"):
        (calling,) = (s for s in statements(prod, agent) if "execute-api" in str(s["Action"]))
        assert calling["Action"] == "execute-api:Invoke"
        assert "httpapi" in str(calling["Resource"])


def test_agent_role_is_for_the_account_only(prod: Synthesized) -> None:
    """Whoever assumes an agent's role belongs to the account."""
    for name, role in prod.of_type("AWS::IAM::Role").items():
        if name.startswith("agents"):
            (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert ":root" in str(statement["Principal"]["AWS"])
            assert "AWS::AccountId" in str(statement["Principal"]["AWS"])
