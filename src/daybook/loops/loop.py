"""`AgentLoop`: a step that is called again and again, in a thread of its own."""

import inspect
import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Self

from daybook.errors import InvalidInputError, LoopError
from daybook.loops.beats import Beats, checked_interval
from daybook.loops.bus import Bus
from daybook.loops.reports import NO_MESSAGES, Report, loop_metrics
from daybook.loops.restarts import RestartPolicy, checked_count
from daybook.loops.tally import Tally
from daybook.loops.tick import Tick
from daybook.loops.working_memory import WorkingMemory, WorkingMemoryConfig
from daybook.memory_manager import MemoryManager, checked_memory
from daybook.models.base import checked_kind
from daybook.models.identity import checked_agent_id
from daybook.models.loops import LoopMetrics, LoopState
from daybook.spool.config import checked_seconds

Step = Callable[[Tick], object]

INBOX = 1_000
"""Messages that wait for a loop."""

_log = logging.getLogger("daybook")


class AgentLoop:
    """Calls `step(tick)` every `interval_s` seconds; 0 is again at once, 1 unless given.

    The first beat is at the start, the others at multiples of the interval from there. What comes
    due while a step is still at work is missed, counted, and not made up for. `name` is the
    agent's id unless given, or "loop" without a memory manager. What the step returns is ignored.

    A step that raises ends the loop (`state` is failed, `error` says why), unless there are
    `restarts`: a supervisor gives its own to a loop without. One that raises SystemExit or
    KeyboardInterrupt stops the loop, and nothing else. `inbox` is how many messages may wait for
    it (and at most 16 MB of them), and `working_memory` has the bounds of what it remembers.
    `timer` gives seconds.

    The thread is a daemon: when the program ends it ends, wherever it is, so stop it before. The
    memory manager stays the caller's to close. Raises InvalidInputError for what cannot be.
    """

    def __init__(
        self,
        memory_manager: MemoryManager | None,
        step: Step,
        *,
        interval_s: float = 1.0,
        name: str | None = None,
        inbox: int = INBOX,
        restarts: RestartPolicy | None = None,
        working_memory: WorkingMemoryConfig | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.memory_manager = None if memory_manager is None else checked_memory(memory_manager)
        self.interval_s = checked_interval(interval_s)
        usual = "loop" if self.memory_manager is None else self.memory_manager.agent_id
        self.name = checked_agent_id(usual if name is None else name)
        self.inbox = checked_count(inbox, "inbox")
        self.restarts = _checked_policy(restarts)
        self.error: BaseException | None = None
        """What the step last raised."""
        self._step = _checked_step(step)
        self._timer = timer
        self._working_memory = WorkingMemory(_checked_config(working_memory))
        self._tally = Tally()
        self._state = LoopState.NEW
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._usual_restarts: RestartPolicy | None = None
        self._is_supervised = False
        self._ride(Bus())

    def __repr__(self) -> str:
        return f"<AgentLoop {self.name} {self.state}>"

    @property
    def state(self) -> LoopState:
        """How the loop is."""
        with self._lock:
            return self._state_now()

    @property
    def is_running(self) -> bool:
        """Whether the loop has been started and has not ended, by itself or otherwise."""
        return self.state.is_at_work

    @property
    def is_calling(self) -> bool:
        """Whether this is asked from inside the loop's own step."""
        return self._thread is threading.current_thread()

    def start(self) -> None:
        """Start the loop, or start it again: its counts, messages and working memory are kept.

        Raises LoopError if it is running, also if it was told to stop and its step is still at
        work, and if the system has no thread left for it.
        """
        with self._lock:
            if self._state_now().is_at_work:
                raise LoopError(
                    f"the loop {self.name} is running already: stop it first, and see that stop() "
                    "returns True"
                )
            stopping = threading.Event()
            thread = threading.Thread(
                target=self._run,
                args=(stopping,),
                name=f"daybook-loop-{self.name}",
                daemon=True,
            )
            before = self._state, self._stopping, self._thread
            self._state, self._stopping, self._thread = LoopState.RUNNING, stopping, thread
            try:
                thread.start()
            except RuntimeError as fault:
                self._state, self._stopping, self._thread = before
                raise LoopError(
                    f"the loop {self.name} was not started, for the system gives no thread: "
                    f"{fault}. Run fewer loops in one process, or raise its limit"
                ) from fault

    def stop(self, timeout: float | None = None) -> bool:
        """Ask the loop to stop, and wait until its step has ended; True if it has.

        False if it is still at work after `timeout` seconds; None waits for as long as it takes.
        From inside the step it returns False at once: the loop ends after that step. True if it
        never was started. Raises InvalidInputError for what is no timeout.
        """
        seconds = checked_timeout(timeout)
        self.ask_to_stop()
        return self.join(seconds)

    def ask_to_stop(self) -> None:
        """Ask the loop to stop, without waiting for it."""
        with self._lock:
            self._stopping.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the loop has ended; False if it has not after `timeout` seconds.

        From inside the step it returns False at once. Raises InvalidInputError for what is no
        timeout.
        """
        seconds = checked_timeout(timeout)
        thread = self._thread
        if self.is_calling:
            return False
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def get_metrics(self) -> LoopMetrics:
        """Return how the loop is doing, at one moment."""
        _, by_name = self._bus.counts()
        return loop_metrics(self._report(), by_name.get(self.name, NO_MESSAGES))

    def _state_now(self) -> LoopState:
        if not self._state.is_at_work:
            return self._state
        if self._thread is None or not self._thread.is_alive():
            return LoopState.STOPPED  # its thread stayed behind when this process was forked
        return LoopState.STOPPING if self._stopping.is_set() else self._state

    def _report(self) -> Report:
        with self._lock:  # so that the counts are those of this state
            state = self._state_now()
            counts, step_ms, delay_ms = self._tally.snapshot()
        since = counts.busy_since
        return Report(
            name=self.name,
            state=state,
            counts=counts,
            step_ms=step_ms,
            delay_ms=delay_ms,
            busy_s=0.0 if since is None else max(0.0, self._timer() - since),
            memory=self._working_memory.metrics(),
        )

    def _supervise(self, bus: Bus, restarts: RestartPolicy) -> None:
        """Take the bus and the policy of a supervisor."""
        with self._lock:
            if self._is_supervised:
                raise LoopError(
                    f"the loop {self.name} has a supervisor already: let that one remove it first"
                )
            if self._state_now().is_at_work:
                raise LoopError(
                    f"the loop {self.name} is running, and has started without a supervisor: stop "
                    "it, and add it then"
                )
            self._is_supervised, self._usual_restarts = True, restarts
            self._ride(bus)

    def _unsupervise(self) -> None:
        """Go without a supervisor again."""
        with self._lock:
            self._is_supervised, self._usual_restarts = False, None
            self._ride(Bus())

    def _ride(self, bus: Bus) -> None:
        """Take a bus: a loop without a supervisor has one to itself."""
        bus.join(self.name, self.inbox)
        self._bus = bus

    def _run(self, stopping: threading.Event) -> None:
        ended = LoopState.FAILED
        try:
            ended = self._beat(stopping)
        finally:
            with self._lock:
                self._state = ended

    def _beat(self, stopping: threading.Event) -> LoopState:
        """Call the step at each beat until it is to stop, or gives up; return how it ends."""
        beats = Beats(self.interval_s, self._timer())
        self._tally.begin_run()
        while not stopping.wait(beats.wait(self._timer())):
            error = self._tick(beats, stopping)
            if isinstance(error, SystemExit | KeyboardInterrupt):
                break
            if error is not None and not self._recover(error, stopping):
                return LoopState.FAILED
            self._tally.note_missed(beats.advance(self._timer()))
        return LoopState.STOPPED

    def _tick(self, beats: Beats, stopping: threading.Event) -> BaseException | None:
        """Call the step; return what it raised."""
        began = self._timer()
        failures = self._tally.counts.failures_in_a_row
        number = self._tally.begin(began, beats.delay(began))
        error: BaseException | None = None
        tick = Tick(
            loop=self.name,
            number=number,
            messages=self._bus.receive(self.name),
            failures=failures,
            stopping=stopping,
            _memory=self.memory_manager,
            _bus=self._bus,
            _working_memory=self._working_memory,
        )
        try:
            # in a context of its own, so that a block it leaves open is no parent of the next
            _refuse_awaitable(copy_context().run(self._step, tick))
        except BaseException as fault:  # noqa: BLE001 - it must end nothing but this loop
            self.error = error = fault
        else:
            self._bus.note_acted_on(self.name, tick.messages)
        leaves = isinstance(error, SystemExit | KeyboardInterrupt)
        self._tally.end(self._timer(), None if error is None or leaves else _told(error))
        return error

    def _recover(self, error: BaseException, stopping: threading.Event) -> bool:
        """Pause after a failure; False if the loop gives up instead."""
        failures = self._tally.counts.failures_in_a_row
        policy = self.restarts or self._usual_restarts
        pause = None if policy is None else policy.pause(failures)
        if pause is None:
            _log.error(
                "the loop %s has ended: its step raised, %d in a row",
                self.name,
                failures,
                exc_info=error,
            )
            return False
        _log.warning(
            "the step of the loop %s raised, %d in a row; it goes on in %.1f seconds",
            self.name,
            failures,
            pause,
            exc_info=error,
        )
        self._enter(LoopState.RESTARTING)
        if not stopping.wait(pause):
            self._tally.note_restart()
            self._enter(LoopState.RUNNING)
        return True

    def _enter(self, state: LoopState) -> None:
        with self._lock:
            self._state = state


def _told(error: BaseException) -> str:
    """Return an error in a line, whatever its own text does."""
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except Exception:  # noqa: BLE001 - a step can raise anything
        return type(error).__name__


def _checked_step(step: Step) -> Step:
    if not callable(step):
        raise InvalidInputError(f"{step!r:.80} is no step: pass a function of the tick")
    if inspect.iscoroutinefunction(step):
        raise InvalidInputError(
            f"{step!r:.80} is async, and a loop has a thread: call asyncio.run in the step"
        )
    return step


def _refuse_awaitable(returned: object) -> None:
    if inspect.iscoroutine(returned):
        returned.close()
        raise InvalidInputError(
            "the step returned a coroutine, which nobody awaits: call asyncio.run in the step"
        )


def _checked_policy(given: RestartPolicy | None) -> RestartPolicy | None:
    return None if given is None else checked_kind(given, RestartPolicy, "RestartPolicy(…)")


def _checked_config(given: WorkingMemoryConfig | None) -> WorkingMemoryConfig:
    if given is None:
        return WorkingMemoryConfig()
    return checked_kind(given, WorkingMemoryConfig, "WorkingMemoryConfig(…)")


def checked_timeout(timeout: float | None) -> float | None:
    """Return seconds, or None for as long as it takes; InvalidInputError for what is neither."""
    return None if timeout is None else checked_seconds(timeout, "timeout")
