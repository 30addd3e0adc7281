"""What waits in a spool, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from daybook.errors import StorageError


class Kept(NamedTuple):
    """What is handed in to be kept; `careful` as of an `Entry`."""

    kind: str
    body: bytes
    careful: bool = False


class Entry(NamedTuple):
    """Something to be delivered.

    `number` is its place in the spool: an agent's entries are delivered in this order.
    `logged_at` is the agent's clock, in microseconds since 1970. A `careful` entry may have been
    delivered before, or may meet another one that stands in its place.
    """

    number: int
    agent_id: str
    kind: str
    body: bytes
    logged_at: int
    careful: bool = False


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An entry that will never be delivered, and why.

    One that `is_damaged` says something else than was handed in.
    """

    entry: Entry
    reason: str
    is_damaged: bool = False

    def __post_init__(self) -> None:
        # it may quote anything, and is written down and logged as UTF-8
        object.__setattr__(self, "reason", self.reason.encode(errors="replace").decode())


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of a run of entries. Those that are neither delivered nor refused stay.

    `fault` says why nothing goes through at present; `held` why nothing of these agents does.
    What stays is `uncertain` when some of it may have arrived all the same.
    """

    delivered: Sequence[Entry] = ()
    refused: Sequence[Refusal] = ()
    fault: StorageError | None = None
    held: Mapping[str, StorageError] = field(default_factory=dict)
    uncertain: bool = False


class Deliver(Protocol):
    """Brings entries, in their order, to where they belong."""

    def __call__(self, run: Sequence[Entry]) -> Delivery:
        """Deliver a run. What is wrong with an entry or an agent holds up no other."""
