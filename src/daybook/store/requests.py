"""The parameters of DynamoDB's requests, from plain values. Pure: nothing is sent here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daybook.store import expressions
from daybook.store.attributes import Item, Value, to_wire
from daybook.store.expressions import Condition, Placeholders
from daybook.store.schema import TTL_ATTRIBUTE, Index, Table

Parameters = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Put:
    """One item of a transaction to be written, perhaps only under a condition."""

    table: Table
    item: Item
    condition: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Delete:
    """One item of a transaction to be deleted, perhaps only under a condition."""

    table: Table
    key: Item
    condition: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """A condition that a transaction depends on, about an item that it does not write."""

    table: Table
    key: Item
    condition: Condition


@dataclass(frozen=True, kw_only=True)
class Update:
    """Attributes of one item to be set or removed; the item is made if it is not there.

    `moves` gives an attribute the value that another one had before, in this order; the item
    has to have that other one. `counts` are added to whole numbers that the item has, `adds` to
    such that it may not have yet.
    """

    table: Table
    key: Item
    values: Item
    moves: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    adds: Mapping[str, int] = field(default_factory=dict)
    removes: Sequence[str] = ()
    condition: Condition | None = None


Write = Put | Delete | Check | Update


def put(table: str, item: Mapping[str, Value], condition: Condition | None = None) -> Parameters:
    """PutItem; with a condition, the answer to a refusal carries the item that stands."""
    parameters: Parameters = {"TableName": table, "Item": to_wire(item)}
    if condition is None:
        return parameters
    refusal = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return parameters | _under(condition) | refusal


def update(prefix: str, change: Update) -> Parameters:
    """UpdateItem; with a condition, the answer to a refusal carries the item that stands."""
    parameters = _update(prefix, change)
    if change.condition is not None:
        parameters["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return parameters


def _update(prefix: str, change: Update) -> Parameters:
    placeholders = Placeholders()
    assignments = [
        f"{placeholders.name(attribute)} = {placeholders.name(other)}"
        for attribute, other in change.moves.items()
    ]
    assignments += [
        f"{placeholders.name(attribute)} = {placeholders.value(value)}"
        for attribute, value in change.values.items()
    ]
    for attribute, count in change.counts.items():
        name = placeholders.name(attribute)
        assignments.append(f"{name} = {name} + {placeholders.value(count)}")
    expression = f"SET {', '.join(assignments)}"
    if change.adds:
        added = (
            f"{placeholders.name(attribute)} {placeholders.value(count)}"
            for attribute, count in change.adds.items()
        )
        expression += f" ADD {', '.join(added)}"
    if change.removes:
        expression += f" REMOVE {', '.join(map(placeholders.name, change.removes))}"
    parameters = {
        "TableName": f"{prefix}{change.table.name}",
        "Key": to_wire(change.key),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": placeholders.names,
        "ExpressionAttributeValues": placeholders.values,
    }
    if change.condition is not None:
        parameters["ConditionExpression"] = change.condition.text(placeholders)
    return parameters


def transaction(prefix: str, writes: Sequence[Write]) -> Parameters:
    """TransactWriteItems: all of these or none."""
    return {"TransactItems": [_part(prefix, write) for write in writes]}


def _part(prefix: str, write: Write) -> Parameters:
    table = {"TableName": f"{prefix}{write.table.name}"}
    match write:
        case Put():
            under = _under(write.condition) if write.condition else {}
            return {"Put": table | {"Item": to_wire(write.item)} | under}
        case Delete():
            under = _under(write.condition) if write.condition else {}
            return {"Delete": table | {"Key": to_wire(write.key)} | under}
        case Check():
            key = {"Key": to_wire(write.key)}
            return {"ConditionCheck": table | key | _under(write.condition)}
        case Update():
            return {"Update": _update(prefix, write)}


def _under(condition: Condition) -> Parameters:
    rendered = expressions.render(condition)
    parameters = {
        "ConditionExpression": rendered["text"],
        "ExpressionAttributeNames": rendered["names"],
    }
    if rendered["values"]:
        parameters["ExpressionAttributeValues"] = rendered["values"]
    return parameters


def query(
    table: str,
    condition: Condition,
    *,
    index: str | None,
    forward: bool,
    consistent: bool,
    page_size: int | None,
) -> Parameters:
    """Query on the table or on an index."""
    rendered = expressions.render(condition)
    parameters: Parameters = {
        "TableName": table,
        "KeyConditionExpression": rendered["text"],
        "ExpressionAttributeNames": rendered["names"],
        "ExpressionAttributeValues": rendered["values"],
        "ScanIndexForward": forward,
        "ConsistentRead": consistent,
    }
    if index is not None:
        parameters["IndexName"] = index
    if page_size is not None:
        parameters["Limit"] = page_size
    return parameters


def batch_get(
    table: str, keys: Sequence[Mapping[str, Value]], *, consistent: bool = True
) -> Parameters:
    """BatchGetItem on one table: its `RequestItems`."""
    return {table: {"Keys": [to_wire(key) for key in keys], "ConsistentRead": consistent}}


def batch_write(table: str, items: Sequence[Mapping[str, Value]]) -> Parameters:
    """BatchWriteItem that puts into one table: its `RequestItems`."""
    return {table: [{"PutRequest": {"Item": to_wire(item)}} for item in items]}


def batch_delete(table: str, keys: Sequence[Mapping[str, Value]]) -> Parameters:
    """BatchWriteItem that deletes from one table: its `RequestItems`."""
    return {table: [{"DeleteRequest": {"Key": to_wire(key)}} for key in keys]}


def create_table(name: str, schema: Table, *, streams: bool = True) -> Parameters:
    """CreateTable: on-demand, with every index of the schema."""
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": kind}
            for attribute, kind in sorted(schema.key_attributes.items())
        ],
        "KeySchema": _key_schema("pk", "sk"),
        "SSESpecification": {"Enabled": True},
        **({"StreamSpecification": stream} if streams else {}),
        **(
            {"GlobalSecondaryIndexes": [_index(index) for index in schema.indexes]}
            if schema.indexes
            else {}
        ),
    }


def enable_ttl(name: str) -> Parameters:
    """UpdateTimeToLive on the attribute that every table uses."""
    return {
        "TableName": name,
        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
    }


def _index(index: Index) -> Parameters:
    projection: Parameters = {"ProjectionType": "KEYS_ONLY"}
    if index.include:
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.include)}
    return {
        "IndexName": index.name,
        "KeySchema": _key_schema(index.partition_key, index.sort_key),
        "Projection": projection,
    }


def _key_schema(partition_key: str, sort_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]
