"""Which patterns apply to a context, and which matters most."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from daybook.memory.paths import ABSENT, look_up
from daybook.models.enums import ConditionOperator
from daybook.models.patterns import MemoryPattern, PatternCondition

HALF_LIFE = timedelta(days=90)
"""A pattern that nothing has refreshed for so long counts half."""

_SHOWN = 40


@dataclass(frozen=True)
class Recollection:
    """A pattern that applies, how strongly (0 to 1), and why, in one sentence."""

    pattern: MemoryPattern
    score: float
    because: str


def rank(
    patterns: Iterable[MemoryPattern],
    context: Mapping[str, Any],
    *,
    now: datetime,
    limit: int | None = None,
    half_life: timedelta = HALF_LIFE,
    agent_id: str | None = None,
) -> list[Recollection]:
    """Return the live patterns that apply to this context, best first.

    The score is the pattern's confidence, aged from its last update. A SUCCESS pattern's
    confidence is a lower bound of its success rate, a FAILURE pattern's of its failure rate;
    both stand in one list, for a likely failure is as good to know as a likely success. To
    choose: take for each choice the pattern that names the most conditions, the first of
    those, and prefer the choice whose pattern has the highest `success_rate`; a choice without
    a pattern is worth about the `baseline_rate` of the others. Ties go to more conditions, more
    outcomes, then the smaller agent and pattern id, so the order is the same each time. For
    the agent `agent_id`, the reason names whose pattern it is when another shares it.
    """
    ranked = [
        (_score(pattern, now, half_life), pattern)
        for pattern in patterns
        if pattern.retired_at is None and matches(pattern, context)
    ]
    ranked.sort(
        key=lambda scored: (
            -scored[0],
            -len(scored[1].conditions),
            -scored[1].sample_size,
            scored[1].agent_id,
            scored[1].pattern_id,
        )
    )
    return [
        Recollection(pattern, score, explain(pattern, context, agent_id))
        for score, pattern in ranked[:limit]
    ]


def matches(pattern: MemoryPattern, context: Mapping[str, Any]) -> bool:
    """Whether every condition holds; a feature that is absent meets none."""
    return all(_holds(condition, context) for condition in pattern.conditions)


def explain(
    pattern: MemoryPattern, context: Mapping[str, Any], agent_id: str | None = None
) -> str:
    """Say in one sentence why the pattern applies, and what it says."""
    facts = " and ".join(_fact(condition, context) for condition in pattern.conditions)
    where = f"Because {facts}, " if facts else "In any context, "
    elsewhere = "elsewhere" if facts else "for other choices"
    owner = "" if agent_id in {None, pattern.agent_id} else f", says {_short(pattern.agent_id)}"
    return (
        f"{where}{_short(pattern.choice)} succeeds {pattern.success_rate:.0%} of the time rather "
        f"than {pattern.baseline_rate:.0%} {elsewhere} ({pattern.sample_size} outcomes{owner})."
    )


def _holds(condition: PatternCondition, context: Mapping[str, Any]) -> bool:
    value, wanted = look_up(context, condition.feature), condition.value
    if value is ABSENT:
        return False
    both_numbers = _is_number(value) and _is_number(wanted)
    if condition.op is ConditionOperator.EQ:
        return bool(value == wanted) if both_numbers else _same(value, wanted)
    if not both_numbers or wanted is None or isinstance(wanted, str):
        return False
    return bool(value < wanted if condition.op is ConditionOperator.LT else value >= wanted)


def _same(value: Any, wanted: Any) -> bool:
    # in Python True == 1, and a context means what it says
    return type(value) is type(wanted) and bool(value == wanted)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _score(pattern: MemoryPattern, now: datetime, half_life: timedelta) -> float:
    age = max(now - pattern.updated_at, timedelta())
    return float(pattern.confidence * 0.5 ** (age / half_life))


def _fact(condition: PatternCondition, context: Mapping[str, Any]) -> str:
    feature, value = _short(condition.feature), look_up(context, condition.feature)
    if condition.op is ConditionOperator.EQ:
        return f"{feature} is {_shown(value)}"
    side = "below" if condition.op is ConditionOperator.LT else "at or above"
    return f"{feature} is {_shown(value)}, {side} {_shown(condition.value)}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    # an integer of a thousand digits takes long to write down
    if isinstance(value, int) and value.bit_length() > 64:  # noqa: PLR2004
        return "a very large number" if value > 0 else "a very small number"
    return _short(str(value))


def _short(text: str) -> str:
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
