"""Signal ids: `<UUID>@<sender>`.

Without a `dedupe_id` the UUID is a version 7 of the moment at which the signal was made; with
one it is a version 5 of sender and `dedupe_id`, so that publishing twice makes one signal.
"""

import re
import secrets
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID, uuid5

from pydantic import AfterValidator

from daybook.errors import InvalidSignalIdError
from daybook.models.identity import AGENT_ID, uuid_at

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[57][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NAMESPACE = UUID("6f1c2a52-6f0e-5d7b-9d2c-0d9f5c3f4a11")
_RANDOM_BITS = 62


class SignalId(NamedTuple):
    """A signal id in its parts; `str()` gives the public form."""

    uuid: str
    sender: str

    def __str__(self) -> str:
        return f"{self.uuid}@{self.sender}"

    @classmethod
    def parse(cls, text: str) -> "SignalId":
        """Take a public id apart, or raise InvalidSignalIdError."""
        if not isinstance(text, str):
            raise InvalidSignalIdError(f"a signal id is text, not {type(text).__name__}")
        uuid, _, sender = text.partition("@")
        if not _UUID.fullmatch(uuid) or not AGENT_ID.fullmatch(sender):
            raise InvalidSignalIdError(
                f"{text!r:.80} is not a signal id: expected <UUID>@<agent id>, as publish_signal "
                "returned it"
            )
        return cls(uuid, sender)

    @classmethod
    def make(cls, sender: str, created_at: datetime, dedupe_id: str | None) -> "SignalId":
        """Make the id of a signal: always the same one for a `dedupe_id`, else a new one."""
        if dedupe_id is not None:
            # the sender holds no "#", so no two pairs are written alike
            return cls(str(uuid5(_NAMESPACE, f"{sender}#{dedupe_id}")), sender)
        return cls(uuid_at(created_at, secrets.randbits(_RANDOM_BITS)), sender)


SignalIdText = Annotated[str, AfterValidator(lambda text: str(SignalId.parse(text)))]
