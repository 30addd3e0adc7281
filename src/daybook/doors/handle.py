"""What the verbs of every room find on the handle of an agent."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from daybook.store import Store

if TYPE_CHECKING:
    from daybook.doors.api import Api
    from daybook.spool import Spool


class Handle(ABC):
    """An agent, and the door that its verbs go through: each room adds its own verbs.

    Verbs that start with an underscore take and return plain data, of which the others make
    something more comfortable: what was written need not come back over a wire.
    """

    agent_id: str
    api: "Api | None"
    """The door to the API; None goes straight to the tables."""
    spool: "Spool | None" = None
    """What keeps the log until it is delivered; None writes through."""
    clock: Callable[[], datetime]
    _reader: str | None = None
    """The agent whose own records are all that may be read; None may read every agent's."""

    @property
    @abstractmethod
    def store(self) -> Store:
        """The tables and the bucket. Raises InvalidInputError behind the door `api`."""
