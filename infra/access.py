"""What a function may do with the tables and the bucket: these actions, and no others."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from daybook.store import DECISIONS, SIGNALS, TABLES
from daybook.store.keys import OWN_FOLDERS, REGISTRY, STATE_BODIES, WATCHED
from daybook.store.schema import Table
from infra.config import StageConfig
from infra.nag import acknowledge
from infra.payloads import Payloads

QUERY = "dynamodb:Query"
READ_ITEMS = ("dynamodb:BatchGetItem", "dynamodb:GetItem")
WRITE_ITEMS = ("dynamodb:PutItem",)
TRANSACT_ITEMS = (
    *WRITE_ITEMS,
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:UpdateItem",
)
"""What a transaction needs: it has no permission of its own, each of its parts has."""

REWRITE_ITEMS = (*TRANSACT_ITEMS, "dynamodb:BatchWriteItem")

NOTE_AGENTS = ("dynamodb:GetItem", "dynamodb:UpdateItem")
"""What noting something of a watched agent takes; a refused note may look at it."""


def grant_log(role: iam.Role, *, table: dynamodb.Table, schema: Table, payloads: Payloads) -> None:
    """Let a role append to the decision log and read it.

    The log is append-only, so the role has neither UpdateItem nor DeleteItem; nothing scans.
    """
    _grant(role, "Log", [*READ_ITEMS, *WRITE_ITEMS, QUERY], [table.table_arn])
    _grant(role, "LogIndexes", [QUERY], _indexes(table, schema))
    grant_bodies(role, payloads=payloads)


def grant_log_reading(role: iam.Role, *, table: dynamodb.Table, schema: Table) -> None:
    """Let a role read the decision log, and change nothing in it."""
    _grant(role, "ReadLog", [*READ_ITEMS, QUERY], [table.table_arn])
    _grant(role, "ReadLogIndexes", [QUERY], _indexes(table, schema))


def grant_memory(role: iam.Role, *, table: dynamodb.Table, schema: Table) -> None:
    """Let a role learn: read, write, rewrite and delete in long-term memory."""
    _grant(role, "Memory", [*READ_ITEMS, *REWRITE_ITEMS, QUERY], [table.table_arn])
    _grant(role, "MemoryIndexes", [QUERY], _indexes(table, schema))


def grant_watch_list(
    role: iam.Role, *, config: StageConfig, table: dynamodb.Table, actions: Sequence[str]
) -> None:
    """Let a role do this with the agents that jobs watch: one partition of the memory's table."""
    only = _partitions("StringEquals", [WATCHED], config)
    _grant(role, "WatchList", actions, [table.table_arn], conditions=only)


def grant_signals(role: iam.Role, *, table: dynamodb.Table) -> None:
    """Let a role publish, claim and acknowledge signals, and see and say who is there."""
    _grant(role, "Signals", [*READ_ITEMS, *REWRITE_ITEMS], [table.table_arn])
    _grant(role, "SignalIndexes", [QUERY], _indexes(table, SIGNALS))


def grant_own_partitions(
    role: iam.Role,
    *,
    agent: str,
    config: StageConfig,
    tables: Mapping[str, dynamodb.Table],
    payloads: Payloads,
) -> None:
    """Let a role use the tables as one agent: its own partitions, of tables and of indexes.

    Every partition key starts with the agent's id, alone or before a `#`, which no id holds.
    In its own log the agent appends, like everybody.
    """
    own = _partitions("StringLike", [agent, f"{agent}#*"], config)
    log = tables[DECISIONS.name]
    others = [table for name, table in tables.items() if name != DECISIONS.name]
    _grant(role, "OwnLog", [*READ_ITEMS, *WRITE_ITEMS, QUERY], [log.table_arn], conditions=own)
    arns = [table.table_arn for table in others]
    _grant(role, "OwnItems", [*READ_ITEMS, *REWRITE_ITEMS, QUERY], arns, conditions=own)
    indexes = [arn for each in TABLES for arn in _indexes(tables[each.name], each)]
    _grant(role, "OwnIndexes", [QUERY], indexes, conditions=own)
    _grant_registry_reading(role, config=config, table=tables[SIGNALS.name])
    for folder in OWN_FOLDERS:
        names = f"{folder}{agent}/*"
        _grant(
            role,
            f"Own{folder.partition('/')[0].capitalize()}",
            ["s3:GetObject", "s3:PutObject"],
            [payloads.bucket.arn_for_objects(names)],
        )
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::{payloads.objects_as_reported(names)}]",
            "The bodies of one agent, and no others.",
        )


def _grant_registry_reading(role: iam.Role, *, config: StageConfig, table: dynamodb.Table) -> None:
    """Let a role read who is there; what jobs watch is another list, see `grant_watch_list`."""
    index = f"{table.table_arn}/index/{SIGNALS.index('RegistryIndex').name}"
    only = _partitions("StringEquals", [REGISTRY], config)
    _grant(role, "WhoIsThere", [QUERY], [index], conditions=only)


def grant_routing(
    role: iam.Role, *, config: StageConfig, table: dynamodb.Table, actions: Sequence[str]
) -> None:
    """Let a role deliver signals: ask who is there, and write where nothing is.

    Of what is in the table it can read one partition of one index, what agents say of themselves.
    """
    _grant(role, "Deliver", actions, [table.table_arn])
    _grant_registry_reading(role, config=config, table=table)


def grant_state(role: iam.Role, *, table: dynamodb.Table, payloads: Payloads) -> None:
    """Let a role keep states in checkpoints and take them back; their bodies it only reads.

    A body in the bucket is never copied: state and checkpoints point to the same one.
    """
    _grant(role, "State", [*READ_ITEMS, *TRANSACT_ITEMS, QUERY], [table.table_arn])
    bodies = f"{STATE_BODIES}*"
    _grant(role, "StateBodies", ["s3:GetObject"], [payloads.bucket.arn_for_objects(bodies)])
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::{payloads.objects_as_reported(bodies)}]",
        "The bodies of all agents' states, and no others.",
    )


def grant_sweeping(role: iam.Role, *, payloads: Payloads) -> None:
    """Let a role that may keep states see which bodies there are, and delete them."""
    bodies = f"{STATE_BODIES}*"
    only = {"StringLike": {"s3:prefix": [bodies]}}
    arn = payloads.bucket.bucket_arn
    _grant(role, "ListStateBodies", ["s3:ListBucket"], [arn], conditions=only)
    everything = [payloads.bucket.arn_for_objects(bodies)]
    _grant(role, "SweepStateBodies", ["s3:DeleteObject"], everything)


def grant_bodies(role: iam.Role, *, payloads: Payloads) -> None:
    """Let a role read and write the objects of the bucket, but neither list nor delete them."""
    everything = [payloads.bucket.arn_for_objects("*")]
    _grant(role, "Bodies", ["s3:GetObject", "s3:PutObject"], everything)
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::{payloads.objects_as_reported('*')}]",
        "Objects anywhere in one bucket, which holds nothing but bodies and archives.",
    )


def grant_noticing_loss(role: iam.Role, *, payloads: Payloads) -> None:
    """Let a role be told that an object is missing: S3 tells only those who may list the bucket.

    To others it says that access is denied, so one lost body would stop a job that could go on
    without it.
    """
    _grant(role, "NoticeLoss", ["s3:ListBucket"], [payloads.bucket.bucket_arn])


def _indexes(table: dynamodb.Table, schema: Table) -> list[str]:
    return [f"{table.table_arn}/index/{index.name}" for index in schema.indexes]


def _partitions(
    operator: str, keys: Sequence[str], config: StageConfig
) -> dict[str, dict[str, object]]:
    """Return conditions that hold for requests in partitions of these keys only.

    `ForAllValues` also holds where a request names no key at all, as a scan does; the second
    condition closes that gap. The local platform never says which keys a request names, and
    with the second condition would refuse everything.
    """
    only: dict[str, dict[str, object]] = {
        f"ForAllValues:{operator}": {"dynamodb:LeadingKeys": list(keys)}
    }
    return only if config.local else only | {"Null": {"dynamodb:LeadingKeys": "false"}}


def _grant(
    role: iam.Role,
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, object] | None = None,
) -> None:
    role.add_to_policy(
        iam.PolicyStatement(
            sid=sid, actions=list(actions), resources=list(resources), conditions=conditions
        )
    )
