"""The tables in the template are the tables of the schema."""

from typing import Any

import pytest

from daybook.store.schema import TABLES, TTL_ATTRIBUTE, Table
from tests.infra.conftest import Synthesized


def table(stage: Synthesized, name: str) -> dict[str, Any]:
    """Return the resource of a table."""
    for resource in stage.of_type("AWS::DynamoDB::Table").values():
        if resource["Properties"]["TableName"] == stage.config.prefix + name:
            return dict(resource)
    raise AssertionError(f"no table {name}")


def test_every_table_and_no_other(stage: Synthesized) -> None:
    """The stack has exactly the schema's tables."""
    found = {t["Properties"]["TableName"] for t in stage.of_type("AWS::DynamoDB::Table").values()}
    assert found == {t.name for t in TABLES}


@pytest.mark.parametrize("schema", TABLES, ids=lambda t: t.name)
def test_table_is_kept_safe(stage: Synthesized, schema: Table) -> None:
    """Point-in-time recovery, encryption, on-demand billing, expiry and a stream, everywhere."""
    properties = table(stage, schema.name)["Properties"]
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {
        "AttributeName": TTL_ATTRIBUTE,
        "Enabled": True,
    }
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.mark.parametrize("schema", TABLES, ids=lambda t: t.name)
def test_table_survives_in_production_only(stage: Synthesized, schema: Table) -> None:
    """Production refuses to delete a table, by itself or with the stack."""
    resource = table(stage, schema.name)
    protected = stage.config.name == "prod"
    assert resource["Properties"]["DeletionProtectionEnabled"] is protected
    assert resource["DeletionPolicy"] == ("Retain" if protected else "Delete")


@pytest.mark.parametrize("schema", TABLES, ids=lambda t: t.name)
def test_indexes_equal_the_schema(prod: Synthesized, schema: Table) -> None:
    """Each index has the schema's keys and copies exactly what the schema says."""
    properties = table(prod, schema.name)["Properties"]
    found = {
        index["IndexName"]: (
            [key["AttributeName"] for key in index["KeySchema"]],
            index["Projection"]["ProjectionType"],
            tuple(index["Projection"].get("NonKeyAttributes", ())),
        )
        for index in properties.get("GlobalSecondaryIndexes", [])
    }
    assert found == {
        index.name: (
            [index.partition_key, index.sort_key],
            "INCLUDE" if index.include else "KEYS_ONLY",
            index.include,
        )
        for index in schema.indexes
    }


@pytest.mark.parametrize("schema", TABLES, ids=lambda t: t.name)
def test_key_attributes_equal_the_schema(prod: Synthesized, schema: Table) -> None:
    """Every key attribute is declared, with the schema's type, and no other."""
    properties = table(prod, schema.name)["Properties"]
    declared = {a["AttributeName"]: a["AttributeType"] for a in properties["AttributeDefinitions"]}
    assert declared == schema.key_attributes
    assert [k["AttributeName"] for k in properties["KeySchema"]] == ["pk", "sk"]
