"""Agent ids, decision ids and the moments inside them.

A decision id is `<UUIDv7>@<agent id>`. The UUID carries the decision's own time to the
microsecond (RFC 9562, 6.2 method 3: the twelve bits of `rand_a` are the fraction of the
millisecond), so ids sort by time and the time need not be stored beside them. The agent id
says whose log holds the decision, so an id alone is enough to read it with one request.
"""

import os
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from daybook.errors import InvalidAgentIdError, InvalidDecisionIdError, InvalidInputError

AGENT_ID = re.compile(r"[A-Za-z0-9._:@-]{1,128}")
_ROLE_NAME_PART = re.compile(r"[A-Za-z0-9.@_-]+")
"""What both an agent's id and the name of an IAM role can hold."""
_LONGEST_ROLE_NAME = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead of the writer's clock a decision may claim to be made."""

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_UUID_LENGTH = 36
_CALENDAR_ENDS = "e677d21f-dbff"
_RANDOM_BITS = 62
_VERSION_AND_VARIANT = (0x7 << 76) | (0x2 << _RANDOM_BITS)
_MILLISECOND_BITS = 48
# an id need not be secret; and the system's generator lets other threads in at each call
_random = random.Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)
_MICROSECONDS = 1000
_FRACTIONS = 4096


class DecisionId(NamedTuple):
    """A decision id in its parts; `str()` gives the public form."""

    uuid: str
    agent_id: str

    def __str__(self) -> str:
        return f"{self.uuid}@{self.agent_id}"

    @classmethod
    def parse(cls, text: str) -> "DecisionId":
        """Take a public id apart, or raise InvalidDecisionIdError."""
        if not isinstance(text, str):
            raise InvalidDecisionIdError(f"a decision id is text, not {type(text).__name__}")
        uuid, at, agent_id = text[:_UUID_LENGTH], text[_UUID_LENGTH:][:1], text[_UUID_LENGTH + 1 :]
        well_formed = _UUID7.fullmatch(uuid) and at == "@" and AGENT_ID.fullmatch(agent_id)
        # 48 bits of milliseconds reach the year 10889, and a calendar only 9999
        if not well_formed or uuid[:13] >= _CALENDAR_ENDS:
            raise InvalidDecisionIdError(
                f"{_shown(text)} is not a decision id: expected <UUIDv7>@<agent id>, "
                "as log_decision returned it"
            )
        return cls(uuid, agent_id)

    @property
    def decided_at(self) -> datetime:
        """The moment inside the id, in UTC, to the microsecond."""
        bits = int(self.uuid.replace("-", ""), 16)
        milliseconds = bits >> 80
        fraction = (bits >> 64) & (_FRACTIONS - 1)
        # the id was made by rounding up, so rounding down gives the microsecond back
        microseconds = fraction * _MICROSECONDS // _FRACTIONS
        return EPOCH + timedelta(milliseconds=milliseconds, microseconds=microseconds)


def new_decision_id(
    agent_id: str, decided_at: datetime | None = None, *, random_bits: int | None = None
) -> str:
    """Make a decision's id ahead of logging it, so that a retry can repeat it.

    `decided_at` is timezone-aware and defaults to now; `random_bits` (62 of them) makes the
    id reproducible. Raises InvalidAgentIdError or InvalidInputError.
    """
    moment = aware(decided_at, "decided_at") if decided_at else datetime.now(UTC)
    bits = _random.getrandbits(_RANDOM_BITS) if random_bits is None else random_bits
    return str(DecisionId(uuid_at(moment, bits), checked_agent_id(agent_id)))


def ascending_bits(count: int) -> list[int]:
    """Draw the random bits of ids that may be of one moment, and are to sort in this order."""
    return sorted(_random.getrandbits(_RANDOM_BITS) for _ in range(count))


def uuid_at(moment: datetime, random_bits: int = 0) -> str:
    """Return the UUIDv7 of a moment; with no random bits, the smallest of its microsecond."""
    milliseconds, rest = divmod(microseconds(moment), _MICROSECONDS)
    if not 0 <= milliseconds < 1 << _MILLISECOND_BITS:
        raise InvalidInputError(f"{moment.isoformat()} is before 1970: no UUIDv7 can carry it")
    fraction = -(-rest * _FRACTIONS // _MICROSECONDS)
    bits = milliseconds << 80 | fraction << 64 | _VERSION_AND_VARIANT
    digits = f"{bits | random_bits & (1 << _RANDOM_BITS) - 1:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(micros: int) -> datetime:
    """Return the moment that lies this many microseconds after 1970, in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def checked_agent_id(agent_id: str) -> str:
    """Return the agent id, or raise InvalidAgentIdError."""
    if not isinstance(agent_id, str) or not AGENT_ID.fullmatch(agent_id):
        raise InvalidAgentIdError(
            f"{_shown(agent_id)} is not an agent id: "
            "use 1 to 128 characters of A-Z a-z 0-9 . _ : @ -"
        )
    return agent_id


def check_role_name(prefix: str, agent_id: str) -> None:
    """Raise InvalidInputError for an id that IAM would not take as part of a role's name."""
    name = prefix + checked_agent_id(agent_id)
    if not _ROLE_NAME_PART.fullmatch(agent_id):
        raise InvalidInputError(
            f"Agent {agent_id!r} cannot have a role: IAM role names hold letters, digits and "
            "'.@_-' of what an agent's id may hold. Rename the agent, or leave it out here and "
            "give it a role of your own."
        )
    if len(name) > _LONGEST_ROLE_NAME:
        raise InvalidInputError(
            f"Agent {agent_id!r} cannot have a role: {name!r} has {len(name)} characters and IAM "
            f"allows {_LONGEST_ROLE_NAME}. Shorten the agent's id or the prefix."
        )


def aware(moment: datetime, name: str) -> datetime:
    """Return the moment in UTC, or raise InvalidInputError if it names no time zone."""
    if not isinstance(moment, datetime):
        raise InvalidInputError(f"{name} must be a datetime, not {type(moment).__name__}")
    if moment.utcoffset() is None:
        raise InvalidInputError(
            f"{name} {moment.isoformat()} has no time zone: "
            "use datetime.now(timezone.utc), or .replace(tzinfo=...)"
        )
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError(
            f"{name} {moment.isoformat()} lies outside the calendar once it is in UTC"
        ) from None


def _shown(text: object) -> str:
    """Quote hostile input, escaped and cut to what a person can read."""
    quoted = repr(text)
    return quoted if len(quoted) <= 80 else f"{quoted[:60]}… ({len(quoted)} characters)"  # noqa: PLR2004


AgentId = Annotated[str, AfterValidator(checked_agent_id)]
DecisionIdText = Annotated[str, AfterValidator(lambda text: str(DecisionId.parse(text)))]
Moment = Annotated[datetime, AfterValidator(lambda moment: aware(moment, "the time"))]
