"""Many writers of one agent's state, in threads and processes, and what each was answered."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from daybook import (
    AgentState,
    AWSClientManager,
    CheckpointNotFoundError,
    MemoryManager,
    StaleStateError,
)
from daybook.settings import Settings
from daybook.state import state_items
from daybook.store import STATE
from daybook.store.table import utc_now
from tests.faults.histories import Operation

PROCESSES = 3
THREADS = 8
VERBS = {
    "save": 40,
    "load": 14,
    "take_over": 4,
    "checkpoint": 16,
    "rollback": 6,
    "rollback_to": 6,
    "list": 8,
    "get": 6,
}


@dataclass
class Writer:
    """One of many: does as it pleases, and writes down what it was told."""

    memory: MemoryManager
    number: int
    careless: bool

    def __post_init__(self) -> None:
        self.draw = random.Random(self.number)  # noqa: S311 - no secrets here
        self.seen = 0
        self.known: list[str] = []
        self.history: list[Operation] = []

    def work(self, steps: int) -> list[Operation]:
        """Do this many things."""
        for step in range(steps):
            (verb,) = self.draw.choices(list(VERBS), list(VERBS.values()))
            getattr(self, f"_{verb}")(self.number * 10_000 + step)
        return self.history

    def _did(self, verb: str, asked: Any, expected: int | None, do: Callable[[], Any]) -> None:
        began = time.monotonic_ns()
        try:
            answer = do()
        except StaleStateError as told:
            verb, asked, answer = "stale", expected, told.found
            if "in a row" in str(told):
                return  # gave up, and says that nothing was written: as if it had never been
        except CheckpointNotFoundError:
            verb, answer = "nothing", None
        self.history.append(Operation(began, time.monotonic_ns(), verb, asked, answer))

    def _load(self, _: int) -> None:
        def do() -> Any:
            state = self.memory.load_state()
            self.seen = state.version if state else 0
            return told(state) if state else (0, None, None)

        self._did("load", None, None, do)

    def _save(self, held: int) -> None:
        if self.draw.random() < 0.8:
            self._load(held)
        expected = self.seen

        def do() -> int:
            self.seen = self._write(held, expected)
            return self.seen

        self._did("save", (expected, held), expected, do)

    def _write(self, held: int, expected: int) -> int:
        if not self.careless:
            return self.memory.save_state({"n": held}, expected).version
        store, agent = self.memory.store, self.memory.agent_id
        item = state_items.first_version(store, agent, {"n": held}, "token", utc_now())
        store.put(STATE, item | {"version": expected + 1})
        return expected + 1

    def _take_over(self, _: int) -> None:
        if not self.seen:
            return

        def do() -> Any:
            state = self.memory.load_state(take_over=True)
            assert state is not None
            self.seen = state.version
            return state.version, state.data["n"]

        self._did("take_over", None, None, do)

    def _checkpoint(self, _: int) -> None:
        if not self.seen:
            return

        def do() -> Any:
            taken = self.memory.create_checkpoint()
            self.known.append(taken.checkpoint_id)
            # a checkpoint never changes, so what it holds may be read later
            held = self.memory.get_checkpoint(taken.checkpoint_id).data or {}
            return taken.checkpoint_id, taken.version, held["n"]

        self._did("checkpoint", None, None, do)

    def _rollback(self, _: int, name: str | None = None) -> None:
        expected = self.seen if self.draw.random() < 0.3 else None

        def do() -> Any:
            state = self.memory.rollback(name, expected)
            self.seen = state.version
            return told(state)

        self._did("rollback", (name, expected), expected, do)

    def _rollback_to(self, _: int) -> None:
        if self.known:
            self._rollback(_, self.draw.choice(self.known))

    def _get(self, _: int) -> None:
        if self.known:
            name = self.draw.choice(self.known)

            def do() -> Any:
                return (self.memory.get_checkpoint(name).data or {})["n"]

            self._did("get", name, None, do)

    def _list(self, _: int) -> None:
        def do() -> Any:
            listed = self.memory.list_checkpoints()
            self.known = [each.checkpoint_id for each in listed]
            taken = {each.checkpoint_id for each in listed if each.kind != "replaced"}
            return taken, {each.version for each in listed if each.kind == "replaced"}

        self._did("list", None, None, do)


def told(state: AgentState) -> Any:
    """Return what tells a state from any other."""
    return state.version, state.data["n"], state.restored_from


def work_in_threads(url: str, agent_id: str, process: int, steps: int, careless: bool) -> Any:
    """Let eight writers that start together do this much each; return what they wrote down."""
    manager = AWSClientManager(endpoint_url=url, settings=Settings(checkpoints_kept=0))
    memory = MemoryManager(agent_id, manager)
    memory.list_checkpoints()
    together = threading.Barrier(THREADS)

    def write(thread: int) -> list[Operation]:
        together.wait()
        return Writer(memory, process * THREADS + thread, careless).work(steps)

    with ThreadPoolExecutor(THREADS) as pool:
        return [operation for history in pool.map(write, range(THREADS)) for operation in history]


def history_of(url: str, agent_id: str, steps: int, *, careless: bool = False) -> list[Operation]:
    """Return what 24 writers in three processes were answered."""
    # a process of its own, and not a copy of this one with its threads and connections
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(work_in_threads, url, agent_id, number, steps, careless)
            for number in range(PROCESSES)
        ]
        return [operation for job in jobs for operation in job.result()]
