"""The registry of who is there: what agents can do, what they listen to, their heartbeats."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from daybook.errors import (
    AccessDeniedError,
    AgentNotRegisteredError,
    BodyCorruptError,
    InvalidInputError,
)
from daybook.models import AgentCard
from daybook.models.identity import checked_agent_id, microseconds
from daybook.models.signals import AgentDescription
from daybook.signals import items
from daybook.store import SIGNALS, Store, keys
from daybook.store.expressions import equals, present
from daybook.store.requests import Update

FRESH_FOR = timedelta(seconds=3)
"""How long the list of who is there is taken for current by whoever has read it."""


@dataclass
class Directory:
    """Who is there, as read lately, so that not every signal reads it again. Thread-safe."""

    _cards: dict[str, AgentCard] = field(default_factory=dict)
    _read_at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def cards(self, store: Store) -> dict[str, AgentCard]:
        """Return every agent's card by its id; no request, or one for each megabyte."""
        # one reads for all who ask meanwhile
        with self._lock:
            read_at = self._read_at
            if read_at is None or abs(store.clock() - read_at) >= FRESH_FOR:
                self._cards = {card.agent_id: card for card in every_card(store)}
                self._read_at = store.clock()
            return self._cards

    def forget(self) -> None:
        """Read it anew next time. Waits for a reading under way: it may have missed something."""
        with self._lock:
            self._read_at = None


def register(
    store: Store, agent_id: str, capabilities: Sequence[str] = (), topics: Sequence[str] = ()
) -> AgentCard:
    """Enter an agent into the registry, or replace what it says of itself.

    One request, or two when it is there already: it keeps the time of its first registration.
    Raises InvalidInputError.
    """
    told = AgentDescription.checked(capabilities=capabilities, topics=topics)
    now = store.clock()
    card = AgentCard.checked(
        **dict(told), agent_id=checked_agent_id(agent_id), registered_at=now, heartbeat_at=now
    )
    standing = store.insert(SIGNALS, items.card_item(store, card))
    if standing is None:
        return card
    first = standing.get(items.REGISTERED_AT)
    item = items.card_item(store, card)
    if isinstance(first, int):
        item[items.REGISTERED_AT] = first
    store.put(SIGNALS, item)
    return items.read_card(store, item)


def heartbeat(store: Store, agent_id: str) -> AgentCard:
    """Note that an agent is alive. One request. Raises AgentNotRegisteredError."""
    update = Update(
        table=SIGNALS,
        key=keys.registration(checked_agent_id(agent_id)),
        condition=present(items.REGISTRY_KEY),
        values={items.HEARTBEAT_AT: microseconds(store.clock())},
    )
    done, item = store.revise(update)
    if not done:
        raise AgentNotRegisteredError(
            f"{agent_id!r} is not registered: register it before its heartbeats, with "
            "MemoryManager.register or MultiAgentCoordinator.register"
        )
    return items.read_card(store, item)


def unregister(store: Store, agent_id: str) -> None:
    """Take an agent out of the registry, whether or not it is in it. One request.

    What is delivered already stays, until it expires.
    """
    store.delete_all(SIGNALS, [keys.registration(checked_agent_id(agent_id))])


def list_agents(
    store: Store,
    alive_within: timedelta | float | None = None,
    capability: str | None = None,
    topic: str | None = None,
) -> list[AgentCard]:
    """Return who is there, in the order of their ids.

    `alive_within` (a timedelta or seconds) leaves out whoever has not been heard of for so
    long. One request for each megabyte, some 4,000 agents. Raises InvalidInputError.
    """
    since = store.clock() - _checked_span(alive_within) if alive_within is not None else None
    for name, word in (("capability", capability), ("topic", topic)):
        if word is not None and (not isinstance(word, str) or not word):
            raise InvalidInputError(f"{name} is {word!r:.60}: use a text")
    return [
        card
        for card in every_card(store)
        if (since is None or card.heartbeat_at >= since)
        and (capability is None or capability in card.capabilities)
        and (topic is None or topic in card.topics)
    ]


def every_card(store: Store) -> list[AgentCard]:
    """Return every registration that can be read: a damaged one does not hide the others."""
    index = SIGNALS.index("RegistryIndex")
    cards = []
    for item in store.query(SIGNALS, equals(items.REGISTRY_KEY, keys.REGISTRY), index=index):
        if item["sk"] != keys.registration(str(item["pk"]))["sk"]:
            continue
        try:
            cards.append(items.read_card(store, item))
        except BodyCorruptError:
            continue
    return cards


def unknown_among(
    store: Store, sender: str, targets: list[str], directory: Directory
) -> list[str]:
    """Return which of these agents are not registered.

    Whoever is not in the index, which lags behind, is looked up once more by key. A role that
    may not do that, as it is confined to its own partition, goes by the index.
    """
    known = directory.cards(store)
    missing = [target for target in targets if target not in known]
    own = [target for target in missing if target == sender]
    others = [target for target in missing if target != sender]
    found = {*_registered(store, own), *_registered(store, others)}
    return [target for target in missing if target not in found]


def _registered(store: Store, agent_ids: list[str]) -> set[str]:
    if not agent_ids:
        return set()
    try:
        found = store.fetch(SIGNALS, map(keys.registration, agent_ids))
    except AccessDeniedError:
        return set()
    return {str(item["pk"]) for item in found}


def _checked_span(span: timedelta | float) -> timedelta:
    if isinstance(span, timedelta):
        seconds = span.total_seconds()
    elif isinstance(span, bool) or not isinstance(span, int | float):
        raise InvalidInputError(f"alive_within is {span!r:.60}: use a timedelta, or seconds")
    else:
        seconds = span
    longest = timedelta(days=36_500).total_seconds()
    if not math.isfinite(seconds) or not 0 < seconds <= longest:
        raise InvalidInputError(f"alive_within is {span!r:.60}: use more than 0 seconds")
    return timedelta(seconds=seconds)
