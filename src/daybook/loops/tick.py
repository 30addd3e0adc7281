"""`Tick`: what a loop's step is given each time."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from daybook.errors import InvalidInputError
from daybook.loops.bus import Bus, Message
from daybook.loops.working_memory import WorkingMemory
from daybook.memory_manager import MemoryManager
from daybook.models.json_values import JsonValue


@dataclass(frozen=True)
class Tick:
    """One tick of a loop: its number, what has come since the last one, and what a step can do.

    `number` counts the loop's ticks from 1, also over restarts. `messages` came by the bus since
    the last tick, the oldest first; they are handed out once, also when the step then raises.
    `failures` is how many ticks before this one have raised in a row. `stopping` is set when the
    loop was asked to stop: a long step looks at it, waits with it instead of sleeping, or passes
    it on, to `memory.listen(stop=tick.stopping)` say. A step that sets it ends the loop.
    """

    loop: str
    number: int
    messages: tuple[Message, ...]
    failures: int
    stopping: threading.Event
    _memory: MemoryManager | None = field(repr=False)
    _bus: Bus = field(repr=False)
    _working_memory: WorkingMemory = field(repr=False)

    @property
    def memory(self) -> MemoryManager:
        """The handle that the loop was given. Raises InvalidInputError if it was given none."""
        if self._memory is None:
            raise InvalidInputError(
                f"the loop {self.loop} has no memory manager: pass one to AgentLoop"
            )
        return self._memory

    def post(self, target: str, payload: JsonValue) -> bool:
        """Send a message to a loop of the same supervisor; it gets it with its next tick.

        Nobody waits: False says that the target's inbox was full, and that its oldest messages
        were dropped for this one. Raises UnknownTargetError for the name of no loop, and
        InvalidInputError for what is not JSON, or is over 256 KB of it.
        """
        return self._bus.post(self.loop, target, payload)

    def post_to_all(self, payload: JsonValue) -> int:
        """Send a message to every other loop of the supervisor, and return to how many.

        Raises InvalidInputError as `post` does.
        """
        return self._bus.post_to_all(self.loop, payload)

    def remember(self, entry: JsonValue) -> None:
        """Keep an entry in the loop's working memory, in this process and no longer.

        Raises InvalidInputError for what is not JSON, or larger than that memory.
        """
        self._working_memory.remember(entry)

    def recollect(self) -> Iterator[JsonValue]:
        """Iterate what was remembered, the oldest first, packed or not."""
        return self._working_memory.recollect()
