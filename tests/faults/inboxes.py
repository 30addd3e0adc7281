"""Inboxes under fire: consumers that die, dawdle and meet, and routers that repeat themselves.

The effect of a signal is a mark written together with its acknowledgement. Each mark names the
claim that made it, so an effect that happens twice leaves two.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from daybook import AWSClientManager, ClaimExpiredError, SignalPriority, SignalType
from daybook.models.signals import ClaimedSignal, SignalDraft
from daybook.signals import acknowledge, claim, publish_draft, register, route
from daybook.store import SIGNALS, Store
from daybook.store.attributes import Item
from daybook.store.expressions import begins_with, equals
from daybook.store.requests import Put

VISIBILITY = 40
"""Seconds of the worlds' clock, which goes twenty times as fast as ours."""

SPEED = 20
PATIENCE_SECONDS = 420.0

Acknowledge = Callable[..., object]


def effect(agent_id: str, claimed: ClaimedSignal) -> Put:
    """Return the write that is a signal's effect: a mark of the claim that made it."""
    key: Item = {"pk": agent_id, "sk": f"EFFECT#{claimed.signal.signal_id}#{claimed.fence}"}
    return Put(table=SIGNALS, item=key)


def effects(store: Store, agent_id: str) -> Counter[str]:
    """Return how often each signal took effect at an agent."""
    marks = equals("pk", agent_id) & begins_with("sk", "EFFECT#")
    found = store.query(SIGNALS, marks, consistent=True)
    return Counter(str(item["sk"]).split("#")[1] for item in found)


@dataclass
class Inboxes:
    """Agents with several consumers each; the first has one, which neither dies nor dawdles."""

    store: Store
    agents: list[str]
    seed: int
    acknowledge: Acknowledge = acknowledge
    sent: dict[str, list[str]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    refused: int = 0
    killed: int = 0
    done: set[tuple[str, str]] = field(default_factory=set)
    _late: list[tuple[str, ClaimedSignal]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def make(
        cls, database: AWSClientManager, count: int, seed: int, ack: Acknowledge = acknowledge
    ) -> "Inboxes":
        """Make so many registered agents, on a clock of their own."""
        began, real = datetime(2026, 3, 1, tzinfo=UTC), time.monotonic()

        def clock() -> datetime:
            return began + timedelta(seconds=(time.monotonic() - real) * SPEED)

        store = replace(database.store, clock=clock)
        made = cls(store, [f"agent-{uuid4().hex}" for _ in range(count)], seed, ack)
        for agent_id in made.agents:
            register(store, agent_id)
            made.sent[agent_id] = []
        return made

    def publish(self, total: int, publishers: int) -> None:
        """Publish so many signals, some of them twice, to one agent each."""
        senders = [f"sender-{uuid4().hex}" for _ in range(publishers)]

        def run(number: int) -> None:
            draw = random.Random(f"{self.seed}-{number}")  # noqa: S311 - no cryptography
            sender = senders[number % publishers]
            target = self.agents[number % len(self.agents)]
            draft = SignalDraft.checked(
                signal_type=SignalType.REQUEST,
                payload={"n": number},
                targets=[target],
                priority=draw.choice(list(SignalPriority)),
                dedupe_id=f"n{number}",
            )
            signal = publish_draft(self.store, sender, draft)
            if draw.random() < 0.1:
                again = publish_draft(self.store, sender, draft)
                assert again.signal_id == signal.signal_id
            with self._lock:
                self.sent[target].append(signal.signal_id)
            if draw.random() < 0.1:
                route(self.store, signal)

        with ThreadPoolExecutor(publishers) as pool:
            list(pool.map(run, range(total)))

    def consume(self, consumers: int) -> None:
        """Let the consumers work until every signal has taken effect; then those who dawdled."""
        wanted = {(agent, sid) for agent, sids in self.sent.items() for sid in sids}
        orderly, *others = self.agents
        crowd = [others[number % len(others)] for number in range(consumers - 1)]
        with ThreadPoolExecutor(consumers) as pool:
            working = [pool.submit(self._work, orderly, 0, 0.0)]
            working += [
                pool.submit(self._work, agent, number, 0.06)
                for number, agent in enumerate(crowd, 1)
            ]
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not wanted <= self.done and time.monotonic() < deadline:
                if any(worker.done() for worker in working):
                    break  # one has failed, and says why below
                time.sleep(0.05)
            self._over.set()
            for worker in working:
                worker.result()
        assert wanted <= self.done, f"{len(wanted - self.done)} signals never took effect"
        for agent_id, claimed in self._late:
            self._settle(agent_id, claimed)

    def _work(self, agent_id: str, number: int, mishap: float) -> None:
        draw = random.Random(f"{self.seed}-consumer-{number}")  # noqa: S311
        while not self._over.is_set():
            batch = claim(self.store, agent_id, 5, VISIBILITY, shuffle=draw.shuffle)
            if not batch:
                time.sleep(0.05)
            for claimed in batch:
                if claimed.attempt < 3 and draw.random() < mishap:
                    if draw.random() < 0.5:
                        self.killed += 1
                        break  # dies with whatever it holds; its successor goes on
                    self._late.append((agent_id, claimed))
                else:
                    self._settle(agent_id, claimed)
                if draw.random() < mishap:
                    route(self.store, claimed.signal)

    def _settle(self, agent_id: str, claimed: ClaimedSignal) -> None:
        sid = claimed.signal.signal_id
        also = [effect(agent_id, claimed)]
        try:
            self.acknowledge(self.store, agent_id, sid, claimed.fence, also=also)
        except ClaimExpiredError:
            self.refused += 1
            return
        with self._lock:
            self.done.add((agent_id, sid))
            if agent_id == self.agents[0]:
                self.order.append(sid)
