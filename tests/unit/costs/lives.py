"""Agents with a past: what months of decisions leave behind, written at once."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from daybook import AWSClientManager, DecisionType, new_decision_id
from daybook.decisions import items
from daybook.memory import ConsolidationReport, consolidate
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.progress.watched_agents import note_caught_up
from daybook.store import DECISIONS, Store
from daybook.store.attributes import Item
from tests.clocks import Clock
from tests.unit.test_write_cost import ordinary

CHOICES = ("momentum", "mean_reversion", "stay_out")
CYCLE = timedelta(minutes=10)
EVERY = timedelta(minutes=15)


@dataclass
class Life:
    """An agent that decides once a cycle for each type, and is told at the next what came of it.

    One of its choices does better when the market goes up, so that there is something to learn.
    """

    manager: AWSClientManager
    clock: Clock
    agent_id: str
    kinds: tuple[DecisionType, ...]
    kilobytes: float = 1.0
    cycles: int = 0
    _due: timedelta = CYCLE
    _draw: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    _waiting: list[tuple[Item, OutcomeDraft]] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """The tables."""
        return self.manager.store

    def live(self, span: timedelta) -> None:
        """Decide for so long, and leave it in the log."""
        batch: list[Item] = []
        while self._due <= span:
            self.clock.now += self._due
            span -= self._due
            self._due = CYCLE
            batch += self._cycle()
        self.clock.now += span
        self._due -= span
        self.store.put_all(DECISIONS, batch)

    def consolidated(self) -> ConsolidationReport:
        """Do what the worker does for a message."""
        done = consolidate(self.store, self.agent_id)
        note_caught_up(self.store, self.agent_id, done.caught_up_to, done.look_again_at)
        return done

    def _cycle(self) -> list[Item]:
        now = self.clock.now
        told = [
            items.outcome_item(self.store, each.to_outcome(self.agent_id, now), decision)
            for decision, each in self._waiting
        ]
        self._waiting = []
        for kind in self.kinds:
            self.cycles += 1
            decision, outcome = self._decision(kind)
            self._waiting.append((decision, outcome))
        return told + [decision for decision, _ in self._waiting]

    def _decision(self, kind: DecisionType) -> tuple[Item, OutcomeDraft]:
        context: dict[str, Any] = ordinary(int(self.kilobytes * 1024), self.cycles)
        choice = self._draw.choice(CHOICES)
        moment = self.clock.now
        draft = DecisionDraft.checked(
            decision_type=kind,
            options=list(CHOICES),
            scores={"momentum": 0.61, "mean_reversion": 0.2, "stay_out": 0.19},
            selected=[choice],
            confidence=0.7,
            rationale="the trend is intact",
            context=context,
            decision_id=new_decision_id(self.agent_id, moment, random_bits=self.cycles),
        )
        rises = context["market"].get("SYM0", {}).get("trend") == "up"
        fits = (choice == "momentum") == rises
        outcome = OutcomeDraft.checked(
            decision_id=draft.decision_id,
            decision_type=kind,
            success=self._draw.random() < (0.75 if fits else 0.25),
            quality_score=self._draw.random(),
            latency_ms=self._draw.uniform(1, 300),
        )
        record = draft.to_record(self.agent_id, moment)
        return items.decision_item(self.store, record), outcome
