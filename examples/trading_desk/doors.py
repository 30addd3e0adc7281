"""A way into the log. The agents know these two verbs and not what is behind them."""

from typing import Protocol

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.models.drafts import DecisionDraft, OutcomeDraft


class Door(Protocol):
    """One agent's way into the log. `threads` may use it at once."""

    name: str
    threads: int

    def log_decision(self, draft: DecisionDraft) -> str:
        """Hand in a decision and return its id."""
        ...

    def log_outcome(self, draft: OutcomeDraft) -> None:
        """Hand in an outcome."""
        ...

    def settle(self) -> None:
        """Return once everything handed in has been dealt with."""
        ...


class DirectDoor:
    """The SDK, straight to the tables."""

    name = "SDK, direct"
    threads = 2

    def __init__(self, agent_id: str, client_manager: AWSClientManager) -> None:
        self._log = DecisionLogger(MemoryManager(agent_id, client_manager))

    def log_decision(self, draft: DecisionDraft) -> str:
        """Log a decision. Raises a DaybookError."""
        return self._log.log_decision(**dict(draft))

    def log_outcome(self, draft: OutcomeDraft) -> None:
        """Log an outcome. Raises a DaybookError."""
        self._log.log_outcome(**dict(draft))

    def settle(self) -> None:
        """Do nothing: a call that has returned has been written."""
