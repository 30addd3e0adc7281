"""Alarms: something is lost, failing or held back."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.api import AgentApi
from infra.checkpoints import Checkpoints, Rollback
from infra.config import StageConfig
from infra.consolidation import Consolidation
from infra.functions import NAMESPACE, SERVICE
from infra.news import News
from infra.queue import DecisionQueue
from infra.signals import Signals

FIVE_MINUTES = Duration.minutes(5)
LATE_SECONDS = 900
"""A message waits this long only if the function cannot keep up, or does not run at all."""

LONGEST_LAG_SECONDS = 3_600
"""Four times the schedule's rate: by then several runs have failed, or none was begun."""

MILLISECONDS = cloudwatch.Unit.MILLISECONDS


class Alarms(Construct):
    """An alarm for each way in which something is lost, fails or comes late.

    That may be a decision or what is learned from it, a signal, a checkpoint, a rollback, or a
    request to the API.

    With `-c alarm_email=…` they are sent there through a topic; without, they are seen in
    CloudWatch.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        api: AgentApi,
        queue: DecisionQueue,
        news: News,
        consolidation: Consolidation,
        signals: Signals,
        checkpoints: Checkpoints,
        rollback: Rollback,
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = config.resource("")
        self._topic = self._email_topic(config.alarm_email) if config.alarm_email else None
        for name, dead_letters, what in (
            ("dead-letters", queue.dead_letters, "Decisions or outcomes"),
            ("consolidation-dead-letters", consolidation.dead_letters, "Consolidations"),
            ("news-dead-letters", news.dead_letters, "Notes of who has something new"),
            ("schedule-dead-letters", consolidation.schedule_dead_letters, "Calls of the planner"),
            ("signals-dead-letters", signals.dead_letters, "Signals"),
            ("checkpoint-dead-letters", checkpoints.dead_letters, "Automatic checkpoints"),
            (
                "checkpoint-schedule-dead-letters",
                checkpoints.schedule_dead_letters,
                "Calls of the checkpoints' planner",
            ),
        ):
            self._alarm(
                name,
                dead_letters.metric_approximate_number_of_messages_visible(
                    period=FIVE_MINUTES, statistic="Maximum"
                ),
                f"{what} failed for good. Read them in the dead-letter queue; once the cause is "
                "mended, redrive them or, where docs say so, delete them.",
            )
        self._alarm(
            "queue-late",
            queue.queue.metric_approximate_age_of_oldest_message(
                period=FIVE_MINUTES, statistic="Maximum"
            ),
            "A decision has waited in the queue for a quarter of an hour.",
            threshold=LATE_SECONDS,
        )
        for part in (
            api.handler,
            queue.handler,
            news.handler,
            consolidation.planner,
            consolidation.worker,
            signals.handler,
            checkpoints.planner,
            checkpoints.worker,
            rollback.handler,
        ):
            name = part.node.id
            self._alarm(
                f"{name}-errors",
                part.function.metric_errors(period=FIVE_MINUTES),
                f"{name} raised an error; its log says which.",
            )
            self._alarm(
                f"{name}-throttles",
                part.function.metric_throttles(period=FIVE_MINUTES),
                f"{name} was throttled: the account's concurrency is used up.",
            )
        self._alarm(
            "api-server-errors",
            api.stage.metric_server_error(period=FIVE_MINUTES),
            "The API answered with a 5xx status.",
        )
        for name, follower, what in (
            ("news-late", news.handler, "was written %s has not been noted as news"),
            ("signals-late", signals.handler, "was published %s has not been delivered"),
        ):
            self._alarm(
                name,
                follower.function.metric(
                    "IteratorAge", period=FIVE_MINUTES, statistic="Maximum", unit=MILLISECONDS
                ),
                f"What {what % 'a quarter of an hour ago'}.",
                threshold=1000 * LATE_SECONDS,
            )
        for name, metric, description, threshold in (
            (
                "consolidation-failures",
                "RunsFailed",
                "A consolidation failed, and is tried again; its worker's log says why.",
                1,
            ),
            (
                "consolidation-late",
                "ConsolidationLag",
                "Something that arrived an hour ago has not been learned from.",
                LONGEST_LAG_SECONDS,
            ),
            (
                "checkpoint-failures",
                "CheckpointsFailed",
                "An automatic checkpoint failed, and is tried again; its worker's log says why.",
                1,
            ),
            (
                "checkpoint-late",
                "CheckpointLag",
                "A state that changed four hours ago has no checkpoint.",
                4 * LONGEST_LAG_SECONDS,
            ),
        ):
            self._alarm(
                name,
                cloudwatch.Metric(
                    namespace=NAMESPACE,
                    metric_name=metric,
                    dimensions_map={"service": SERVICE},
                    period=FIVE_MINUTES,
                    statistic="Maximum",
                ),
                description,
                threshold=threshold,
            )

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, description: str, *, threshold: int = 1
    ) -> None:
        """Raise an alarm when a metric reaches a threshold in one period."""
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._prefix}{name}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=(cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
            # no traffic is no trouble
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
            alarm.add_ok_action(actions.SnsAction(self._topic))

    def _email_topic(self, address: str) -> sns.Topic:
        """Make a topic with one subscriber, who has to confirm by mail."""
        topic = sns.Topic(self, "topic", enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic
