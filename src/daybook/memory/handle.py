"""The verbs of memory on an agent's handle: thin, over the functions of this room."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from daybook.doors import Handle, verb
from daybook.memory import consolidation, patterns, undoing
from daybook.memory.ranking import Recollection
from daybook.memory.recall import Acquaintances, recall, shared_patterns
from daybook.memory.reports import ConsolidationReport
from daybook.models import DecisionContext, DecisionType, MemoryPattern

PATIENCE = timedelta(seconds=90)
"""How long another consolidation of the agent is waited for: a dead one's lease ends sooner."""


class MemoryVerbs(Handle):
    """What an agent learns, recalls and shares."""

    patience: timedelta = PATIENCE
    """How long another consolidation of the agent is waited for."""

    @cached_property
    def _acquaintances(self) -> Acquaintances:
        return Acquaintances()

    @verb("POST", "/patterns", creates=True)
    def store_pattern(self, pattern: MemoryPattern) -> MemoryPattern:
        """Store a pattern of this agent's, new or as the next version; return it as it stands.

        Raises PatternConflictError when it has changed since it was read.
        """
        return patterns.store_pattern(self.store, self.agent_id, pattern)

    @verb("GET", "/patterns/one")
    def get_pattern(self, pattern_id: str) -> MemoryPattern:
        """Return one of this agent's patterns, also a retired one.

        Raises PatternNotFoundError.
        """
        return patterns.get_pattern(self.store, self.agent_id, pattern_id)

    @verb("GET", "/patterns", lists="patterns")
    def list_patterns(
        self, min_confidence: float = 0.0, decision_type: DecisionType | str | None = None
    ) -> list[MemoryPattern]:
        """Return this agent's live patterns, the most confident first."""
        return patterns.list_patterns(self.store, self.agent_id, min_confidence, decision_type)

    @verb("POST", "/patterns/retire")
    def retire_pattern(self, pattern_id: str) -> MemoryPattern:
        """Take a pattern out of use, for good. Its history stays."""
        return patterns.retire_pattern(self.store, self.agent_id, pattern_id)

    @verb("GET", "/patterns/history", lists="patterns")
    def pattern_history(self, pattern_id: str) -> list[MemoryPattern]:
        """Return every version of a pattern, the oldest first."""
        return patterns.pattern_history(self.store, self.agent_id, pattern_id)

    @verb("POST", "/patterns/share")
    def share_pattern(self, pattern_id: str, agents: Sequence[str]) -> MemoryPattern:
        """Let these agents find one of this agent's patterns. Raises PatternNotFoundError."""
        return patterns.share_pattern(self.store, self.agent_id, pattern_id, agents)

    @verb("POST", "/patterns/unshare")
    def unshare_pattern(self, pattern_id: str, agents: Sequence[str]) -> MemoryPattern:
        """Stop these agents from finding a pattern, at once. Raises PatternNotFoundError."""
        return patterns.unshare_pattern(self.store, self.agent_id, pattern_id, agents)

    @verb("GET", "/patterns/shared", lists="patterns")
    def shared_patterns(self) -> list[MemoryPattern]:
        """Return the patterns that other agents share with this one."""
        return shared_patterns(self.store, self.agent_id)

    @verb("POST", "/recall", lists="recollections")
    def recall(
        self,
        decision_type: DecisionType | str,
        context: Mapping[str, Any] | DecisionContext | None,
        limit: int = 5,
    ) -> list[Recollection]:
        """Return the patterns that apply to this context, best first.

        Each has `.pattern`, `.score` (its confidence, aged) and `.because`. One request; two
        when another agent's pattern was not read in the last minute. Raises InvalidInputError.
        """
        return recall(
            self.store, self.agent_id, decision_type, context, limit, self._acquaintances
        )

    @verb("POST", "/consolidations")
    def consolidate(
        self, now: datetime | None = None, dry_run: bool = False
    ) -> ConsolidationReport:
        """Learn from what has arrived. `PatternLearner` is the comfortable way to call this.

        Raises ConsolidationBusyError, OvertakenError, InvalidInputError for a moment that has not
        come, and MissingExtraError without numpy.
        """
        return consolidation.consolidate(
            self.store, self.agent_id, now=now, dry_run=dry_run, wait=self.patience
        )

    @verb("GET", "/consolidations", lists="run_ids")
    def undoable_runs(self) -> list[str]:
        """Return the ids of the consolidation runs that can be undone, the latest first."""
        return undoing.undoable(self.store, self.agent_id)

    @verb("POST", "/consolidations/undo", repeatable=False)
    def undo_run(self, run_id: str) -> None:
        """Make it as if a consolidation run had learned nothing.

        Raises RunNotFoundError, UndoRefusedError when it is not the latest that can be undone,
        ConsolidationBusyError, and OvertakenError.
        """
        undoing.undo(self.store, self.agent_id, run_id, wait=self.patience)
