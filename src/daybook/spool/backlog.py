"""What the lanes have before them: each agent's entries in their order, the agents in turn.

Also when to try again what failed: all of it, or what is of an agent.
"""

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence

from daybook.spool.file import Waiting

RUN = 100
"""Entries that are taken at once, at most: four batches of 25 decisions, or two and outcomes."""
BATCH = 25
"""Entries that are worth a request of their own."""
RUN_BYTES = 8 * 1024 * 1024
"""Bytes of entries that are taken at once; one entry may be larger."""
MOST_REMEMBERED = 32 * 1024 * 1024
"""Bytes of entries that need not be read from the file in their turn."""
SHORTEST_PAUSE = 0.05
LONGEST_PAUSE = 5.0
"""Seconds before what failed is tried again: pauses double from the one to the other."""


class Backlog:
    """Entries that wait, to be added and claimed by any thread; an agent's by one at a time."""

    def __init__(
        self,
        lanes: int,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.hurried = threading.Event()
        """Set while what there is should go at once, and not wait for more."""
        self.ended = threading.Event()
        self.size = 0
        """Bytes of all that waits."""
        self._lanes = lanes
        self._clock = clock
        self._draw = draw
        self._queues: dict[str, deque[Waiting]] = {}
        self._claimed: set[str] = set()
        self._changed = threading.Condition()
        self._count = 0
        self._remembered = 0
        self._last = 0
        self._hurried_to = 0
        self._failures: dict[str, int] = {}
        self._held_until: dict[str, float] = {}
        self._stops = 0
        self._stopped_until = 0.0

    def __len__(self) -> int:
        return self._count

    def add(self, waiting: Sequence[Waiting]) -> None:
        """Put entries behind the others of their agents. Added twice they are there once."""
        with self._changed:
            for each in waiting:
                if each.number > self._last:
                    self._put(each)

    def oldest(self) -> Waiting | None:
        """Return the entry with the smallest number."""
        with self._changed:
            return min((queue[0] for queue in self._queues.values()), default=None)

    def hurry(self) -> None:
        """Wait for nothing until all that was added before has been tried."""
        with self._changed:
            self._hurried_to = self._last
            self._held_until.clear()
            self._stopped_until = 0.0
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
                if self._is_something_claimable():
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

        A fair share for each lane, of as few agents as may be; empty if there is nothing, or at
        the end. An agent whose last try failed is by itself, so that it holds up no other.
        """
        taken: list[Waiting] = []
        with self._changed:
            if self.ended.is_set():
                return []
            share, size = min(RUN, max(BATCH, self._count // self._lanes)), 0
            for agent_id in self._claimable():
                is_doubtful = agent_id in self._failures
                if is_doubtful and taken:
                    continue
                for each in self._queues[agent_id]:
                    if taken and (len(taken) == share or size + each.size > RUN_BYTES):
                        break
                    taken.append(each)
                    size += each.size
                if is_doubtful or len(taken) == share or size > RUN_BYTES:
                    break
            self._claimed |= {each.agent_id for each in taken}
            if self._is_something_claimable():
                self._changed.notify()
        return taken

    def settle(
        self,
        taken: Sequence[Waiting],
        gone: Collection[int],
        *,
        doubtful: bool,
        held: Collection[str] = (),
        stopped: bool = False,
    ) -> None:
        """Take away what is `gone` of what was claimed; the rest stays where it is.

        It is `doubtful` if some of it may have arrived all the same. Agents whose turn it was
        come last then. After a pause those `held` are tried again, and all if it was `stopped`.
        """
        own: dict[str, list[Waiting]] = {}
        for each in taken:
            own.setdefault(each.agent_id, []).append(each)
        with self._changed:
            for agent_id, entries in own.items():
                self._put_back(agent_id, entries, gone, doubtful=doubtful)
                if agent_id in held:
                    self._hold(agent_id)
                elif not stopped:
                    self._failures.pop(agent_id, None)
            self._stops = self._stops + 1 if stopped else 0
            self._stopped_until = self._clock() + self._pause(self._stops) if stopped else 0.0
            self._claimed -= own.keys()
            if self._is_something_claimable():
                self._changed.notify()

    def _put(self, waiting: Waiting) -> None:
        # whatever interrupts this leaves no empty queue, and counts last that it was added
        if waiting.entry is None or self._remembered > MOST_REMEMBERED:
            waiting = waiting._replace(entry=None)
        else:
            self._remembered += waiting.size
        self._count += 1
        self.size += waiting.size
        queue = self._queues.get(waiting.agent_id)
        if queue is None:
            self._queues[waiting.agent_id] = deque([waiting])
            self._changed.notify()
        else:
            queue.append(waiting)  # and a lane knows of this agent
        self._last = waiting.number

    def _put_back(
        self, agent_id: str, entries: Sequence[Waiting], gone: Collection[int], *, doubtful: bool
    ) -> None:
        queue = self._queues.pop(agent_id)
        for each in entries:
            queue.popleft()
            if each.number in gone:
                self._count -= 1
                self.size -= each.size
                self._remembered -= each.size if each.entry is not None else 0
        left = [each for each in entries if each.number not in gone]
        queue.extendleft(
            each._replace(doubtful=each.doubtful or doubtful) for each in reversed(left)
        )
        if queue:
            self._queues[agent_id] = queue

    def _hold(self, agent_id: str) -> None:
        self._failures[agent_id] = self._failures.get(agent_id, 0) + 1
        self._held_until[agent_id] = self._clock() + self._pause(self._failures[agent_id])

    def _pause(self, failures: int) -> float:
        # jitter: agents elsewhere come back at other moments
        longest = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2.0 ** min(failures, 10))
        return longest * (1 + self._draw()) / 2

    def _next_number(self) -> float:
        """Return the smallest number of an entry that nothing holds back."""
        now = self._clock()
        heads = (queue[0] for queue in self._queues.values())
        free = (head.number for head in heads if self._held_until.get(head.agent_id, 0) <= now)
        return min(free, default=math.inf)

    def _is_something_claimable(self) -> bool:
        return next(self._claimable(), None) is not None

    def _claimable(self) -> Iterator[str]:
        now = self._clock()
        if self._stops and (self._claimed or self._stopped_until > now):
            return  # one lane tries, for all
        for agent_id in self._queues:
            if agent_id not in self._claimed and self._held_until.get(agent_id, 0) <= now:
                yield agent_id

    def _until_released(self) -> float | None:
        now = self._clock()
        ends = [self._held_until[each] for each in self._held_until.keys() & self._queues.keys()]
        later = [end - now for end in (*ends, self._stopped_until) if end > now]
        return min(later, default=None)
