"""How a function follows a table's stream: from its beginning, and nothing is lost on the way."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs

from infra.functions import DaybookFunction
from infra.nag import acknowledge


def follow(
    part: DaybookFunction,
    table: dynamodb.Table,
    *,
    patterns: Sequence[Mapping[str, object]],
    dead_letters: sqs.Queue,
    batch_size: int,
    window: Duration | None = None,
    reports_failures: bool = False,
) -> None:
    """Call a function with the records of a table's stream that match one of the patterns.

    A batch that fails is halved and tried again for half a day; then where it lies in the stream
    is written to the dead letters. With `reports_failures` the function says which records
    failed: Lambda goes back to the first of them, so that those before it are not repeated. Those
    behind it come again, with every try.
    """
    part.function.add_event_source(
        sources.DynamoEventSource(
            table,
            # what is already in the stream when it is deployed counts, too
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=batch_size,
            max_batching_window=window,
            report_batch_item_failures=reports_failures or None,
            bisect_batch_on_error=True,
            max_record_age=Duration.hours(12),
            on_failure=sources.SqsDlq(dead_letters),
            filters=[{"pattern": json.dumps(pattern)} for pattern in patterns],
        )
    )
    acknowledge(
        part.role,
        "AwsSolutions-IAM5[Resource::*]",
        "ListStreams, which Lambda needs to follow a stream, knows no resources; X-Ray's "
        "actions know none either.",
    )
