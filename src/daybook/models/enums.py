"""The seven enums. Each member is the text that is stored."""

from enum import IntEnum, StrEnum


class DecisionType(StrEnum):
    """What kind of choice was made."""

    SOURCE_SELECTION = "source_selection"
    QUERY_EXECUTION = "query_execution"
    SIGNAL_GENERATION = "signal_generation"
    RISK_ASSESSMENT = "risk_assessment"
    STRATEGY_SELECTION = "strategy_selection"
    TOOL_SELECTION = "tool_selection"
    WORKFLOW_SELECTION = "workflow_selection"
    OTHER = "other"


class MemoryTier(StrEnum):
    """How old a decision is: short-term while younger than a day, then long-term."""

    STM = "stm"
    LTM = "ltm"


class PatternType(StrEnum):
    """Which way a pattern points: its choice does better, or worse, than otherwise."""

    SUCCESS = "success"
    FAILURE = "failure"


class ConditionOperator(StrEnum):
    """How a condition compares a feature of the context with its value."""

    EQ = "eq"
    LT = "lt"
    GE = "ge"


class SignalType(StrEnum):
    """What an agent tells others."""

    MARKET_EVENT = "market_event"
    RISK_ALERT = "risk_alert"
    PATTERN_FOUND = "pattern_found"
    REQUEST = "request"
    RESPONSE = "response"
    COORDINATION = "coordination"


class SignalPriority(IntEnum):
    """How urgent a signal is: lower numbers are delivered first."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class SignalStatus(StrEnum):
    """How far one target has got with a signal."""

    PENDING = "pending"
    CLAIMED = "claimed"
    PROCESSED = "processed"
    DEAD = "dead"
