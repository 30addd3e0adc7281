"""Makes and removes the tables where no stack does: in tests, and in local databases."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from daybook.errors import SchemaMismatchError, UnreachableError
from daybook.store import requests
from daybook.store.faults import ignoring, told_as_ours
from daybook.store.schema import TABLES, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PATIENCE_SECONDS = 120.0


def create_tables(client: "DynamoDBClient", prefix: str, *, streams: bool = True) -> None:
    """Create what is missing, and wait until every table and index can be used.

    Calling it again, or from two processes at once, does no harm. Raises
    SchemaMismatchError when a table of the name exists with other keys or indexes.
    """
    for schema in TABLES:
        name = f"{prefix}{schema.name}"
        with told_as_ours(f"creating the table {name}"):
            found = _describe(client, name)
            if found and found["TableStatus"] == "DELETING":
                found = _wait(client, name, _is_gone)
            if found is None:
                with ignoring("ResourceInUseException"):
                    client.create_table(**requests.create_table(name, schema, streams=streams))
    for schema in TABLES:
        name = f"{prefix}{schema.name}"
        with told_as_ours(f"creating the table {name}"):
            _check(schema, name, _wait(client, name, _is_usable) or {})
            described = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            if described.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
                # two creators at once: the second is told that it is enabled already
                with ignoring("ValidationException"):
                    client.update_time_to_live(**requests.enable_ttl(name))


def delete_tables(client: "DynamoDBClient", prefix: str) -> None:
    """Delete every table that there is, and wait until they are gone."""
    names = [f"{prefix}{schema.name}" for schema in TABLES]
    for name in names:
        with told_as_ours(f"deleting the table {name}"):
            found = _describe(client, name)
            if found and found["TableStatus"] == "CREATING":
                _wait(client, name, _is_usable)
            with ignoring("ResourceNotFoundException"):
                client.delete_table(TableName=name)
    for name in names:
        with told_as_ours(f"deleting the table {name}"):
            _wait(client, name, _is_gone)


def _describe(client: "DynamoDBClient", name: str) -> dict[str, Any] | None:
    tables: list[dict[str, Any]] = []
    with ignoring("ResourceNotFoundException"):
        tables.append(dict(client.describe_table(TableName=name)["Table"]))
    return tables[0] if tables else None


def _is_usable(described: dict[str, Any] | None) -> bool:
    if described is None or described["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        return False
    indexes = described.get("GlobalSecondaryIndexes", [])
    return all(index.get("IndexStatus", "ACTIVE") == "ACTIVE" for index in indexes)


def _is_gone(described: dict[str, Any] | None) -> bool:
    return described is None


def _wait(
    client: "DynamoDBClient", name: str, done: Callable[[dict[str, Any] | None], bool]
) -> dict[str, Any] | None:
    """Return the table's description as soon as it is as wanted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = 0.02
    while not done(described := _describe(client, name)):
        if time.monotonic() > deadline:
            raise UnreachableError(
                f"the table {name} did not settle within {PATIENCE_SECONDS:.0f} seconds: "
                "look at its status and try again"
            )
        time.sleep(pause)
        pause = min(2.0, pause * 2)
    return described


def _check(schema: Table, name: str, described: dict[str, Any]) -> None:
    expected = requests.create_table(name, schema)
    found = {_layout(index) for index in described.get("GlobalSecondaryIndexes", [])}
    wanted = {_layout(index) for index in expected.get("GlobalSecondaryIndexes", [])}
    if described["KeySchema"] != expected["KeySchema"] or not wanted <= found:
        missing = ", ".join(sorted(layout[0] for layout in wanted - found)) or "its keys"
        raise SchemaMismatchError(
            f"the table {name} exists with another layout than Daybook's ({missing}): "
            "use another prefix, or delete it if it holds nothing you need"
        )


def _layout(index: dict[str, Any]) -> tuple[str, tuple[str, ...], frozenset[str]]:
    keys = tuple(key["AttributeName"] for key in index["KeySchema"])
    return index["IndexName"], keys, frozenset(index["Projection"].get("NonKeyAttributes", ()))
