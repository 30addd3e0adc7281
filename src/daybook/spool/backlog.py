"""What the lanes have before them: each agent's entries in their order, the agents in turn."""

import math
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence

from daybook.spool.file import Waiting

RUN = 100
"""Entries that are taken at once, at most: four batches of 25 decisions, or two and outcomes."""
BATCH = 25
"""Entries that are worth a request of their own."""
MOST_REMEMBERED = 32 * 1024 * 1024
"""Bytes of entries that need not be read from the file in their turn."""


class Backlog:
    """Entries that wait, to be added and claimed by any thread; an agent's by one at a time."""

    def __init__(self, lanes: int) -> None:
        self.hurried = threading.Event()
        """Set while what there is should go at once, and not wait for more."""
        self.ended = threading.Event()
        self.size = 0
        """Bytes of all that waits."""
        self._lanes = lanes
        self._queues: dict[str, deque[Waiting]] = {}
        self._claimed: set[str] = set()
        self._held: dict[str, float] = {}
        self._changed = threading.Condition()
        self._count = 0
        self._remembered = 0
        self._last = 0
        self._hurried_to = 0

    def __len__(self) -> int:
        return self._count

    def add(self, waiting: Sequence[Waiting]) -> None:
        """Put entries behind the others of their agents. Added twice they are there once."""
        with self._changed:
            for each in waiting:
                if each.number <= self._last:
                    continue
                self._last = each.number
                queue = self._queues.setdefault(each.agent_id, deque())
                queue.append(self._remembering(each))
                self._count += 1
                self.size += each.size
                if len(queue) == 1:  # or a lane knows of this agent
                    self._changed.notify()

    def oldest(self) -> Waiting | None:
        """Return the entry with the smallest number."""
        with self._changed:
            return min((queue[0] for queue in self._queues.values()), default=None)

    def hurry(self) -> None:
        """Wait for no more until all that was added before is gone, or held back."""
        with self._changed:
            self._hurried_to = self._last
            self.hurried.set()
            self._changed.notify_all()

    def end(self) -> None:
        """Let nothing further be claimed."""
        self.ended.set()
        self.hurry()

    def wait(self) -> bool:
        """Wait until there is something to claim; False at the end."""
        with self._changed:
            while not self.ended.is_set():
                if self.hurried.is_set() and self._next_number() > self._hurried_to:
                    self.hurried.clear()
                if next(self._claimable(), None) is not None:
                    return True
                self._changed.wait(self._until_released())
        return False

    def has_a_run(self) -> bool:
        """Whether as much as is taken at once could be claimed."""
        count = 0
        with self._changed:
            for agent_id in self._claimable():
                count += len(self._queues[agent_id])
                if count >= RUN:
                    return True
        return False

    def claim(self) -> list[Waiting]:
        """Return entries to deliver, and keep their agents from others until `settle`.

        A fair share for each lane, of as few agents as may be; empty if there is nothing.
        """
        taken: list[Waiting] = []
        with self._changed:
            share = min(RUN, max(BATCH, self._count // self._lanes))
            for agent_id in self._claimable():
                queue = self._queues[agent_id]
                taken += [queue[place] for place in range(min(len(queue), share - len(taken)))]
                if len(taken) == share:
                    break
            self._claimed |= {each.agent_id for each in taken}
            if next(self._claimable(), None) is not None:
                self._changed.notify()
        return taken

    def settle(
        self,
        taken: Sequence[Waiting],
        gone: Collection[int],
        *,
        doubtful: bool,
        held: Collection[str] = (),
        seconds: float = 0.0,
    ) -> None:
        """Take away what is `gone` of what was claimed; the rest stays where it is.

        It is `doubtful` if some of it may have arrived all the same. Agents whose turn it was
        come last then, and those `held` back not before so many seconds.
        """
        until = time.monotonic() + seconds
        own: dict[str, list[Waiting]] = {}
        for each in taken:
            own.setdefault(each.agent_id, []).append(each)
        with self._changed:
            for agent_id, entries in own.items():
                self._held.pop(agent_id, None)
                queue = self._queues.pop(agent_id)
                for each in entries:
                    queue.popleft()
                    if each.number in gone:
                        self._forget(each)
                left = [each for each in entries if each.number not in gone]
                queue.extendleft(
                    each._replace(doubtful=each.doubtful or doubtful) for each in reversed(left)
                )
                if queue:
                    self._queues[agent_id] = queue
            self._held |= {agent_id: until for agent_id in held if agent_id in self._queues}
            self._claimed -= own.keys()
            if next(self._claimable(), None) is not None:
                self._changed.notify()

    def _next_number(self) -> float:
        """Return the smallest number of an entry that nothing holds back."""
        now = time.monotonic()
        heads = (queue[0] for queue in self._queues.values())
        free = (head.number for head in heads if not self._is_held(head.agent_id, now))
        return min(free, default=math.inf)

    def _claimable(self) -> Iterator[str]:
        now = time.monotonic()
        for agent_id in self._queues:
            if agent_id not in self._claimed and not self._is_held(agent_id, now):
                yield agent_id

    def _is_held(self, agent_id: str, now: float) -> bool:
        return self._held.get(agent_id, 0.0) > now

    def _until_released(self) -> float | None:
        ends = (self._held[each] for each in self._held.keys() - self._claimed)
        soonest = min(ends, default=None)
        return None if soonest is None else max(0.0, soonest - time.monotonic())

    def _remembering(self, waiting: Waiting) -> Waiting:
        if waiting.entry is None or self._remembered > MOST_REMEMBERED:
            return waiting._replace(entry=None)
        self._remembered += waiting.size
        return waiting

    def _forget(self, waiting: Waiting) -> None:
        self._count -= 1
        self.size -= waiting.size
        if waiting.entry is not None:
            self._remembered -= waiting.size
