"""What the router sends out: an event for each signal, a message for each that failed."""

import json
from typing import Any

from daybook.errors import DaybookError, InvalidInputError
from daybook.models import AgentSignal
from daybook.models.signals import json_size
from daybook.store.batching import Backoff
from lambdas.connection import client_manager, events, sqs

SOURCE = "daybook"
LARGEST_DETAIL = 200 * 1024
"""Bytes of JSON: an event, and a message, hold 256 KB with all that is about them."""

LARGEST_RECORD = 100_000
"""Characters of a stream's record that are kept with a message."""


class EventNotSentError(DaybookError):
    """EventBridge kept refusing an event; the stream's record is tried again."""


def detail_of(signal: AgentSignal) -> dict[str, Any]:
    """Return what an event says: all of the signal, or where to read it if that is too much."""
    told = signal.model_dump(mode="json", exclude={"dedupe_id"})
    for name in ("payload", "targets"):
        if json_size(told) > LARGEST_DETAIL:
            told[name] = None
            told["note"] = "left out as too large: read the signal by its id"
    return told


def announce(signal: AgentSignal, backoff: Backoff | None = None) -> None:
    """Put a signal on the bus. Raises EventNotSentError when it is refused again and again.

    An event may come more than once; `detail.signal_id` tells.
    """
    bus = client_manager().settings.signal_bus
    if bus is None:
        raise InvalidInputError("there is no bus to tell: set DAYBOOK_SIGNAL_BUS")
    patience = backoff or Backoff()
    entry = {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": signal.signal_type.value,
        "Detail": json.dumps(detail_of(signal), separators=(",", ":"), ensure_ascii=False),
    }
    for _ in patience.attempts():
        answer = events().put_events(Entries=[entry])
        if not answer.get("FailedEntryCount"):
            return
    raise EventNotSentError(
        f"EventBridge refused the event of {signal.signal_id} {patience.tries} times in a row: "
        f"{answer['Entries'][0].get('ErrorCode', 'no reason given')}"
    )


def set_aside(why: str, record: dict[str, Any]) -> None:
    """Send a record of the stream to the dead letters, with the reason. One request."""
    queue_url = client_manager().settings.signal_dead_letters_url
    if queue_url is None:
        raise InvalidInputError(
            "there is no queue for dead signals: set DAYBOOK_SIGNAL_DEAD_LETTERS_URL"
        )
    change = record["dynamodb"]
    message: dict[str, Any] = {"why": why, "keys": change["Keys"]}
    image = change.get("NewImage")
    if len(json.dumps(image, default=str)) <= LARGEST_RECORD:
        message["item"] = image
    sqs().send_message(QueueUrl=queue_url, MessageBody=json.dumps(message, default=str))
