"""What every verb of the saver works on: the store, the agent, and how things are kept."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol

from daybook.errors import InvalidInputError
from daybook.store import Store, thread_keys
from daybook.store.attributes import Item
from daybook.store.schema import TTL_ATTRIBUTE

_MOST_REMEMBERED = 4096


class Listings:
    """Which threads and runs this process has put into the agent's list, and when."""

    def __init__(self) -> None:
        self._at: OrderedDict[tuple[str, str | None], datetime] = OrderedDict()
        self._lock = threading.Lock()

    def since(self, thread: str, run_id: str | None) -> datetime | None:
        """Return when they were last put there; None if it is not known."""
        with self._lock:
            return self._at.get((thread, run_id))

    def note(self, thread: str, run_id: str | None, now: datetime) -> None:
        """Remember that they were put there."""
        with self._lock:
            self._at[thread, run_id] = now
            self._at.move_to_end((thread, run_id))
            while len(self._at) > _MOST_REMEMBERED:
                self._at.popitem(last=False)

    def forget(self, thread: str) -> None:
        """Forget a thread that is deleted."""
        with self._lock:
            for key in [key for key in self._at if key[0] == thread]:
                del self._at[key]


@dataclass(frozen=True, kw_only=True)
class Threads:
    """An agent's threads. `ttl` is how long what is written lives; None: for ever."""

    store: Store
    agent_id: str
    serde: SerializerProtocol
    ttl: timedelta | None = None
    fenced: bool = False
    listed: Listings = field(default_factory=Listings)

    def partition(self, thread: str) -> str:
        """Return the partition of a thread."""
        return thread_keys.thread(self.agent_id, thread)

    @property
    def folder(self) -> str:
        """Where in the bucket large bodies go."""
        return thread_keys.thread_bodies(self.agent_id)

    def dumped(self, value: Any, what: str) -> tuple[str, bytes]:
        """Return a value serialized. Raises InvalidInputError for one that cannot be."""
        try:
            return self.serde.dumps_typed(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as fault:
            raise InvalidInputError(
                f"{what} cannot be stored: {fault}. Give the saver a serializer that knows the "
                "type (serde=…)"
            ) from fault

    def expiry(self, lives: int = 1) -> Item:
        """Return the attribute that ends an item's life after so many times the `ttl`."""
        if self.ttl is None:
            return {}
        end = self.store.clock() + lives * self.ttl
        return {TTL_ATTRIBUTE: -int(-end.timestamp() // 1)}
