"""AWS's prices, all of one region and one day, each with the page where AWS publishes it.

Only the first tier of a price that falls with volume is here: none of the others is reached by
what Daybook does. `free` is what every account gets each month without end; what is free for an
account's first year, or paid from its first credits, is not counted.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

REGION = "us-east-1"
AS_OF = date(2026, 11, 21)
"""When this table was put together; what holds is what AWS's pages say."""

_AWS = "https://aws.amazon.com"
_DYNAMODB = f"{_AWS}/dynamodb/pricing/on-demand/"
_LAMBDA = f"{_AWS}/lambda/pricing/"
_EVENTS = f"{_AWS}/eventbridge/pricing/"
_S3 = f"{_AWS}/s3/pricing/"
_CLOUDWATCH = f"{_AWS}/cloudwatch/pricing/"

MILLION = 1_000_000


class Meter(StrEnum):
    """What AWS counts. The text is the unit, for people."""

    WRITE_UNITS = "write units"
    READ_UNITS = "read units"
    TABLE_GB = "GB in tables"
    RECOVERY_GB = "GB backed up"
    CALLS = "calls of functions"
    GB_SECONDS = "GB-seconds of functions"
    QUEUE_REQUESTS = "requests to queues"
    SCHEDULED = "scheduled calls"
    EVENTS = "events"
    API_REQUESTS = "API requests"
    PUTS = "puts and lists"
    GETS = "gets"
    BUCKET_GB = "GB in the bucket"
    LOG_GB = "GB logged"
    LOG_ARCHIVE_GB = "GB of old logs"
    METRICS = "metrics"
    ALARMS = "alarms"
    TRACES = "traces"
    KEY_REQUESTS = "requests for keys"


@dataclass(frozen=True)
class Price:
    """So many dollars for `per` units, after the first `free` of a month.

    A gigabyte is of storage for a month, a metric and an alarm are there for a month; all else
    is counted as it happens.
    """

    dollars: float
    per: int
    free: int
    page: str

    def of(self, amount: float) -> float:
        """Return the dollars for so many units, of which none is free."""
        return amount / self.per * self.dollars


PRICES: dict[Meter, Price] = {
    Meter.WRITE_UNITS: Price(0.625, MILLION, 0, _DYNAMODB),
    Meter.READ_UNITS: Price(0.125, MILLION, 0, _DYNAMODB),
    Meter.TABLE_GB: Price(0.25, 1, 25, _DYNAMODB),
    Meter.RECOVERY_GB: Price(0.20, 1, 0, _DYNAMODB),
    Meter.CALLS: Price(0.20, MILLION, MILLION, _LAMBDA),
    # on arm64
    Meter.GB_SECONDS: Price(13.3334, MILLION, 400_000, _LAMBDA),
    Meter.QUEUE_REQUESTS: Price(0.40, MILLION, MILLION, f"{_AWS}/sqs/pricing/"),
    Meter.SCHEDULED: Price(1.00, MILLION, 14 * MILLION, _EVENTS),
    Meter.EVENTS: Price(1.00, MILLION, 0, _EVENTS),
    Meter.API_REQUESTS: Price(1.00, MILLION, 0, f"{_AWS}/api-gateway/pricing/"),
    Meter.PUTS: Price(0.005, 1_000, 0, _S3),
    Meter.GETS: Price(0.0004, 1_000, 0, _S3),
    Meter.BUCKET_GB: Price(0.023, 1, 0, _S3),
    Meter.LOG_GB: Price(0.50, 1, 5, _CLOUDWATCH),
    Meter.LOG_ARCHIVE_GB: Price(0.03, 1, 0, _CLOUDWATCH),
    Meter.METRICS: Price(0.30, 1, 10, _CLOUDWATCH),
    Meter.ALARMS: Price(0.10, 1, 10, _CLOUDWATCH),
    Meter.TRACES: Price(5.00, MILLION, 100_000, f"{_AWS}/xray/pricing/"),
    Meter.KEY_REQUESTS: Price(0.03, 10_000, 20_000, f"{_AWS}/kms/pricing/"),
}
