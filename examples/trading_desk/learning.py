"""Consolidation by hand: what the desk's agents learn, and when.

A deployed stack consolidates by a schedule, for agents that live in the present. This desk
lives through thirteen years in two minutes, so it says itself when its agents learn: at the
end of the first half and of each year after that. And evidence, whose age counts from the time
of the decision, halves in five years instead of ninety days.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from datetime import timedelta
from time import perf_counter
from typing import NamedTuple, Self

from daybook import MemoryManager, PatternLearner
from daybook.memory import ConsolidationReport
from daybook.memory.handle import PATIENCE
from daybook.memory.learning import LearningSettings
from daybook.progress import leased

SETTINGS = LearningSettings(half_life=timedelta(days=5 * 365))


class Learned(NamedTuple):
    """A consolidation, and the seconds that it took."""

    report: ConsolidationReport
    seconds: float


class Quiet(ExitStack):
    """Keeps the schedule from learning while outcomes are being logged.

    The desk holds the agents' leases meanwhile, as a consolidation would, and gives each back
    right before the agent learns. A desk that dies keeps others waiting for a minute at most.
    """

    def __init__(self, memories: Iterable[MemoryManager]) -> None:
        super().__init__()
        self._held: dict[str, ExitStack] = {}
        self._memories = list(memories)

    def __enter__(self) -> Self:
        super().__enter__()
        for memory in self._memories:
            held = self._held[memory.agent_id] = self.enter_context(ExitStack())
            held.enter_context(leased(memory.store, memory.agent_id, wait=PATIENCE))
        return self

    def learn(self, memory: MemoryManager) -> Learned:
        """Consolidate one agent: learn from all outcomes in its log that are new."""
        self._held[memory.agent_id].close()
        began = perf_counter()
        report = PatternLearner(memory, SETTINGS).consolidate()
        return Learned(report, perf_counter() - began)
