"""IAM's decision about a request to DynamoDB, from a role's statements in the template.

Only what these policies use: `Allow`, actions and resources without wildcards, and the two
conditions on `dynamodb:LeadingKeys`. `ForAllValues` holds where there is no value, as in IAM.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from daybook import AWSClientManager
from tests.infra.conftest import Synthesized

Statement = Mapping[str, Any]

ACTIONS = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
    "scan": "Scan",
}
PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


@dataclass(frozen=True)
class Asked:
    """One thing that a request does: an action on a table or an index, at partition keys."""

    action: str
    resource: str
    keys: frozenset[str]


def statements_of(stage: Synthesized, role: str) -> list[Statement]:
    """Return the statements of a role, with tables and indexes by name as resources.

    The role is named, or has a logical id that starts so.
    """
    (logical_id,) = (
        name
        for name, found in stage.of_type("AWS::IAM::Role").items()
        if found["Properties"].get("RoleName") == role or name.startswith(role)
    )
    tables = {
        name: table["Properties"]["TableName"]
        for name, table in stage.of_type("AWS::DynamoDB::Table").items()
    }
    found: list[Statement] = []
    for policy in stage.of_type("AWS::IAM::Policy").values():
        if {"Ref": logical_id} in policy["Properties"]["Roles"]:
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                resources = [_named(each, tables) for each in _listed(statement["Resource"])]
                found.append({**statement, "Resource": resources})
    return found


def allowed(statements: Iterable[Statement], asked: Asked) -> bool:
    """Whether one of the statements allows this."""
    return any(
        statement["Effect"] == "Allow"
        and f"dynamodb:{asked.action}" in _listed(statement["Action"])
        and asked.resource in statement["Resource"]
        and _holds(statement.get("Condition", {}), asked.keys)
        for statement in statements
    )


def confined(manager: AWSClientManager, client: "ConfinedClient") -> AWSClientManager:
    """Return a client manager for the same tables and bucket, through a confined client."""
    # deployed, agents and the API leave deliveries to the router
    settings = manager.settings.model_copy(update={"signals_routed": True})
    made = AWSClientManager(dynamodb=client, settings=settings)  # type: ignore[arg-type]
    made.s3 = manager.s3  # type: ignore[method-assign]
    return made


class ConfinedClient:
    """A DynamoDB client that refuses, before it is sent, what a role may not do."""

    def __init__(self, client: Any, statements: list[Statement]) -> None:
        self.client = client
        self.statements = statements
        self.asked: list[Asked] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.client, name)
        if not callable(real):
            return real

        def call(**parameters: Any) -> Any:
            for each in what_is_asked(name, parameters):
                self.asked.append(each)
                if not allowed(self.statements, each):
                    fault: Any = {"Code": "AccessDeniedException", "Message": f"not {each}"}
                    raise ClientError({"Error": fault}, name)
            return real(**parameters)

        return call


def what_is_asked(name: str, parameters: Mapping[str, Any]) -> Iterator[Asked]:
    """Yield each thing that a request does."""
    match name:
        case "transact_write_items":
            for part in parameters["TransactItems"]:
                ((kind, write),) = part.items()
                keys = write.get("Key") or write["Item"]
                yield Asked(PARTS[kind], write["TableName"], frozenset([keys["pk"]["S"]]))
        case "batch_get_item":
            for table, request in parameters["RequestItems"].items():
                found = frozenset(key["pk"]["S"] for key in request["Keys"])
                yield Asked("BatchGetItem", table, found)
        case "batch_write_item":
            for table, writes in parameters["RequestItems"].items():
                items = [w.get("PutRequest", {}).get("Item") for w in writes]
                keys = [w.get("DeleteRequest", {}).get("Key") for w in writes]
                found = frozenset(each["pk"]["S"] for each in items + keys if each)
                yield Asked("BatchWriteItem", table, found)
        case "query":
            resource = parameters["TableName"]
            if index := parameters.get("IndexName"):
                resource = f"{resource}/index/{index}"
            first = re.match(r"#\w+ = (:\w+)", parameters["KeyConditionExpression"])
            assert first
            value = parameters["ExpressionAttributeValues"][first[1]]["S"]
            yield Asked("Query", resource, frozenset([value]))
        case "scan":
            yield Asked("Scan", parameters["TableName"], frozenset())
        case _:
            keys = parameters.get("Key") or parameters["Item"]
            yield Asked(ACTIONS[name], parameters["TableName"], frozenset([keys["pk"]["S"]]))


def _holds(conditions: Mapping[str, Any], keys: frozenset[str]) -> bool:
    for operator, test in conditions.items():
        wanted = test["dynamodb:LeadingKeys"]
        match operator:
            case "ForAllValues:StringLike":
                if not all(any(_like(key, each) for each in _listed(wanted)) for key in keys):
                    return False
            case "ForAllValues:StringEquals":
                if not all(key in _listed(wanted) for key in keys):
                    return False
            case "Null":
                if (wanted == "true") is bool(keys):
                    return False
            case _:
                raise NotImplementedError(operator)
    return True


def _like(value: str, pattern: str) -> bool:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _named(resource: Any, tables: Mapping[str, str]) -> str:
    """Return a resource's name: of a table, of its index, or its text as it is."""
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        return tables.get(resource["Fn::GetAtt"][0], str(resource))
    if isinstance(resource, dict) and "Fn::Join" in resource:
        return "".join(_named(part, tables) for part in resource["Fn::Join"][1])
    return str(resource)
