"""The queue: messages in batches of ten, for an agent that does not wait for an answer."""

import json
from collections.abc import Callable
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

import boto3

from daybook.models.drafts import DecisionDraft, OutcomeDraft
from examples.trading_desk.plan import DeskError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH = 10
"""The most that SQS takes in one request."""
PATIENCE = 180.0
"""Seconds without progress after which the queue is given up."""
POLL = 0.25
COUNTS: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


class QueueDoor:
    """Messages that the decision-queue function carries out.

    `waiting` is told how many messages are still on their way while `settle` waits.
    """

    name = "SQS queue"
    threads = 1

    def __init__(
        self,
        agent_id: str,
        *,
        session: boto3.Session,
        endpoint: str | None,
        queue_url: str,
        dead_letter_queue_url: str,
    ) -> None:
        self._agent_id = agent_id
        self._sqs: SQSClient = session.client("sqs", endpoint_url=endpoint)
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url
        self.waiting: Callable[[int], None] = lambda _: None
        self._batch: list[SendMessageBatchRequestEntryTypeDef] = []
        self._dead_before = self._count(dead_letter_queue_url)
        self.messages = 0
        self.requests = 0

    def log_decision(self, draft: DecisionDraft) -> str:
        """Send a decision, which names its own id. Raises DeskError."""
        if draft.decision_id is None:
            raise DeskError("A decision on the queue needs an id: make it with new_decision_id().")
        self._send("log_decision", {"decision": draft.model_dump(mode="json")})
        return draft.decision_id

    def log_outcome(self, draft: OutcomeDraft) -> None:
        """Send an outcome. Raises DeskError."""
        self._send("log_outcome", {"outcome": draft.model_dump(mode="json")})

    def settle(self) -> None:
        """Send what is left and return when the queue is empty.

        Raises DeskError when it stops getting shorter, or when a message became a dead letter.
        Dead letters of others, from before this door sent anything, are left alone.
        """
        self._send_batch()
        fewest, since = self.messages + 1, monotonic()
        while left := self._count(self._queue_url):
            self.waiting(left)
            if left < fewest:
                fewest, since = left, monotonic()
            elif monotonic() - since > PATIENCE:
                raise DeskError(
                    f"{left} messages have been on the queue for {PATIENCE:.0f} seconds: either "
                    "nothing takes them, or they fail again and again. See `daybook status`, the "
                    "platform's log and the function's."
                )
            sleep(POLL)
        self.waiting(0)
        dead = self._count(self._dead_letter_queue_url) - self._dead_before
        if not self.messages:
            self._dead_before += dead
        elif dead > 0:
            raise DeskError(
                f"{dead} more messages are in the dead-letter queue "
                f"{self._dead_letter_queue_url}: the function refused each of them five times. "
                "Its log says why."
            )

    def _send(self, verb: str, content: dict[str, Any]) -> None:
        message = {"verb": verb, "agent_id": self._agent_id, **content}
        entry_id = str(len(self._batch))
        self._batch.append({"Id": entry_id, "MessageBody": json.dumps(message)})
        if len(self._batch) == BATCH:
            self._send_batch()

    def _send_batch(self) -> None:
        if not self._batch:
            return
        answer = self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=self._batch)
        self.requests += 1
        if refused := answer.get("Failed"):
            raise DeskError(f"The queue refused a message: {refused[0].get('Message')}.")
        self.messages += len(self._batch)
        self._batch = []

    def _count(self, queue_url: str) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=COUNTS)
        return sum(int(number) for number in answer["Attributes"].values())
