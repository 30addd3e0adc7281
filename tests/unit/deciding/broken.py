"""A handle whose writes fail."""

from typing import Any

from daybook import MemoryManager


class Broken(MemoryManager):
    """Fails at each write of a kind, a number of times, then works."""

    def __init__(self, memory: MemoryManager, verb: str, times: int, fault: Exception) -> None:
        super().__init__(memory.agent_id, memory.client_manager)
        self.verb, self.times, self.fault = verb, times, fault

    def record_decision(self, draft: Any, *, is_new: bool = False) -> Any:
        """Write a decision, or fail."""
        self._perhaps_fail("decision")
        return super().record_decision(draft, is_new=is_new)

    def record_outcome(self, draft: Any) -> Any:
        """Write an outcome, or fail."""
        self._perhaps_fail("outcome")
        return super().record_outcome(draft)

    def _perhaps_fail(self, verb: str) -> None:
        if verb == self.verb and self.times > 0:
            self.times -= 1
            raise self.fault
