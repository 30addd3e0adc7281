"""What a function may do with the tables and the bucket: these actions, and no others."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from daybook.store.schema import Table
from infra.nag import acknowledge
from infra.payloads import Payloads

QUERY = "dynamodb:Query"
READ_ITEMS = ("dynamodb:BatchGetItem", "dynamodb:GetItem")
WRITE_ITEMS = ("dynamodb:PutItem",)


def grant_log(role: iam.Role, *, table: dynamodb.Table, schema: Table, payloads: Payloads) -> None:
    """Let a role append to the decision log and read it.

    The log is append-only, so the role has neither UpdateItem nor DeleteItem; nothing scans.
    """
    indexes = [f"{table.table_arn}/index/{index.name}" for index in schema.indexes]
    for sid, actions, resources in (
        ("Log", [*READ_ITEMS, *WRITE_ITEMS, QUERY], [table.table_arn]),
        ("LogIndexes", [QUERY], indexes),
        ("Bodies", ["s3:GetObject", "s3:PutObject"], [payloads.bucket.arn_for_objects("*")]),
    ):
        role.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::{payloads.every_object_as_reported}]",
        "Objects anywhere in one bucket, which holds nothing but bodies.",
    )
