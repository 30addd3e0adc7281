"""Routing: from a signal to a delivery in the partition of each of its targets.

Each delivery is written where none is. So a signal can be routed again, by whomever and as
often as need be: whoever has it keeps it, as far as they have got with it.
"""

from concurrent.futures import ThreadPoolExecutor

from daybook.errors import SignalNotFoundError
from daybook.models import AgentSignal
from daybook.models.signal_ids import SignalId
from daybook.signals import items
from daybook.signals.registry import Directory
from daybook.store import SIGNALS, Store, keys
from daybook.store.attributes import Item

DELIVERIES_AT_ONCE = 4
"""Deliveries of one signal that are being written at once."""


def recipients(store: Store, signal: AgentSignal, directory: Directory) -> list[str]:
    """Return whom a signal is for: the named, a topic's subscribers, or everybody.

    Its sender is among them only when it is named.
    """
    if signal.targets is not None:
        return signal.targets
    return [
        card.agent_id
        for card in directory.cards(store).values()
        if card.agent_id != signal.sender and (signal.topic is None or signal.topic in card.topics)
    ]


def route(store: Store, signal: AgentSignal, directory: Directory | None = None) -> list[str]:
    """Deliver a signal to each of its targets that does not have it; return all targets.

    A request for each target, and one for the registry unless the targets are named. A signal
    that has expired is delivered to nobody.
    """
    if signal.expires_at <= store.clock():
        return []
    targets = recipients(store, signal, directory or Directory())
    _deliver(store, items.delivery_items(store, signal, targets))
    return targets


def get_signal(store: Store, signal_id: str) -> AgentSignal:
    """Return a signal as it was published. One request. Raises SignalNotFoundError."""
    own = SignalId.parse(signal_id)
    item = store.get(SIGNALS, keys.signal(own))
    if item is None:
        raise SignalNotFoundError(
            f"no signal {own} is published, or it has expired: publish it anew"
        )
    return items.read_signal(store, item)


def _deliver(store: Store, deliveries: list[Item]) -> None:
    def insert(delivery: Item) -> None:
        store.insert(SIGNALS, delivery)

    if len(deliveries) == 1:
        insert(deliveries[0])
        return
    with ThreadPoolExecutor(DELIVERIES_AT_ONCE) as pool:
        list(pool.map(insert, deliveries))
