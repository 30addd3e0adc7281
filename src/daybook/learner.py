"""`PatternLearner`: consolidation of one agent, by hand or from a schedule of your own."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from daybook import memory
from daybook.client import MemoryManager
from daybook.errors import InvalidInputError
from daybook.memory import ConsolidationReport
from daybook.memory.classroom import engine

if TYPE_CHECKING:
    from daybook.memory.learning import LearningSettings

PATIENCE = timedelta(seconds=90)
"""How long another consolidation of the agent is waited for: a dead one's lease ends sooner."""


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
        if not isinstance(memory_manager, MemoryManager):
            raise InvalidInputError(
                f"PatternLearner takes a MemoryManager, not {type(memory_manager).__name__}"
            )
        if settings is not None and not isinstance(settings, engine().LearningSettings):
            raise InvalidInputError(
                f"settings is a {type(settings).__name__}: use a LearningSettings, from "
                "daybook.memory.learning"
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
        return memory.undoable(self.memory.store, self.memory.agent_id)

    def undo(self, run_id: str) -> None:
        """Make it as if the run had learned nothing; the next one learns its outcomes again.

        The latest run first, then the one before it, five in all. Raises RunNotFoundError or
        UndoRefusedError.
        """
        memory.undo(self.memory.store, self.memory.agent_id, run_id, wait=PATIENCE)
