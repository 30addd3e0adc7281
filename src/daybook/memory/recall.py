"""Recall: the patterns that apply to a context, an agent's own and those shared with it.

One query finds both, because every live pattern is in `SharedPatternIndex` under its owner
and every share under its recipient. A share only points to a pattern; what it says, and
whether it is still shared, is read from the owner's memory, where nobody else can write.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from daybook.errors import (
    AccessDeniedError,
    BodyCorruptError,
    BodyMissingError,
    InvalidInputError,
)
from daybook.memory import pattern_items, ranking
from daybook.memory.patterns import by_confidence
from daybook.memory.ranking import Recollection
from daybook.models import DecisionContext, DecisionType, MemoryPattern
from daybook.models.decisions import checked_decision_type
from daybook.models.json_values import checked_json
from daybook.store import MEMORY, Store, keys
from daybook.store.attributes import Item, Value
from daybook.store.expressions import Condition, begins_with, equals

FRESH_FOR = timedelta(seconds=60)
"""How long the content of a pattern that another agent shares is taken for current."""

Address = tuple[Value, Value]


@dataclass
class Acquaintances:
    """Patterns of others that were verified lately, so that recall need not read them again.

    Whether a pattern is still shared is asked each time; only its content is kept. Safe to
    use from several threads.
    """

    _known: dict[Address, tuple[datetime, MemoryPattern]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self, address: Address, now: datetime) -> MemoryPattern | None:
        """Return the pattern at this address if it was read lately."""
        with self._lock:
            read_at, pattern = self._known.get(address, (None, None))
        return pattern if read_at and now - read_at < FRESH_FOR else None

    def learn(self, patterns: Mapping[Address, MemoryPattern], now: datetime) -> None:
        """Keep these, and forget what is old."""
        with self._lock:
            fresh = {a: kept for a, kept in self._known.items() if now - kept[0] < FRESH_FOR}
            self._known = fresh | {address: (now, one) for address, one in patterns.items()}


def recall(
    store: Store,
    agent_id: str,
    decision_type: DecisionType | str,
    context: Mapping[str, Any] | DecisionContext | None,
    limit: int = 5,
    known: Acquaintances | None = None,
) -> list[Recollection]:
    """Return the patterns that apply to this context, best first, with why they apply.

    One request; two when a pattern of another agent was not read in the last minute. Patterns
    are small: a hundred of a type are about 30 read units. Raises InvalidInputError.
    """
    kind = checked_decision_type(decision_type)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise InvalidInputError(f"limit is {limit!r}: use a whole number from 1")
    if isinstance(context, DecisionContext):
        context = context.as_dict()
    if context is not None and not isinstance(context, Mapping):
        raise InvalidInputError(f"context is a {type(context).__name__}: use a dict")
    try:
        seen = checked_json(context or {})
    except ValueError as fault:
        raise InvalidInputError(f"context: {fault}", [("context", str(fault))]) from None
    condition = equals("recipient_key", agent_id) & begins_with(
        "recall_key", keys.recall_key(kind)
    )
    own, shares = _found(store, agent_id, condition)
    shared = _verified(store, agent_id, shares, known or Acquaintances())
    patterns = [pattern for pattern in own + shared if pattern.decision_type == kind]
    return ranking.rank(patterns, seen, now=store.clock(), limit=limit, agent_id=agent_id)


def shared_patterns(store: Store, agent_id: str) -> list[MemoryPattern]:
    """Return the patterns of others that are shared with this agent, the most confident first.

    Two requests, and one more for every hundred patterns.
    """
    own_or_shared = equals("recipient_key", agent_id)
    _, shares = _found(store, agent_id, own_or_shared)
    return sorted(_verified(store, agent_id, shares, Acquaintances()), key=by_confidence)


def _found(
    store: Store, agent_id: str, condition: Condition
) -> tuple[list[MemoryPattern], list[Item]]:
    """Return the agent's own patterns, and the shares that name it."""
    index = MEMORY.index("SharedPatternIndex")
    found = list(store.query(MEMORY, condition, index=index))
    own = [item for item in found if item["pk"] == agent_id]
    shares = [i for i in found if i["pk"] != agent_id and keys.is_share(str(i["sk"]))]
    patterns = [i for i in own if not keys.is_share(str(i["sk"]))]
    return [pattern_items.read_pattern(store, item) for item in patterns], shares


def _verified(
    store: Store, agent_id: str, shares: list[Item], known: Acquaintances
) -> list[MemoryPattern]:
    """Return the patterns that their owners do share with this agent."""
    now = store.clock()
    wanted = {(key["pk"], key["sk"]): key for key in map(keys.shared_pattern, shares)}
    remembered = {address: known.get(address, now) for address in wanted}
    unknown = [wanted[address] for address, pattern in remembered.items() if pattern is None]
    read: dict[Address, MemoryPattern] = {}
    items: list[Item] = []
    # a role that is confined to its agent's own memory finds what is its own
    with suppress(AccessDeniedError):
        items = store.fetch(MEMORY, unknown) if unknown else []
    for item in items:
        pattern = _genuine(store, item, agent_id)
        if pattern is not None:
            read[item["pk"], item["sk"]] = pattern
    known.learn(read, now)
    return [
        pattern
        for address in wanted
        if (pattern := remembered[address] or read.get(address)) is not None
    ]


def _genuine(store: Store, item: Item, agent_id: str) -> MemoryPattern | None:
    """Return the pattern if it is its owner's, live, and shared with this agent.

    One that is damaged, forged, or without its body does not keep the others from being found.
    """
    try:
        pattern = pattern_items.read_pattern(store, item)
    except (AccessDeniedError, BodyCorruptError, BodyMissingError):
        return None
    shared = agent_id in pattern.shared_with and pattern.retired_at is None
    return pattern if shared else None
