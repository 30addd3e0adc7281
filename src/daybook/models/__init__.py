"""Records and enums: pydantic models, strict about bad input; no I/O."""

from daybook.models.checkpoints import Checkpoint
from daybook.models.coordination import AgentSignal, AgentState
from daybook.models.decisions import (
    DecisionContext,
    DecisionOutcome,
    DecisionReasoning,
    DecisionRecord,
)
from daybook.models.enums import (
    ConditionOperator,
    DecisionType,
    MemoryTier,
    PatternType,
    SignalPriority,
    SignalStatus,
    SignalType,
)
from daybook.models.identity import DecisionId, new_decision_id
from daybook.models.patterns import MemoryPattern, PatternCondition

__all__ = [
    "AgentSignal",
    "AgentState",
    "Checkpoint",
    "ConditionOperator",
    "DecisionContext",
    "DecisionId",
    "DecisionOutcome",
    "DecisionReasoning",
    "DecisionRecord",
    "DecisionType",
    "MemoryPattern",
    "MemoryTier",
    "PatternCondition",
    "PatternType",
    "SignalPriority",
    "SignalStatus",
    "SignalType",
    "new_decision_id",
]
