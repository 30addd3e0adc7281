"""Who has news: a function that follows the streams of log and states into the watch list."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from daybook.store.keys import ARRIVING, CURRENT_STATE
from infra.access import NOTE_AGENTS, grant_watch_list
from infra.config import StageConfig
from infra.following import follow
from infra.functions import Artifacts, DaybookFunction
from infra.queues import dead_letter_queue

LARGEST_BATCH = 1_000


class News(Construct):
    """`news`, called with what has arrived in the log and with states that have changed.

    It gets many records at a time. A batch that fails is halved and tried again for half a day;
    then where it lies in the stream is written to a queue. Retrying it does no harm, and nothing
    but an outage of DynamoDB makes it fail.
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
            timeout=Duration.seconds(60),
        )
        grant_watch_list(
            self.handler.role,
            config=config,
            table=memory,
            actions=["dynamodb:BatchGetItem", *NOTE_AGENTS],
        )
        for table, sort_keys in (
            (log, [{"prefix": prefix} for prefix in ARRIVING]),
            (state, [CURRENT_STATE]),
        ):
            follow(
                self.handler,
                table,
                patterns=[_written(sort_keys)],
                dead_letters=self.dead_letters,
                batch_size=LARGEST_BATCH,
                window=Duration.seconds(config.news_window_seconds),
            )


def _written(sort_keys: Sequence[object]) -> dict[str, object]:
    """Return the pattern of what is written under these sort keys.

    Nothing in the log is changed, so a change there is an expired item written anew.
    """
    return {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"Keys": {"sk": {"S": sort_keys}}},
    }
