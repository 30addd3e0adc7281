"""`LoopSupervisor`: many loops, started and stopped together, that tell each other things."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from daybook.errors import InvalidInputError, LoopError
from daybook.loops.bus import Bus
from daybook.loops.loop import AgentLoop, checked_timeout
from daybook.loops.reports import supervisor_metrics
from daybook.loops.restarts import RestartPolicy
from daybook.models.base import checked_kind
from daybook.models.collaboration import CollaborationGraph
from daybook.models.json_values import JsonValue
from daybook.models.loops import LoopState, SupervisorMetrics


class LoopSupervisor:
    """Holds loops by their names, and the bus between them.

    A loop whose step raises goes on after a pause, as `restarts` say, unless it has its own
    policy. Nothing that a step raises ends another loop: each has its own thread, which also
    restarts it, and there is no other thread that could die. `timer` gives seconds.

    As a context manager it starts its loops, and stops them at the end, for as long as that takes.
    Raises InvalidInputError
    for what is no policy.
    """

    def __init__(
        self,
        *,
        restarts: RestartPolicy | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        given = RestartPolicy() if restarts is None else restarts
        self.restarts = checked_kind(given, RestartPolicy, "RestartPolicy(…)")
        self._timer = timer
        self._bus = Bus()
        self._loops: dict[str, AgentLoop] = {}
        self._is_started = False
        # over adding, removing, starting and asking to stop; never while a step is waited for
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<LoopSupervisor of {len(self._loops)} loops>"

    @property
    def loops(self) -> list[AgentLoop]:
        """The loops, in the order of their names."""
        with self._lock:
            return [self._loops[name] for name in sorted(self._loops)]

    @property
    def is_running(self) -> bool:
        """Whether any of the loops is."""
        return any(loop.is_running for loop in self.loops)

    def add(self, loop: AgentLoop) -> AgentLoop:
        """Take a loop in, and start it if the others were started; return it.

        Raises InvalidInputError for what is no loop or has a name that another one has, and
        LoopError if it is running, or has a supervisor.
        """
        checked_kind(loop, AgentLoop, "AgentLoop(memory_manager, step)")
        with self._lock:
            if loop.name in self._loops and self._loops[loop.name] is not loop:
                raise InvalidInputError(
                    f"there is a loop {loop.name!r} already, and messages go by names: pass "
                    "another name= to AgentLoop",
                    [("name", "is taken")],
                )
            loop._supervise(self._bus, self.restarts)
            self._loops[loop.name] = loop
            if self._is_started:
                try:
                    loop.start()
                except LoopError:
                    self._let_go(loop)
                    raise
        return loop

    def remove(self, name: str, timeout: float | None = None) -> bool:
        """Stop a loop and let it go; the messages that wait for it are dropped, and counted.

        False if its step is still at work after `timeout` seconds, None being for as long as it
        takes, and from inside its step: then it stays, and ends after the step. Raises
        InvalidInputError for a name that no loop has, and what is no timeout.
        """
        seconds = checked_timeout(timeout)
        with self._lock:
            loop = self._named(name)
            loop.ask_to_stop()
        loop.join(seconds)
        with self._lock:
            if loop.is_running:  # still, or again: another thread may have started it
                return False
            if self._loops.get(name) is loop:  # another thread may have removed it, too
                self._let_go(loop)
        return True

    def start(self) -> None:
        """Start the loops that are not running, and from now on those that are added.

        Raises LoopError if they were started and not stopped since, if one was told to stop and
        its step is still at work, and if the system has no thread left for one of them: then none
        is started.
        """
        with self._lock:
            if self._is_started:
                raise LoopError("the supervisor is started already: stop it first")
            late = [each for each in self._loops.values() if each.state == LoopState.STOPPING]
            if late:
                raise LoopError(
                    f"the loop {late[0].name} was told to stop, and its step is still at work: "
                    "wait for it with join(), or remove it"
                )
            began: list[AgentLoop] = []
            try:
                for loop in self._loops.values():
                    if not loop.is_running:
                        loop.start()
                        began.append(loop)
            except LoopError:
                for loop in began:
                    loop.ask_to_stop()
                raise
            self._is_started = True

    def stop(self, timeout: float | None = None) -> bool:
        """Ask all loops to stop at once, and wait until their steps have ended; True if they have.

        False if one is still at work after `timeout` seconds in all: its state says so. From
        inside a step of theirs it returns False at once. Raises InvalidInputError for what is no
        timeout.
        """
        seconds = checked_timeout(timeout)
        with self._lock:
            self._is_started = False
            for loop in self._loops.values():
                loop.ask_to_stop()
        return self.join(seconds)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until all loops have ended; False if one has not after `timeout` seconds in all.

        From inside a step of theirs it returns False at once, as two might wait for each other.
        Raises InvalidInputError for what is no timeout.
        """
        seconds = checked_timeout(timeout)
        if any(loop.is_calling for loop in self.loops):
            return False
        ends = None if seconds is None else self._timer() + seconds
        return all(
            loop.join(None if ends is None else max(0.0, ends - self._timer()))
            for loop in self.loops
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def post(self, target: str, payload: JsonValue) -> bool:
        """Send a message to a loop, from outside of all: see `Tick.post`."""
        return self._bus.post(None, target, payload)

    def post_to_all(self, payload: JsonValue) -> int:
        """Send a message to every loop, from outside of all; return to how many."""
        return self._bus.post_to_all(None, payload)

    def get_metrics(self) -> SupervisorMetrics:
        """Return how the loops are doing, together and each.

        The messages are of one moment for all loops. The rest of a loop is of one moment, too,
        and that of another loop of some microseconds later.
        """
        with self._lock:
            loops = [self._loops[name] for name in sorted(self._loops)]
            total, by_name = self._bus.counts()
        return supervisor_metrics([loop._report() for loop in loops], total, by_name)

    def get_collaboration(self) -> CollaborationGraph:
        """Return which loop has told which how often by the bus, and was acted on.

        A message was acted on when the step that received it ended without raising. The loops
        that are there now are in it; what they told themselves, and what came from outside, is
        not.
        """
        return self._bus.graph()

    def _named(self, name: str) -> AgentLoop:
        with suppress(TypeError):
            if name in self._loops:
                return self._loops[name]
        raise InvalidInputError(
            f"no loop here has the name {name!r:.140}: `loops` are those that there are",
            [("name", "is no loop's")],
        )

    def _let_go(self, loop: AgentLoop) -> None:
        del self._loops[loop.name]
        self._bus.leave(loop.name)
        loop._unsupervise()
