"""What the cost model says of the verbs is what the verbs take, to the unit."""

from collections.abc import Callable
from typing import Any

import pytest

from daybook import (
    AWSClientManager,
    CapacityMeter,
    DecisionLogger,
    DecisionType,
    MemoryManager,
)
from daybook.costs import capacity
from daybook.costs.capacity import Capacity
from daybook.memory.learning import LearningSettings
from daybook.progress.changed_states import changed_states, note_checkpointed, note_states
from daybook.progress.watched_agents import due_agents, note_caught_up, note_news
from daybook.signals import Directory, route
from daybook.signals.items import read_signal
from daybook.state import create_if_changed
from daybook.store import SIGNALS
from daybook.store.expressions import begins_with, equals
from tests.clocks import Clock
from tests.unit.costs.aws_meter import AwsMeter
from tests.unit.state.test_cost import noise
from tests.unit.test_recall_cost import make
from tests.unit.test_write_cost import ordinary

KIND = DecisionType.STRATEGY_SELECTION
SIZES = (0.5, 1, 4, 8, 64)
AGENTS = 50


def taken(memory: MemoryManager, do: Callable[[], Any]) -> Capacity:
    """Return what something takes, as AWS would bill it."""
    with AwsMeter(memory.store.dynamodb) as meter:
        do()
    return Capacity(meter.requests.total(), meter.write_units, meter.read_units)


def agent(manager: AWSClientManager, number: int = 1) -> MemoryManager:
    """Return the handle of an agent with an id as people give them."""
    return MemoryManager(f"btc-agent-{number:03d}", manager)


def log_decision(memory: MemoryManager, context: dict[str, object]) -> str:
    """Log a decision as a trading agent would."""
    return DecisionLogger(memory).log_strategy_selection(
        ["momentum", "mean_reversion", "stay_out"],
        {"momentum": 0.61, "mean_reversion": 0.2, "stay_out": 0.19},
        "momentum",
        context,
        0.7,
        rationale="the trend is intact",
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", SIZES)
def test_decisions_and_outcomes(memory: MemoryManager, size: float, seed: int) -> None:
    """A decision and its outcome, of ordinary JSON."""
    context = ordinary(int(size * 1024), seed)
    ids: list[str] = []
    logged = taken(memory, lambda: ids.append(log_decision(memory, context)))
    assert logged == capacity.log_decision(size)
    log = DecisionLogger(memory)
    told = taken(memory, lambda: log.log_outcome(ids[0], KIND, True, 0.53, 12.25))
    assert told == capacity.log_outcome(size)


def test_what_does_not_compress_takes_more(memory: MemoryManager) -> None:
    """The control: the figures are of ordinary JSON, and noise of the same size misses them."""
    logged = taken(memory, lambda: log_decision(memory, noise(8)))
    assert logged.write_units > capacity.log_decision(8).write_units


def test_recall(memory: MemoryManager) -> None:
    """As many patterns of a type as learning keeps up."""
    for number in range(capacity.PATTERNS):
        memory.store_pattern(make(memory, f"p{number}"))
    recalled = taken(memory, lambda: memory.recall(KIND, {"market": {"trend": "up"}}))
    assert recalled == capacity.recall()
    assert LearningSettings().most_patterns == capacity.PATTERNS


@pytest.mark.parametrize("size", SIZES)
def test_state(memory: MemoryManager, size: float) -> None:
    """Saved and loaded, of ordinary JSON."""
    first = memory.save_state(ordinary(int(size * 1024), 1))
    again = ordinary(int(size * 1024), 2)
    saved = taken(memory, lambda: memory.save_state(again, first.version))
    assert saved == capacity.save_state(size)
    assert taken(memory, memory.load_state) == capacity.load_state(size)


@pytest.mark.parametrize("size", SIZES)
def test_checkpoints(memory: MemoryManager, size: float) -> None:
    """What the worker does for a message, once as many are kept as there may be."""
    store, version, kept = memory.store, 0, memory.checkpoints_kept
    assert kept == capacity.CHECKPOINTS_KEPT
    states = [ordinary(int(size * 1024), seed) for seed in range(2)]
    for number in range(kept + 1):
        version = memory.save_state(states[number % 2], version).version
        if number < kept:
            create_if_changed(store, memory.agent_id, keep=kept)

    def keep() -> None:
        done = create_if_changed(store, memory.agent_id, keep=kept)
        note_checkpointed(store, memory.agent_id, done.version)

    assert taken(memory, keep) == capacity.automatic_checkpoint(size)


def test_dynamodb_local_bills_transactions_less(memory: MemoryManager) -> None:
    """Why transactions are priced from their items: DynamoDB Local would hide a third of them."""
    memory.save_state(ordinary(8 * 1024, 1))
    client = memory.store.dynamodb
    with AwsMeter(client) as aws, CapacityMeter(client) as local:
        create_if_changed(memory.store, memory.agent_id, keep=0)
    assert local.write_units < aws.write_units * 2 / 3


def test_signals(manager: AWSClientManager, clock: Clock) -> None:
    """A signal from one agent to another, through the router, among fifty."""
    desk = [agent(manager, number) for number in range(AGENTS)]
    for each in desk:
        each.register()
    clock.advance(seconds=10)
    sender, target = desk[:2]
    alert: dict[str, Any] = {"symbol": "BTC", "level": 3}

    def publish() -> None:
        sender.publish_signal("risk_alert", alert, [target.agent_id])

    assert taken(sender, publish) == capacity.publish_signal(AGENTS)
    mine = equals("pk", sender.agent_id) & begins_with("sk", "S#")
    (item,) = manager.store.query(SIGNALS, mine)
    signal = read_signal(manager.store, item)
    delivered = taken(sender, lambda: route(manager.store, signal, Directory()))
    assert delivered == capacity.deliver_signal()

    def settle() -> None:
        (claim,) = target.claim_signals()
        claim.ack()

    assert taken(target, settle) == capacity.ask_inbox() + capacity.settle_signal()
    # DynamoDB Local takes nothing for a query that finds nothing; AWS takes half a unit
    assert taken(target, target.claim_signals) == Capacity(1, 0, 0)
    assert taken(target, target.heartbeat) == capacity.heartbeat()


def test_the_watch_list(manager: AWSClientManager) -> None:
    """Noting that there is something, in the log or in the state; and a plan of fifty agents."""
    store = manager.store
    for number in range(AGENTS):
        agent_id = agent(manager, number).agent_id
        note_news(store, [agent_id])
        note_states(store, {agent_id: 2})
        note_checkpointed(store, agent_id, 1)
        note_caught_up(store, agent_id, store.clock())
    memory = agent(manager)
    one = memory.agent_id
    assert taken(memory, lambda: note_news(store, [one])) == capacity.note_news()
    assert taken(memory, lambda: note_states(store, {one: 3})) == capacity.note_news()
    assert taken(memory, lambda: list(due_agents(store))) == capacity.plan(AGENTS)
    assert taken(memory, lambda: list(changed_states(store))) == capacity.plan(AGENTS)
