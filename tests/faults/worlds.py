"""A small log with an effect to be found, and all that consolidation makes of it."""

import json
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager, new_decision_id
from daybook.memory import ConsolidationReport, consolidate
from daybook.memory.learning_head import Notes
from daybook.progress import read_heads
from daybook.settings import Settings
from daybook.store import DECISIONS, MEMORY, Store
from daybook.store.expressions import begins_with, equals

KIND = DecisionType.STRATEGY_SELECTION
START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
NOW = START + timedelta(days=40)
"""When everything has arrived, and all jobs run."""


@dataclass
class World:
    """An agent with a log."""

    memory: MemoryManager
    clock: list[datetime]

    @property
    def store(self) -> Store:
        """The agent's store."""
        return self.memory.store

    def with_client(self, client: Any, *, clock_ahead: timedelta = timedelta()) -> Store:
        """Return the store over another client, for a worker whose clock is ahead."""
        return replace(self.store, dynamodb=client, clock=lambda: self.clock[0] + clock_ahead)

    def consolidate(self, store: Store | None = None) -> ConsolidationReport:
        """Consolidate at a fixed moment, so that runs can be compared."""
        return consolidate(store or self.store, self.memory.agent_id, now=NOW)


def clone(original: World) -> World:
    """Return another agent with the same log, before any consolidation."""
    memory = original.memory
    twin = MemoryManager(f"agent-{uuid4().hex}", memory.client_manager)
    log = list(memory.store.query(DECISIONS, equals("pk", memory.agent_id)))
    renamed = [
        {
            name: value.replace(memory.agent_id, twin.agent_id)
            if isinstance(value, str)
            else value
            for name, value in item.items()
        }
        for item in log
    ]
    memory.store.put_all(DECISIONS, renamed)
    return World(twin, original.clock)


def make_world(database: AWSClientManager, decisions: int = 160, seed: int = 0) -> World:
    """Log decisions of which one choice does well in one regime; outcomes come at all delays.

    Some arrive hours or twenty days late, in any order, and some never; so do some decisions.
    """
    clock = [START]
    manager = AWSClientManager(
        endpoint_url=database.endpoint_url, settings=Settings(), clock=lambda: clock[0]
    )
    memory = MemoryManager(f"agent-{uuid4().hex}", manager)
    log = DecisionLogger(memory)
    draw = random.Random(seed)  # noqa: S311 - reproducible, not secret
    outcomes: list[tuple[datetime, str, bool]] = []
    for number in range(decisions):
        decided_at = START + timedelta(minutes=7 * number)
        clock[0] = decided_at + timedelta(seconds=draw.choice([0, 0, 0, 1, 7200]))
        regime, choice = draw.choice(["bull", "bear"]), draw.choice(["momentum", "reversion"])
        decision_id = new_decision_id(memory.agent_id, decided_at, random_bits=seed << 32 | number)
        log.log_decision(
            KIND,
            options=["momentum", "reversion"],
            selected=choice,
            context={"regime": regime, "level": draw.random(), "noise": draw.choice("ab")},
            confidence=draw.random(),
            decision_id=decision_id,
        )
        success = draw.random() < (0.95 if (regime, choice) == ("bull", "momentum") else 0.4)
        delay = draw.choice([1, 1, 60, 7200, 20 * 86400, None])
        if delay is not None:
            outcomes.append((clock[0] + timedelta(seconds=delay), decision_id, success))
    for at, decision_id, success in sorted(outcomes):
        clock[0] = at
        log.log_outcome(decision_id, KIND, success, draw.random(), draw.expovariate(0.01))
    clock[0] = NOW
    return World(memory, clock)


def result(world: World) -> dict[str, Any]:
    """Return all that consolidation made, without what differs between agents and runs."""
    store, agent_id = world.store, world.memory.agent_id
    heads = read_heads(store, agent_id)
    notes = Notes.read(heads["learning"])
    items = store.query(MEMORY, equals("pk", agent_id) & begins_with("sk", "KNOWN#"))
    known = {item["sk"]: item["part"] for item in items}
    named = {
        f"{kind}/{part}": known.get(f"KNOWN#{stamp}#{kind}#{part}")
        for kind, parts in notes.knowledge.items()
        for part, stamp in parts.items()
    }
    hours = store.query(MEMORY, equals("pk", agent_id) & begins_with("sk", "HOUR#"))
    patterns = [
        pattern.model_dump(mode="json", exclude={"agent_id"})
        for pattern in world.memory.list_patterns()
    ]
    told = {
        "patterns": patterns,
        "hours": {str(item["sk"]): str(item["body"]) for item in hours},
        "stats": world.memory.get_decision_stats(24 * 365),
        "positions": {job: head.position.document["settled"] for job, head in heads.items()},
        "knowledge": sorted(named),
    }
    told_apart = json.dumps(told, sort_keys=True, default=str).replace(agent_id, "agent")
    return dict(json.loads(told_apart)) | {"bytes": named}
