"""An agent's state at one version, and the checkpoints that keep earlier ones."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from daybook.errors import InvalidInputError
from daybook.models.base import Record
from daybook.models.decisions import Label
from daybook.models.identity import AgentId, Moment
from daybook.models.json_values import JsonDict

LARGEST_VERSION = 10**10 - 1
"""Ten digits: at a save every millisecond they last for four months, at one a second 300 years."""

_ID = re.compile(r"(?P<version>[0-9]{10})-(?P<number>[0-9]{6})-[0-9a-f]{12}")

Kind = Literal["manual", "automatic", "replaced"]


class AgentState(Record, title="the state"):
    """An agent's state at one version; versions start at 1 and only grow.

    `restored_from` is the checkpoint whose data a rollback has put into this version.
    """

    agent_id: AgentId
    version: Annotated[int, Field(ge=1)]
    data: JsonDict
    updated_at: Moment
    restored_from: Label | None = None


class StateReceipt(Record):
    """What a write of the state makes that its writer did not know before."""

    version: Annotated[int, Field(ge=1)]
    updated_at: Moment
    restored_from: Label | None = None

    @classmethod
    def of(cls, state: AgentState) -> "StateReceipt":
        """Return the receipt for a state that was written."""
        return cls(
            version=state.version,
            updated_at=state.updated_at,
            restored_from=state.restored_from,
        )

    def state(self, agent_id: str, data: Mapping[str, Any]) -> AgentState:
        """Return the state that was written, from its data."""
        return AgentState.checked(
            agent_id=agent_id,
            version=self.version,
            data=data,
            updated_at=self.updated_at,
            restored_from=self.restored_from,
        )


def checkpoint_id(version: int, number: int, suffix: str) -> str:
    """Return the id of a checkpoint: the number-th of this version; `suffix` tells who took it.

    Ids sort as the checkpoints were taken, whatever the clocks say.
    """
    return f"{version:010d}-{number:06d}-{suffix}"


def version_and_number(text: str) -> tuple[int, int]:
    """Return the version and the number inside a checkpoint's id."""
    match = _ID.fullmatch(text)
    if match is None:
        raise InvalidInputError(f"{text!r:.80} is not a checkpoint's id")
    return int(match["version"]), int(match["number"])


def checked_checkpoint_id(text: str) -> str:
    """Return the id, or raise InvalidInputError if no checkpoint can have it."""
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise InvalidInputError(
            f"{text!r:.80} is not a checkpoint's id: list_checkpoints() tells which there are"
        )
    return text


class Checkpoint(Record, title="the checkpoint"):
    """What an agent's state was at `version`; the most recent one has the greatest id.

    `kind` says who took it: somebody by hand, the schedule, or a rollback, which keeps the
    state that it replaces. `data` is None in lists.
    """

    checkpoint_id: Annotated[str, AfterValidator(checked_checkpoint_id)]
    agent_id: AgentId
    version: Annotated[int, Field(ge=1, le=LARGEST_VERSION)]
    label: Label | None = None
    kind: Kind
    created_at: Moment
    data: JsonDict | None = None
