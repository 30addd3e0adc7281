"""What a lane has before it: the entries of each agent in their order, the agents in turn."""

import threading
from collections import deque
from collections.abc import Collection, Sequence

from daybook.spool.file import Waiting

LARGEST_REMEMBERED = 16 * 1024
"""Bytes of a body that need not be read from the file again."""
MOST_REMEMBERED = 500


class Backlog:
    """Entries that wait, to be taken by one thread and added by any."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Waiting]] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._last = 0

    def __len__(self) -> int:
        return self._count

    def add(self, waiting: Waiting) -> None:
        """Put an entry behind the others of its agent. Added twice it is there once."""
        entry = waiting.entry
        is_small = entry is not None and len(entry.body) <= LARGEST_REMEMBERED
        if not is_small or self._count >= MOST_REMEMBERED:
            waiting = waiting._replace(entry=None)
        with self._lock:
            if waiting.number > self._last:
                self._last = waiting.number
                self._queues.setdefault(waiting.agent_id, deque()).append(waiting)
                self._count += 1

    def oldest(self) -> Waiting | None:
        """Return the entry with the smallest number."""
        with self._lock:
            return min((queue[0] for queue in self._queues.values()), default=None)

    def first(self, limit: int, held: Collection[str] = ()) -> list[Waiting]:
        """Return up to so many entries, of agents that are not held back."""
        taken: list[Waiting] = []
        with self._lock:
            for agent_id, queue in self._queues.items():
                if agent_id not in held:
                    taken += [queue[place] for place in range(min(len(queue), limit - len(taken)))]
                if len(taken) == limit:
                    break
        return taken

    def take(self, taken: Sequence[Waiting], stay: Collection[int]) -> None:
        """Take away what `first` has returned, but for the numbers that stay where they are.

        Agents whose turn it was come last then.
        """
        with self._lock:
            for agent_id in dict.fromkeys(each.agent_id for each in taken):
                own = [each for each in taken if each.agent_id == agent_id]
                queue = self._queues.pop(agent_id)
                for _ in own:
                    queue.popleft()
                left = [each for each in own if each.number in stay]
                queue.extendleft(reversed(left))
                self._count -= len(own) - len(left)
                if queue:
                    self._queues[agent_id] = queue
