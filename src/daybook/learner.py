"""`PatternLearner`: consolidation of one agent, by hand or from a schedule of your own."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from daybook import memory
from daybook.errors import ConsolidationBusyError, InvalidInputError
from daybook.memory import ConsolidationReport
from daybook.memory.classroom import engine
from daybook.memory.handle import PATIENCE
from daybook.memory_manager import MemoryManager, checked_memory

if TYPE_CHECKING:
    from daybook.memory.learning import LearningSettings

Answer = TypeVar("Answer")


class PatternLearner:
    """Learns an agent's patterns from what came of its decisions.

    In a deployed stack a schedule does the same every quarter of an hour. Both may run at
    once: one waits for the other, and each outcome is learned from once. Needs the extra
    `learning`; `settings` (a `LearningSettings`) say how fast evidence ages and how sure is
    sure enough.
    """

    def __init__(
        self, memory_manager: MemoryManager, settings: "LearningSettings | None" = None
    ) -> None:
        checked_memory(memory_manager)
        if settings is not None and not isinstance(settings, engine().LearningSettings):
            raise InvalidInputError(
                f"settings is a {type(settings).__name__}: use a LearningSettings, from "
                "daybook.memory.learning"
            )
        if settings is not None and memory_manager.api is not None:
            raise InvalidInputError(
                "through the API the deployed settings learn: leave settings out, or use a "
                "MemoryManager with door='tables'"
            )
        self.memory = memory_manager
        self.settings = settings

    def consolidate(
        self, now: datetime | None = None, dry_run: bool = False
    ) -> ConsolidationReport:
        """Learn from every outcome that arrived since the last run, and roll up and archive.

        `now` (default: the clock) is the moment up to which arrivals count. A dry run writes
        nothing and reports what would be learned. Raises ConsolidationBusyError when another
        run does not end within a minute and a half, OvertakenError when another worker took
        this one for dead, InvalidInputError for a moment that has not come, and
        MissingExtraError without numpy.
        """
        if self.settings is None:
            return self._patiently(lambda: self.memory.consolidate(now, dry_run))
        return memory.consolidate(
            self.memory.store,
            self.memory.agent_id,
            now=now,
            dry_run=dry_run,
            wait=PATIENCE,
            settings=self.settings,
        )

    def undoable(self) -> list[str]:
        """Return the ids of the runs that can be undone, the latest first: five at most."""
        return self.memory.undoable_runs()

    def undo(self, run_id: str) -> None:
        """Make it as if the run had learned nothing; the next one learns its outcomes again.

        The latest run first, then the one before it, five in all. Raises RunNotFoundError or
        UndoRefusedError.
        """
        self._patiently(lambda: self.memory.undo_run(run_id))

    def _patiently(self, run: Callable[[], Answer]) -> Answer:
        """Run it; through the API, which waits only briefly, as often as patience allows."""
        deadline = time.monotonic() + PATIENCE.total_seconds()
        while True:
            try:
                return run()
            except ConsolidationBusyError:
                if self.memory.api is None or time.monotonic() >= deadline:
                    raise
