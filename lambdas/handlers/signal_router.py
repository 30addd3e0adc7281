"""Follows the stream of the signals table: delivers what is published, and tells the outside.

Each signal is delivered by the function that the SDK uses, and put on the event bus. Routing
again changes nothing, so whatever fails for a passing reason is left to be tried again; it holds
up no other. What can never succeed goes to the dead letters at once; and so does, for a person
to see, a delivery that was put aside as dead.
"""

from collections import deque
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.errors import BodyCorruptError, InvalidInputError
from daybook.models.signals import check_could_be_published
from daybook.signals import Directory, route
from daybook.signals.items import read_signal
from daybook.store import Store
from lambdas import signal_events, signal_records
from lambdas.connection import client_manager

logger = Logger()
metrics = Metrics()
tracer = Tracer()

DEAD = "an agent claimed this signal five times and never acknowledged it"

_dealt_with: deque[str] = deque(maxlen=1_000)
"""Records behind one that failed. Lambda hands them over again with every try of that one, for
half a day; while this container is warm they are passed over, or each try would announce them."""


def take(store: Store, record: signal_records.Record, directory: Directory) -> None:
    """Deal with one record. What it raises is tried again."""
    if signal_records.is_signal(record):
        try:
            signal = read_signal(store, signal_records.stored(record))
            # an agent can write what it likes into its own partition
            check_could_be_published(signal, store.clock())
            targets = route(store, signal, directory)
        except (BodyCorruptError, InvalidInputError) as fault:
            signal_events.set_aside(f"the signal cannot be delivered: {fault}", record)
            _count("SignalsDamaged")
            return
        signal_events.announce(signal)
        _count("SignalsRouted")
        _count("DeliveriesRouted", len(targets))
    elif signal_records.is_death(record):
        signal_events.set_aside(DEAD, record)
        _count("SignalsDead")


def _count(name: str, count: int = 1) -> None:
    metrics.add_metric(name, MetricUnit.Count, count)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Deal with a batch of records and report those that failed.

    Lambda goes back to the first of these; what comes behind it is dealt with all the same, once.
    """
    del context
    store = client_manager().store
    directory = Directory()
    failed: list[dict[str, str]] = []
    for record in event["Records"]:
        if record["eventID"] in _dealt_with:
            continue
        try:
            take(store, record, directory)
        except Exception:
            _count("RecordsFailed")
            logger.exception("the record is left for another try")
            failed.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
        else:
            if failed:
                _dealt_with.append(record["eventID"])
    return {"batchItemFailures": failed}
