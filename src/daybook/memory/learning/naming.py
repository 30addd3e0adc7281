"""What a finding is called, and how it reads as a pattern."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime

from daybook.memory.learning.evidence import Floats, Terms
from daybook.memory.learning.knowledge import Knowledge
from daybook.models import DecisionId, DecisionType
from daybook.models.enums import ConditionOperator as Op
from daybook.models.identity import uuid_at
from daybook.models.patterns import PatternCondition

MOST_NAMED = 20
"""Decisions that a learned pattern names as its evidence, the latest first."""

_LONGEST_NAME = 200


def learned_id(
    decision_type: DecisionType, choice: str, conditions: Sequence[PatternCondition]
) -> str:
    """Return the id of a learned pattern: the same for the same conditions, wherever the cut.

    Readable, at most 256 characters; the digest at the end tells apart what reads alike.
    """
    about = [
        [
            condition.feature,
            str(condition.op),
            *([condition.value] if condition.op is Op.EQ else []),
        ]
        for condition in conditions
    ]
    exact = json.dumps([decision_type, choice, about])
    words = [decision_type, choice, *("-".join(str(word) for word in term) for term in about)]
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", ".".join(words))[:_LONGEST_NAME]
    return f"learned.{readable}.{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


def rates_of(inside: Floats, outside: Floats) -> tuple[float, float]:
    """Return the success rate inside and outside."""
    rates = [float(part[1] / part[0]) if part[0] > 0 else 0.0 for part in (inside, outside)]
    return min(max(rates[0], 0.0), 1.0), min(max(rates[1], 0.0), 1.0)


def supporting(
    knowledge: Knowledge,
    choice: int,
    terms: Terms,
    agent_id: str,
    *,
    success: bool,
    since: datetime | None,
) -> list[str]:
    """Return the latest decisions inside the terms that came out as the pattern says."""
    first = uuid_at(since) if since else ""
    found = [
        recent.uuid
        for recent in knowledge.recent
        if recent.success == success
        and choice in recent.choices
        and recent.uuid >= first
        and all(
            mask[recent.slots[number]]
            for number, mask in zip(terms.features, terms.masks, strict=True)
        )
    ]
    latest = sorted(set(found), reverse=True)[:MOST_NAMED]
    return [str(DecisionId(uuid, agent_id)) for uuid in latest]
