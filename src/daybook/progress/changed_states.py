"""The watch list's other half: which agents have state that the schedule has not kept yet.

The same item an agent as in `watched_agents`, with attributes of its own. Whoever follows the
stream of states sets `state_version`, and the worker `checkpointed_version`. Versions only grow,
so what is due follows from two numbers, whatever the clocks say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from daybook.models.identity import microseconds
from daybook.progress.watched_agents import expiry
from daybook.store import MEMORY, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import absent_or_less_than, equals
from daybook.store.requests import Update

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class ChangedState:
    """An agent's state as the watch list knows it; times are microseconds since 1970.

    `version` is the last one that was seen, and `checkpointed` the last one that was kept;
    `waiting_since` when the first after that was seen.
    """

    agent_id: str
    version: int = 0
    checkpointed: int = 0
    waiting_since: int = 0

    @property
    def is_due(self) -> bool:
        """Whether there is a version that has not been kept."""
        return self.version > self.checkpointed

    def waiting(self, now: datetime) -> timedelta:
        """Return how long the first version that has not been kept has waited."""
        if not self.is_due:
            return timedelta()
        return max(timedelta(), (microseconds(now) - self.waiting_since) * _MICROSECOND)


def note_states(store: Store, versions: Mapping[str, int]) -> None:
    """Write down that the states of these agents have come to these versions.

    Two requests for one agent, and one more for each further one. Safe to repeat, and in any
    order: an earlier version changes nothing.
    """
    found = store.fetch(MEMORY, map(keys.watched_agent, sorted(versions)))
    known = {state.agent_id: state for state in map(_state, found)}
    for agent_id, version in sorted(versions.items()):
        now = microseconds(store.clock())
        before = known.get(agent_id, ChangedState(agent_id=agent_id))
        values: Item = {"state_version": version, "state_changed_at": now}
        if not before.is_due:
            values["state_waiting_since"] = now
        store.change(
            Update(
                table=MEMORY,
                key=keys.watched_agent(agent_id),
                values=values | expiry(store),
                condition=absent_or_less_than("state_version", version),
            )
        )


def note_checkpointed(store: Store, agent_id: str, version: int) -> None:
    """Write down that this version has a checkpoint. One request; safe in any order."""
    now = microseconds(store.clock())
    values: Item = {"checkpointed_version": version, "checkpointed_at": now}
    store.change(
        Update(
            table=MEMORY,
            key=keys.watched_agent(agent_id),
            values=values | {"state_waiting_since": now} | expiry(store),
            condition=absent_or_less_than("checkpointed_version", version),
        )
    )


def changed_states(store: Store) -> Iterator[ChangedState]:
    """Iterate the states that have not been kept, in the order of their agents' ids.

    One request for each megabyte of the watch list, some 5,000 agents.
    """
    found = store.query(MEMORY, equals("pk", keys.WATCHED), consistent=True)
    return (state for state in map(_state, found) if state.is_due)


def _state(item: Item) -> ChangedState:
    return ChangedState(
        agent_id=str(item["sk"]),
        version=int(item.get("state_version", 0)),
        checkpointed=int(item.get("checkpointed_version", 0)),
        waiting_since=int(item.get("state_waiting_since", 0)),
    )
