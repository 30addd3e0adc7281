"""The review of one choice: what its patterns should become, in view of the evidence."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from daybook.memory.intervals import lower_bound
from daybook.memory.learning import naming
from daybook.memory.learning.drift import Turn, find_turn
from daybook.memory.learning.effects import Effects
from daybook.memory.learning.evidence import (
    ChoiceEvidence,
    Floats,
    Terms,
    blocks_since,
    by_segment,
    choices_in,
    evidence_of,
)
from daybook.memory.learning.findings import Finding, Signature, surprise
from daybook.memory.learning.knowledge import Knowledge
from daybook.memory.learning.multiplicity import (
    KEEPS_AT,
    SHARE_OVERALL,
    needed,
    share_of_look,
)
from daybook.memory.learning.regions import Regions
from daybook.memory.learning.search import Search
from daybook.memory.learning.segments import Block
from daybook.memory.learning.tuning import LearningSettings
from daybook.models import DecisionType, MemoryPattern, PatternType
from daybook.models.identity import EPOCH

Kind = Literal["created", "refreshed", "turned", "retired"]
Change = tuple[Kind, MemoryPattern | None, MemoryPattern, str]

_MOST_TURNS = 3
_OVERALL = Terms((), ())


@dataclass(frozen=True)
class Standing:
    """A pattern of the choice, in slots, and whether its evidence has turned."""

    pattern: MemoryPattern
    place: Finding
    turn: Turn | None

    @property
    def terms(self) -> Terms:
        """The slots inside."""
        return self.place.terms

    @property
    def signature(self) -> Signature:
        """What it is about, wherever its cuts lie."""
        return self.place.signature

    @property
    def by_hand(self) -> bool:
        """Whether a person made it: its id is not the one that learning would give."""
        pattern = self.pattern
        return pattern.pattern_id != naming.learned_id(
            pattern.decision_type, pattern.choice, pattern.conditions
        )

    def is_about(self, finding: Finding) -> bool:
        """Whether both say the same; what a person wrote must also have about the same cuts."""
        if self.signature != finding.signature:
            return False
        apart = [
            int((mine ^ theirs).sum())
            for mine, theirs in zip(self.terms.masks, finding.terms.masks, strict=True)
        ]
        return not self.by_hand or max(apart, default=0) <= 1


class Review:
    """Looks at one choice's evidence once."""

    def __init__(
        self,
        knowledge: Knowledge,
        regions: Regions,
        choice: int,
        patterns: Sequence[MemoryPattern],
        settings: LearningSettings,
    ) -> None:
        self.knowledge = knowledge
        self.regions = regions
        self.choice = choice
        self.settings = settings
        self.retired = {p.pattern_id: p for p in patterns if p.retired_at}
        self.since = max((p.evidence_since for p in patterns if p.evidence_since), default=None)
        self.standing = [
            Standing(pattern, Finding(place), self._turn(pattern, Finding(place).terms))
            for pattern in patterns
            if not pattern.retired_at and (place := regions.find(pattern.conditions)) is not None
        ]
        seen_since = self.since
        for standing in self.standing:
            if standing.turn and (self.since is None or standing.turn.since > self.since):
                self.since = standing.turn.since
        self._evidence: dict[datetime | None, ChoiceEvidence] = {}
        self.share = 1.0 if self.since != seen_since else self._share_of_look()

    def changes(
        self, agent_id: str, decision_type: DecisionType, now: datetime, elsewhere: Floats
    ) -> Iterator[Change]:
        """Yield what should change, the most surprising findings first.

        `elsewhere` is what `ordinary` says of all other choices together.
        """
        findings = [*self.findings, *self._overall(elsewhere)]
        matched: set[str] = set()
        for finding in findings:
            mates = [each for each in self.standing if each.is_about(finding)]
            matched.update(mate.pattern.pattern_id for mate in mates)
            for mate in mates:
                yield from self._refreshed(mate, finding, now)
            if not mates:
                yield from self._created(finding, agent_id, decision_type, now)
        for standing in self.standing:
            if standing.pattern.pattern_id in matched:
                continue
            if standing.by_hand:
                if self._stands_out(standing):
                    yield from self._refreshed(standing, standing.place, now)
            else:
                yield from self._left_over(standing, findings, now)

    @functools.cached_property
    def ordinary(self) -> Floats:
        """Count the choice's outcomes aside from its patterns: weighted [n, successes]."""
        evidence = self._evidence_since(self.since)
        n = float(evidence.total[0])
        if not n:
            return np.zeros(2)
        terms = [finding.terms for finding in self.findings]
        rate = min(max(Effects(evidence, terms).base, 0.0), 1.0)
        aside = sum(float(evidence.of(each)[0][0]) for each in terms)
        n = max(n - aside, 0.0) / evidence.scale
        return np.array([n, n * rate])

    @functools.cached_property
    def findings(self) -> list[Finding]:
        """Where the choice does better or worse than elsewhere."""
        known = [s.signature for s in self.standing if s.signature and not s.by_hand]
        for _ in range(_MOST_TURNS):
            evidence = self._evidence_since(self.since)
            choices = len(choices_in(self.knowledge))
            findings = Search(
                evidence, self.regions, choices, self.settings, known, self.share
            ).run()
            turns = [
                turn.since
                for finding in findings
                if not any(each.is_about(finding) for each in self.standing)
                and (turn := self._turn(None, finding.terms))
            ]
            if not turns:
                break
            self.since, self.share = max(turns), 1.0
        return findings

    def _overall(self, elsewhere: Floats) -> list[Finding]:
        """Find the choice itself better or worse than the others, all their patterns aside."""
        evidence = self._evidence_since(self.since)
        counts = np.array([self.ordinary, elsewhere]) * evidence.scale
        total = counts.sum(0)
        if counts[:, 0].min() < self.settings.min_support:
            return []
        expected = counts[:, 0] * total[1] / total[0]
        found = float(surprise(counts[:, 0], counts[:, 1], expected).sum())
        ordinary, whole = naming.rates_of(*counts), naming.rates_of(*evidence.of(_OVERALL))
        agree = (ordinary[0] > ordinary[1]) == (whole[0] > whole[1])
        known = any(not standing.terms.features for standing in self.standing)
        choices = len(choices_in(self.knowledge))
        level = self.share * self.settings.false_discovery_rate
        bar = KEEPS_AT if known else needed(SHARE_OVERALL * level / max(choices, 1))
        return [Finding((), found)] if agree and found >= bar and (known or level) else []

    def _refreshed(self, mate: Standing, finding: Finding, now: datetime) -> Iterator[Change]:
        pattern = mate.pattern
        since = self.since if mate.turn else pattern.evidence_since
        terms = mate.terms if mate.by_hand else finding.terms
        facts = self._facts(terms, pattern.agent_id, since, pattern)
        if not mate.by_hand and finding.regions:
            facts["conditions"] = self.regions.conditions(finding.regions)
        turned = mate.turn is not None or facts["pattern_type"] != pattern.pattern_type
        if all(getattr(pattern, name) == value for name, value in facts.items()):
            return
        after = pattern.model_copy(update={**facts, "updated_at": now})
        if not turned:
            reason = f"{after.sample_size} outcomes now"
            yield "refreshed", pattern, after, reason
            return
        after = after.model_copy(update={"version": pattern.version + 1, "evidence_since": since})
        reason = (
            f"the evidence turned: success {pattern.success_rate:.0%} before, "
            f"{after.success_rate:.0%} since"
        )
        yield "turned", pattern, after, reason

    def _created(
        self, finding: Finding, agent_id: str, decision_type: DecisionType, now: datetime
    ) -> Iterator[Change]:
        choice = self._choice_name()
        conditions = self.regions.conditions(finding.regions)
        pattern_id = naming.learned_id(decision_type, choice, conditions)
        before = self.retired.get(pattern_id)
        facts = self._facts(finding.terms, agent_id, self.since, None)
        after = MemoryPattern.checked(
            **{
                "pattern_id": pattern_id,
                "agent_id": agent_id,
                "decision_type": decision_type,
                "choice": choice,
                "conditions": conditions,
                "evidence_since": self.since,
                "created_at": before.created_at if before else now,
                "updated_at": now,
                "version": before.version + 1 if before else 1,
                "shared_with": before.shared_with if before else [],
                "user_metadata": before.user_metadata if before else {},
            }
            | facts
        )
        reason = (
            f"success {after.success_rate:.0%} rather than {after.baseline_rate:.0%} "
            f"over {after.sample_size} outcomes"
        )
        yield "created", before, after, reason

    def _left_over(
        self, standing: Standing, findings: Sequence[Finding], now: datetime
    ) -> Iterator[Change]:
        pattern = standing.pattern
        if standing.turn:
            reason = "the evidence turned, and nothing stands out since"
            yield self._gone(pattern, reason, now, standing.turn.since)
            return
        facts = self._facts(standing.terms, pattern.agent_id, pattern.evidence_since, pattern)
        if facts["pattern_type"] != pattern.pattern_type:
            yield self._gone(pattern, "the evidence no longer supports it", now)
        elif not self._still_speaks(standing, findings):
            yield self._gone(pattern, "chance or other patterns explain it by now", now)
        elif any(getattr(pattern, name) != value for name, value in facts.items()):
            after = pattern.model_copy(update={**facts, "updated_at": now})
            yield "refreshed", pattern, after, f"{after.sample_size} outcomes now"

    def _still_speaks(self, standing: Standing, findings: Sequence[Finding]) -> bool:
        if any(_are_two_sides(standing.signature, finding.signature) for finding in findings):
            return True
        if standing.pattern.evidence_since == self.since:
            return False  # the search has looked at this very evidence, with its benefit
        return self._stands_out(standing)

    def _stands_out(self, standing: Standing) -> bool:
        inside, outside = self._evidence_since(standing.pattern.evidence_since).of(standing.terms)
        counts = np.array([inside, outside])
        expected = counts[:, 0] * counts[:, 1].sum() / max(counts[:, 0].sum(), 1)
        return float(surprise(counts[:, 0], counts[:, 1], expected).sum()) >= KEEPS_AT

    def _facts(
        self, terms: Terms, agent_id: str, since: datetime | None, before: MemoryPattern | None
    ) -> dict[str, Any]:
        """Return what the evidence says of a pattern, as its fields."""
        evidence = self._evidence_since(since)
        inside, outside = evidence.of(terms)
        rate, baseline = naming.rates_of(inside, outside)
        success = rate >= baseline
        n = float(inside[0]) / evidence.scale
        _, counts = by_segment(self.knowledge, self.choice, terms, since)
        named = naming.supporting(
            self.knowledge, self.choice, terms, agent_id, success=success, since=since
        )
        kind = PatternType.SUCCESS if success else PatternType.FAILURE
        if before is not None and before.pattern_type == kind and before.evidence_since == since:
            named = list(dict.fromkeys([*named, *before.evidence]))[: naming.MOST_NAMED]
        return {
            "pattern_type": kind,
            "success_rate": rate,
            "baseline_rate": baseline,
            "sample_size": int(counts[:, 0, 0].sum()),
            "confidence": lower_bound(n, n * (rate if success else 1 - rate)),
            "evidence": named,
        }

    def _share_of_look(self) -> float:
        """Return the share of the rate for new patterns: what came in since the last look."""
        blocks = blocks_since(self.knowledge, self.since)
        segments = [self.knowledge.segments[block] for block in blocks]
        now = float(sum(segment.totals[self.choice].sum() for segment in segments))
        name, month = self._choice_name(), self.settings.half_life / 3
        fresh = self.knowledge.outcomes()[name] - self.knowledge.looked_at[name]
        looks = (self.knowledge.looked_when, self.knowledge.newest)
        last, this = ((Block(0, unit).start - EPOCH) // month for unit in looks)
        return share_of_look(now - fresh, now, new_month=last < this)

    def _turn(self, pattern: MemoryPattern | None, terms: Terms) -> Turn | None:
        since = pattern.evidence_since if pattern else self.since
        blocks, counts = by_segment(self.knowledge, self.choice, terms, since)
        return find_turn(blocks, counts, self.settings.turn_risk)

    def _evidence_since(self, since: datetime | None) -> ChoiceEvidence:
        if since not in self._evidence:
            self._evidence[since] = evidence_of(
                self.knowledge, self.choice, self.settings.half_life, since
            )
        return self._evidence[since]

    def _choice_name(self) -> str:
        vocabulary = self.knowledge.vocabulary
        return vocabulary.choices[self.choice] if vocabulary else ""

    @staticmethod
    def _gone(
        pattern: MemoryPattern, reason: str, now: datetime, since: datetime | None = None
    ) -> Change:
        update: dict[str, Any] = {"retired_at": now, "updated_at": now}
        update["version"] = pattern.version + 1
        if since:
            update["evidence_since"] = since
        return "retired", pattern, pattern.model_copy(update=update), reason


def _are_two_sides(one: Signature, other: Signature) -> bool:
    """Whether both are about the same single feature, each about another side of it."""
    return len(one) == len(other) == 1 and one != other and one[0][0] == other[0][0]
