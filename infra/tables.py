"""The tables, built from `daybook.store.schema` so that they cannot differ from what tests use.

`Table` rather than `TableV2`: cdk-nag checks only the first, and it becomes an
`AWS::DynamoDB::Table`, which a person can import into another stack.

Encryption uses the AWS-managed key: CloudTrail shows its use, and it needs no grants. With a
key of our own, every agent's role that reads the tables directly would need the key as well,
one more way to lock oneself out, for no more protection than the table's own policies give.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from daybook.store import schema
from infra.config import StageConfig

TYPES = {"S": dynamodb.AttributeType.STRING, "N": dynamodb.AttributeType.NUMBER}


class Tables(Construct):
    """Every table of the schema. `by_name` finds one by its name without the prefix."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self.by_name = {table.name: self._table(table, config) for table in schema.TABLES}

    def _table(self, table: schema.Table, config: StageConfig) -> dynamodb.Table:
        """Build one table with its indexes."""
        types = table.key_attributes
        built = dynamodb.Table(
            self,
            table.name,
            table_name=config.prefix + table.name,
            partition_key=_attribute(schema.PARTITION_KEY, "S"),
            sort_key=_attribute(schema.SORT_KEY, "S"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=schema.TTL_ATTRIBUTE,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            deletion_protection=config.protected,
            removal_policy=RemovalPolicy.RETAIN if config.protected else RemovalPolicy.DESTROY,
        )
        for index in table.indexes:
            built.add_global_secondary_index(
                index_name=index.name,
                partition_key=_attribute(index.partition_key, types[index.partition_key]),
                sort_key=_attribute(index.sort_key, types[index.sort_key]),
                projection_type=(
                    dynamodb.ProjectionType.INCLUDE
                    if index.include
                    else dynamodb.ProjectionType.KEYS_ONLY
                ),
                non_key_attributes=list(index.include) or None,
            )
        return built


def _attribute(name: str, kind: schema.AttributeType) -> dynamodb.Attribute:
    """Describe a key attribute."""
    return dynamodb.Attribute(name=name, type=TYPES[kind])
