"""Who has news: a function that follows the decision log's stream into the registry."""

import json

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from daybook.store.keys import ARRIVING
from infra.access import grant_registry
from infra.config import StageConfig
from infra.functions import Artifacts, DaybookFunction
from infra.nag import acknowledge
from infra.queues import dead_letter_queue

LARGEST_BATCH = 1_000


class News(Construct):
    """`news`, called with what has arrived in the log, many records at a time.

    A batch that fails is halved and tried again for half a day; then where it lies in the
    stream is written to a queue. Retrying it does no harm, and nothing but an outage of
    DynamoDB makes it fail.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        artifacts: Artifacts,
        log: dynamodb.Table,
        memory: dynamodb.Table,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = dead_letter_queue(
            self, "dead-letters", config=config, name="news-dead-letters"
        )
        self.handler = DaybookFunction(
            self,
            "news",
            config=config,
            artifacts=artifacts,
            handler="lambdas.news.handler",
            timeout=Duration.seconds(60),
        )
        grant_registry(
            self.handler.role,
            table=memory,
            actions=["dynamodb:BatchGetItem", "dynamodb:UpdateItem"],
        )
        self.handler.function.add_event_source(
            sources.DynamoEventSource(
                log,
                # what is already in the stream when it is deployed counts as news, too
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=LARGEST_BATCH,
                max_batching_window=Duration.seconds(config.news_window_seconds),
                bisect_batch_on_error=True,
                max_record_age=Duration.hours(12),
                on_failure=sources.SqsDlq(self.dead_letters),
                filters=[{"pattern": json.dumps(_arrivals())}],
            )
        )
        acknowledge(
            self.handler.role,
            "AwsSolutions-IAM5[Resource::*]",
            "ListStreams, which Lambda needs to follow a stream, knows no resources; X-Ray's "
            "actions know none either.",
        )


def _arrivals() -> dict[str, object]:
    """Return the pattern of records that are news.

    Nothing in the log is changed, so a change is an expired item that was written anew.
    """
    starts = [{"prefix": prefix} for prefix in ARRIVING]
    return {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"sk": {"S": starts}}},
    }
