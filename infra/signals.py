"""Signals: a function that delivers them, and a bus that tells the outside."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from constructs import Construct

from daybook.models import SignalStatus
from daybook.store.keys import DELIVERED, ROUTED
from infra.access import WRITE_ITEMS, grant_routing
from infra.config import StageConfig
from infra.following import follow
from infra.functions import Artifacts, DaybookFunction
from infra.queues import dead_letter_queue

LARGEST_BATCH = 100


class Signals(Construct):
    """`signal-router`, called with what is published, and the event bus that it tells.

    It reports the records that failed, which are tried again for half a day and hold up no
    others. What can never succeed, and what agents put aside as dead, it sends to the dead letters
    itself; there, too, goes the position in the stream of what kept failing.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        artifacts: Artifacts,
        table: dynamodb.Table,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(self, "bus", event_bus_name=config.resource("signals"))
        self.dead_letters = dead_letter_queue(
            self, "dead-letters", config=config, name="signals-dead-letters"
        )
        self.handler = DaybookFunction(
            self,
            "signal-router",
            config=config,
            artifacts=artifacts,
            # a hundred signals to a thousand agents each do not fit; the rest is tried again
            timeout=Duration.minutes(5),
            memory_mb=1_024,
        )
        grant_routing(self.handler.role, config=config, table=table, actions=WRITE_ITEMS)
        self.bus.grant_put_events_to(self.handler.role)
        self.dead_letters.grant(self.handler.role, "sqs:SendMessage")
        environment = {
            "DAYBOOK_SIGNAL_BUS": self.bus.event_bus_name,
            "DAYBOOK_SIGNAL_DEAD_LETTERS_URL": self.dead_letters.queue_url,
        }
        for name, value in environment.items():
            self.handler.function.add_environment(name, value)
        follow(
            self.handler,
            table,
            patterns=_news(),
            dead_letters=self.dead_letters,
            batch_size=LARGEST_BATCH,
            reports_failures=True,
        )


def _news() -> list[dict[str, object]]:
    """Return the patterns of records that the router deals with.

    A signal is never changed, so a change is an expired one that was published anew.
    """
    return [
        {
            "eventName": ["INSERT", "MODIFY"],
            "dynamodb": {"Keys": {"sk": {"S": [{"prefix": ROUTED}]}}},
        },
        {
            "eventName": ["MODIFY"],
            "dynamodb": {
                "Keys": {"sk": {"S": [{"prefix": DELIVERED}]}},
                "NewImage": {"status": {"S": [SignalStatus.DEAD.value]}},
            },
        },
    ]
