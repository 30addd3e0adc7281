"""Who has news: a function that follows the streams of log and states into the registry."""

import json

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from daybook.store.keys import ARRIVING, CURRENT_STATE
from infra.access import NOTE_AGENTS, grant_registry
from infra.config import StageConfig
from infra.functions import Artifacts, DaybookFunction
from infra.nag import acknowledge
from infra.queues import dead_letter_queue

LARGEST_BATCH = 1_000


class News(Construct):
    """`news`, called with what has arrived in the log and with states that have changed.

    Many records at a time.

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
        state: dynamodb.Table,
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
            config=config,
            table=memory,
            actions=["dynamodb:BatchGetItem", *NOTE_AGENTS],
        )
        self._follow(log, {"S": [{"prefix": prefix} for prefix in ARRIVING]}, config)
        self._follow(state, {"S": [CURRENT_STATE]}, config)
        acknowledge(
            self.handler.role,
            "AwsSolutions-IAM5[Resource::*]",
            "ListStreams, which Lambda needs to follow a stream, knows no resources; X-Ray's "
            "actions know none either.",
        )

    def _follow(
        self, table: dynamodb.Table, sort_keys: dict[str, object], config: StageConfig
    ) -> None:
        """Call the function with what is written under these sort keys.

        Nothing in the log is changed, so a change there is an expired item written anew.
        """
        pattern = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"sk": sort_keys}}}
        self.handler.function.add_event_source(
            sources.DynamoEventSource(
                table,
                # what is already in the stream when it is deployed counts as news, too
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=LARGEST_BATCH,
                max_batching_window=Duration.seconds(config.news_window_seconds),
                bisect_batch_on_error=True,
                max_record_age=Duration.hours(12),
                on_failure=sources.SqsDlq(self.dead_letters),
                filters=[{"pattern": json.dumps(pattern)}],
            )
        )
