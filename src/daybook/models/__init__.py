"""Records and enums: pydantic models, strict about bad input; no I/O."""

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
from daybook.models.signals import (
    AgentCard,
    AgentSignal,
    ClaimedSignal,
    DeliveryReport,
    SignalReport,
)
from daybook.models.state import AgentState, Checkpoint

__all__ = [
    "AgentCard",
    "AgentSignal",
    "AgentState",
    "Checkpoint",
    "ClaimedSignal",
    "ConditionOperator",
    "DecisionContext",
    "DecisionId",
    "DecisionOutcome",
    "DecisionReasoning",
    "DecisionRecord",
    "DecisionType",
    "DeliveryReport",
    "MemoryPattern",
    "MemoryTier",
    "PatternCondition",
    "PatternType",
    "SignalPriority",
    "SignalReport",
    "SignalStatus",
    "SignalType",
    "new_decision_id",
]
