"""What agents tell each other, how far that has got, and who is there."""

import json
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic import model_validator as checks

from daybook.errors import ForeignSignalError, InvalidInputError, SignalTooLargeError
from daybook.models.base import ListOf, Record
from daybook.models.decisions import Label
from daybook.models.enums import SignalPriority, SignalStatus, SignalType
from daybook.models.identity import CLOCK_SKEW, AgentId, Moment
from daybook.models.json_values import JsonDict, JsonObject
from daybook.models.signal_ids import SignalId, SignalIdText

SIGNAL_LIFE = timedelta(hours=24)
"""A signal and its deliveries exist this long."""

MOST_TARGETS = 1_000
LARGEST_PAYLOAD = 256 * 1024
"""Bytes of JSON."""

MOST_WORDS = 50
"""Capabilities, or topics, of one agent."""


def _signal_type(value: object) -> SignalType:
    if not isinstance(value, str) or value not in set(SignalType):
        raise InvalidInputError(f"{value!r:.60} is unknown: use one of {', '.join(SignalType)}")
    return SignalType(value)


def _priority(value: object) -> SignalPriority:
    if isinstance(value, bool) or not isinstance(value, int) or value not in set(SignalPriority):
        names = ", ".join(f"{each.value} ({each.name})" for each in SignalPriority)
        raise InvalidInputError(f"{value!r:.60} is no priority: use one of {names}")
    return SignalPriority(value)


def _listed(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if value is None:
        return None
    advice = f": use [{value!r:.60}]" if isinstance(value, str) else ""
    raise InvalidInputError(f"{value!r:.60} is no list{advice}")


def _once(words: list[str]) -> list[str]:
    """Count what is named twice once, and forget the order."""
    return sorted(set(words))


Targets = Annotated[
    Annotated[list[AgentId], AfterValidator(_once), Field(min_length=1, max_length=MOST_TARGETS)]
    | None,
    BeforeValidator(_listed),
]
Words = Annotated[
    list[Label],
    AfterValidator(_once),
    Field(max_length=MOST_WORDS),
    BeforeValidator(_listed),
]


class AgentSignal(Record, title="the signal"):
    """A message to named agents, to a topic, or, with neither, to every agent."""

    signal_id: SignalIdText
    sender: AgentId
    signal_type: SignalType
    priority: SignalPriority = SignalPriority.NORMAL
    payload: JsonDict = Field(default_factory=dict)
    targets: Targets = None
    topic: Label | None = None
    dedupe_id: Label | None = None
    created_at: Moment
    expires_at: Moment

    @checks(mode="after")
    def _fits_together(self) -> Self:
        if SignalId.parse(self.signal_id).sender != self.sender:
            raise InvalidInputError(f"the id {self.signal_id} is not one of {self.sender!r}")
        if self.targets is not None and self.topic is not None:
            raise InvalidInputError("a signal has targets or a topic, not both")
        try:
            latest = self.created_at + SIGNAL_LIFE
        except OverflowError:
            raise InvalidInputError("created_at is at the end of the calendar") from None
        if not self.created_at < self.expires_at <= latest:
            raise InvalidInputError("a signal expires after it is made, within 24 hours")
        return self

    def says_the_same_as(self, other: "AgentSignal") -> bool:
        """Whether both tell the same to the same, whenever they were published."""
        return _told(self) == _told(other)


def _told(signal: AgentSignal) -> str:
    """Write down what a signal tells; as JSON, for in Python `1 == 1.0 == True`."""
    facts = signal.model_dump(mode="json", exclude={"created_at", "expires_at"})
    return json.dumps(facts, sort_keys=True)


class SignalDraft(Record, title="the signal"):
    """A signal to be published: to named agents, to a topic, or with neither to all.

    With a `signal_id` of its own or a `dedupe_id` it can be handed in again after a failure, and
    is still one signal.
    """

    signal_type: Annotated[SignalType, BeforeValidator(_signal_type)]
    payload: JsonDict = Field(default_factory=dict)
    targets: Targets = None
    priority: Annotated[SignalPriority, BeforeValidator(_priority)] = SignalPriority.NORMAL
    topic: Label | None = None
    dedupe_id: Label | None = None
    signal_id: SignalIdText | None = None

    def to_signal(self, sender: str, now: datetime) -> AgentSignal:
        """Return the signal that this agent publishes at this moment.

        Raises ForeignSignalError when the id is another agent's.
        """
        made = str(SignalId.make(sender, now, self.dedupe_id))
        signal_id = self.signal_id or made
        if SignalId.parse(signal_id).sender != sender:
            raise ForeignSignalError(
                f"{signal_id} would be another agent's signal, and this is {sender!r}: an agent "
                "publishes in its own name only",
                [("signal_id", "belongs to another agent")],
            )
        if self.dedupe_id is not None and signal_id != made:
            raise InvalidInputError(
                "the dedupe_id makes the signal's id: leave signal_id out",
                [("signal_id", "contradicts dedupe_id")],
            )
        return AgentSignal.checked(
            **{name: value for name, value in dict(self).items() if name != "signal_id"},
            signal_id=signal_id,
            sender=sender,
            created_at=now,
            expires_at=now + SIGNAL_LIFE,
        )


def check_can_be_published(signal: AgentSignal, now: datetime) -> None:
    """Raise InvalidInputError for a signal that nobody can publish at this moment.

    It is over, or could never have been published: see `check_could_be_published`.
    """
    check_could_be_published(signal, now)
    if signal.expires_at <= now:
        raise InvalidInputError(
            f"the signal {signal.signal_id} expired at {signal.expires_at.isoformat()}: publish "
            "it anew if it still matters"
        )


def check_could_be_published(signal: AgentSignal, now: datetime) -> None:
    """Raise InvalidInputError for a signal that nobody can have published by this moment.

    It claims to come from the future, or its payload is over 256 KB of JSON; the last is a
    SignalTooLargeError.
    """
    if signal.created_at > now + CLOCK_SKEW:
        raise InvalidInputError(
            f"the signal {signal.signal_id} is made at {signal.created_at.isoformat()}, and it is "
            f"now {now.isoformat()}: check the sender's clock"
        )
    size = json_size(signal.payload)
    if size > LARGEST_PAYLOAD:
        raise SignalTooLargeError(
            f"the payload is {size:,} bytes of JSON, and the limit is {LARGEST_PAYLOAD:,}: put it "
            "where the targets can read it, and send its address"
        )


def json_size(document: JsonObject) -> int:
    """Return how many bytes this takes as JSON."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


class ClaimedSignal(Record):
    """A signal that one worker of an agent holds until `visible_until`.

    `fence` is higher with each claim of the signal; `attempt` counts from 1.
    """

    signal: AgentSignal
    fence: int
    attempt: int
    visible_until: Moment


class DeliveryReport(Record):
    """How far one target has got with a signal. A claim that ran out counts as pending."""

    agent_id: AgentId
    status: SignalStatus
    attempts: int


class SignalReport(Record):
    """How far each target has got with a signal.

    `deliveries` are in the order of the agents' ids. There are none for about a second after
    publishing, and none at all for a signal that nobody was there to receive: an empty report
    does not tell which of the two it is.
    """

    signal_id: SignalIdText
    deliveries: ListOf[DeliveryReport]

    def count(self, status: SignalStatus) -> int:
        """Return how many targets are this far."""
        return sum(delivery.status == status for delivery in self.deliveries)


class AgentDescription(Record, title="the agent's description"):
    """What an agent says of itself: what it can do, and the topics that it listens to."""

    capabilities: Words = Field(default_factory=list)
    topics: Words = Field(default_factory=list)


class AgentCard(AgentDescription):
    """An agent in the registry of who is there, and when it was last heard of."""

    agent_id: AgentId
    registered_at: Moment
    heartbeat_at: Moment
