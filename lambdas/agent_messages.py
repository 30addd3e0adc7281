"""What travels from a planner to its workers: a message for each agent to look after.

A queue delivers at least once and in any order, and both do no harm here: a message says only
whom to look after, and a second look finds nothing to do.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from pydantic import ValidationError

from daybook.errors import DaybookError, InvalidInputError
from daybook.models.base import Record, as_invalid_input
from daybook.models.identity import AgentId
from daybook.store.batching import Backoff
from lambdas.connection import client_manager, sqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

LARGEST_BATCH = 10
"""Messages to a request, SQS's limit."""


class UnsentMessagesError(DaybookError):
    """SQS kept refusing messages; the planner's next run sends them again."""


class AgentMessage(Record):
    """Look after this agent."""

    agent_id: AgentId


def parse(body: str) -> AgentMessage:
    """Read a message. Raises InvalidInputError that says what is wrong with it."""
    try:
        return AgentMessage.model_validate_json(body)
    except ValidationError as fault:
        raise as_invalid_input(fault, "the message") from None


def send(agent_ids: Iterable[str], backoff: Backoff | None = None) -> int:
    """Send a message for each agent to the function's queue, ten to a request; return how many.

    What SQS refuses of a batch is sent again. Raises UnsentMessagesError when it keeps
    refusing; whatever could be sent until then was.
    """
    queue_url = client_manager().settings.work_queue_url
    if queue_url is None:
        raise InvalidInputError("there is no queue to send to: set DAYBOOK_WORK_QUEUE_URL")
    return sum(_send_batch(queue_url, run, backoff or Backoff()) for run in _runs(agent_ids))


def _runs(agent_ids: Iterable[str]) -> Iterator[list[str]]:
    """Cut what is iterated into batches, without waiting for its end."""
    remaining = iter(agent_ids)
    while run := list(islice(remaining, LARGEST_BATCH)):
        yield run


def _send_batch(queue_url: str, agent_ids: list[str], backoff: Backoff) -> int:
    unsent: dict[str, SendMessageBatchRequestEntryTypeDef] = {
        str(number): {
            "Id": str(number),
            "MessageBody": AgentMessage(agent_id=agent_id).model_dump_json(),
        }
        for number, agent_id in enumerate(agent_ids)
    }
    for _ in backoff.attempts():
        answer = sqs().send_message_batch(QueueUrl=queue_url, Entries=list(unsent.values()))
        refused = {each["Id"]: each for each in answer.get("Failed", [])}
        if not refused:
            return len(agent_ids)
        unsent = {number: entry for number, entry in unsent.items() if number in refused}
    raise UnsentMessagesError(
        f"SQS refused {len(unsent)} of {len(agent_ids)} messages {backoff.tries} times in a row: "
        f"{next(iter(refused.values())).get('Message', 'no reason given')}. The next run of the "
        "planner sends them again"
    )
