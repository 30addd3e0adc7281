"""Alarms: something is lost, failing or held back."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.api import DecisionApi
from infra.config import StageConfig
from infra.queue import DecisionQueue

FIVE_MINUTES = Duration.minutes(5)
LATE_SECONDS = 900
"""A message waits this long only if the function cannot keep up, or does not run at all."""


class Alarms(Construct):
    """An alarm for each way in which decisions go missing.

    With `-c alarm_email=…` they are sent there through a topic; without, they are seen in
    CloudWatch.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        api: DecisionApi,
        queue: DecisionQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = config.resource("")
        self._topic = self._email_topic(config.alarm_email) if config.alarm_email else None
        self._alarm(
            "dead-letters",
            queue.dead_letters.metric_approximate_number_of_messages_visible(
                period=FIVE_MINUTES, statistic="Maximum"
            ),
            "Messages failed five times. Read them in the dead-letter queue; once the cause is "
            "mended, redrive them.",
        )
        self._alarm(
            "queue-late",
            queue.queue.metric_approximate_age_of_oldest_message(
                period=FIVE_MINUTES, statistic="Maximum"
            ),
            "A decision has waited in the queue for a quarter of an hour.",
            threshold=LATE_SECONDS,
        )
        for part in (api.handler, queue.handler):
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
