"""Asking memory before deciding: which option the recalled patterns prefer.

The policy is the one that `daybook.memory.ranking.rank` states. An option is worth the success
rate of the recalled pattern about it, of several the one that names the most conditions. An
option without a pattern is worth the mean of the others' baselines. The agent prefers what is
worth most, and of equals what its own rule scores best.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from time import perf_counter
from typing import Any

from daybook import DecisionType, MemoryManager
from daybook.memory import Recollection

Scores = Mapping[str, float]
EVERYTHING = 100
"""As many patterns as an agent can have: the policy looks at all that apply."""


@dataclass(frozen=True)
class Advice:
    """The option that memory prefers, the ids of the patterns compared, and why in words."""

    preferred: str
    patterns: tuple[str, ...]
    because: str


Advise = Callable[[Scores], Advice | None]
"""Asked with an agent's own scores of its options; None when memory has nothing to say."""

Guide = Callable[[str, DecisionType, Mapping[str, Any]], Advise]
"""Given an agent, what it decides and the context it decides in: whom to ask."""


def no_advice(_: Scores) -> None:
    """Know nothing."""


def no_memory(agent_id: str, kind: DecisionType, context: Mapping[str, Any]) -> Advise:
    """Guide nobody."""
    del agent_id, kind, context
    return no_advice


def advice_from(recalled: Sequence[Recollection], scores: Scores) -> Advice | None:
    """Return what recalled patterns advise, or None when none is about one of the options."""
    apply: dict[str, Recollection] = {}
    for each in recalled:
        choice = each.pattern.choice
        standing = apply.get(choice)
        named = len(each.pattern.conditions)
        if choice in scores and (not standing or named > len(standing.pattern.conditions)):
            apply[choice] = each
    if not apply:
        return None
    otherwise = fmean(each.pattern.baseline_rate for each in apply.values())
    worth = {
        option: apply[option].pattern.success_rate if option in apply else otherwise
        for option in scores
    }
    preferred = max(scores, key=lambda option: (worth[option], scores[option]))
    if preferred in apply:
        why = apply[preferred].because
    else:
        why = f"Nothing speaks for or against it. {next(iter(apply.values())).because}"
    return Advice(
        preferred=preferred,
        patterns=tuple(each.pattern.pattern_id for each in apply.values()),
        because=f"Memory prefers {preferred}. {why}",
    )


@dataclass
class Memories:
    """The agents' memories, asked through the SDK. Keeps how long each recall took."""

    of: Mapping[str, MemoryManager]
    seconds: list[float] = field(default_factory=list)

    def guide(self, agent_id: str, kind: DecisionType, context: Mapping[str, Any]) -> Advise:
        """Guide an agent by what its memory recalls in this context."""

        def advise(scores: Scores) -> Advice | None:
            began = perf_counter()
            recalled = self.of[agent_id].recall(kind, context, limit=EVERYTHING)
            self.seconds.append(perf_counter() - began)
            return advice_from(recalled, scores)

        return advise
