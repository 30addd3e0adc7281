"""What a lane has before it: the entries of each agent in their order, the agents in turn."""

import threading
from collections import deque
from collections.abc import Collection, Sequence

from daybook.spool.file import Waiting

MOST_REMEMBERED = 8 * 1024 * 1024
"""Bytes of entries that need not be read from the file in their turn."""


class Backlog:
    """Entries that wait, to be taken by one thread and added by any."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Waiting]] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._remembered = 0
        self._last = 0

    def __len__(self) -> int:
        return self._count

    def add(self, waiting: Sequence[Waiting]) -> None:
        """Put entries behind the others of their agents. Added twice they are there once."""
        with self._lock:
            for each in waiting:
                if each.number > self._last:
                    self._last = each.number
                    queue = self._queues.setdefault(each.agent_id, deque())
                    queue.append(self._remembering(each))
                    self._count += 1

    def _remembering(self, waiting: Waiting) -> Waiting:
        if waiting.entry is None or self._remembered > MOST_REMEMBERED:
            return waiting._replace(entry=None)
        self._remembered += len(waiting.entry.body)
        return waiting

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
                self._remembered -= sum(
                    len(each.entry.body) for each in own if each.entry and each.number not in stay
                )
                if queue:
                    self._queues[agent_id] = queue
