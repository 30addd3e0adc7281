"""The columns of the archive, as data: one row a decision, its outcome beside it.

Moments are microseconds since 1970 in a row, and timestamps in the file. Contexts, scores and
details are JSON text, which carries floats, large integers and nesting exactly. A list is
empty, never null.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What a column holds, by the word that Athena has for it."""

    TEXT = "string"
    TEXTS = "array<string>"
    NUMBER = "double"
    WHOLE = "bigint"
    MOMENT = "timestamp"
    FLAG = "boolean"


KEY = "decision_id"

DECISION = {
    KEY: Kind.TEXT,
    "decision_type": Kind.TEXT,
    "decided_at": Kind.MOMENT,
    "arrived_at": Kind.MOMENT,
    "parent_decision_id": Kind.TEXT,
    "session_id": Kind.TEXT,
    "agent_version": Kind.TEXT,
    "tags": Kind.TEXTS,
    "options": Kind.TEXTS,
    "selected": Kind.TEXTS,
    "patterns_applied": Kind.TEXTS,
    "scores": Kind.TEXT,
    "context": Kind.TEXT,
    "confidence": Kind.NUMBER,
    "propensity": Kind.NUMBER,
    "rationale": Kind.TEXT,
}

OUTCOME = {
    "success": Kind.FLAG,
    "quality_score": Kind.NUMBER,
    "latency_ms": Kind.NUMBER,
    "error": Kind.TEXT,
    "details": Kind.TEXT,
    "outcome_arrived_at": Kind.MOMENT,
}
"""All null for a decision without an outcome."""

COLUMNS = DECISION | OUTCOME
