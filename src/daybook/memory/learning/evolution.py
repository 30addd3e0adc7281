"""How patterns evolve: found, refreshed, turned into a new version, retired."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from daybook.memory.learning.evidence import choices_in
from daybook.memory.learning.knowledge import Knowledge
from daybook.memory.learning.regions import Regions
from daybook.memory.learning.review import Review
from daybook.memory.learning.tuning import LearningSettings
from daybook.models import DecisionType, MemoryPattern


@dataclass(frozen=True)
class PatternChange:
    """What should become of a pattern, and why in one sentence."""

    kind: Literal["created", "refreshed", "turned", "retired"]
    before: MemoryPattern | None
    after: MemoryPattern
    reason: str


def evolve(
    knowledge: Knowledge,
    patterns: Sequence[MemoryPattern],
    *,
    agent_id: str,
    decision_type: DecisionType,
    now: datetime,
    settings: LearningSettings | None = None,
    banned: Collection[str] = (),
) -> list[PatternChange]:
    """Return how the patterns of one decision type should change, given what is known.

    `patterns` are the agent's patterns of this type: the live ones, and best also those that
    learning has retired (`retired_at` set), whose `evidence_since` says from when on evidence
    counts for their choice. One that is found again is `created` anew with the next version.
    Patterns whose conditions cannot be counted (other features, three conditions) are left
    alone, and ids in `banned` are never created or revived. New patterns are sought when the
    evidence has grown by a third since the last look, which is all that knowledge remembers of it.
    """
    settled = knowledge.settled()
    if settled.vocabulary is None or not settled.segments:
        return []
    tuned = settings or LearningSettings()
    regions = Regions(settled.vocabulary.features)
    reviews = []
    for choice in choices_in(settled):
        name = settled.vocabulary.choices[choice]
        own = [p for p in patterns if p.choice == name and p.decision_type == decision_type]
        reviews.append(Review(settled, regions, choice, own, tuned))
    everywhere = np.sum([review.ordinary for review in reviews], axis=0)
    changes = [
        PatternChange(kind, before, after, reason)
        for review in reviews
        for kind, before, after, reason in review.changes(
            agent_id, decision_type, now, everywhere - review.ordinary
        )
        if kind != "created" or after.pattern_id not in banned
    ]
    knowledge.look()
    return changes
