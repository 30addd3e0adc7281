"""The watch list: which agents have something that consolidation has not dealt with.

One item an agent, in a partition of their own, with attributes that two different writers
set. Whoever follows the log's stream sets `news_at`, and the worker `caught_up_to`. Neither
ever overwrites the other's, whether an agent is due follows from both, and a doubt ends in a
run that finds nothing to do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from daybook.models.identity import CLOCK_SKEW, microseconds
from daybook.progress.positions import LAG
from daybook.store import MEMORY, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import equals
from daybook.store.schema import TTL_ATTRIBUTE

_MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1) // _MICROSECOND
_DAY = timedelta(days=1) // _MICROSECOND
_MARGIN = CLOCK_SKEW // _MICROSECOND
_FOR_EVER = timedelta(days=36_500)


@dataclass(frozen=True, kw_only=True)
class WatchedAgent:
    """An agent in the watch list; all times are microseconds since 1970, and 0 is never.

    `news_at` is when something last arrived, as the follower of the stream saw it;
    `waiting_since` when the first did after everything had been dealt with. Whatever arrived
    before `caught_up_to` has been dealt with, but for what is to be done at `look_again_at`.
    """

    agent_id: str
    news_at: int = 0
    waiting_since: int = 0
    caught_up_to: int = 0
    look_again_at: int = 0

    def is_due(self, now: datetime) -> bool:
        """Whether a run would find something to do, or might.

        It would after news; and when the hour of the last news has closed, to roll it up; and
        when its day has closed, to archive it; and when an archived day is to be written anew,
        because something came to it or could not be read. Then no more, until there is news.
        """
        closed = microseconds(now - LAG)
        if 0 < self.look_again_at <= closed:
            return True
        if not self.news_at:
            return False
        # A decision may claim to be made this much later than it arrived. The same margin is
        # why it does no harm when a belated write takes `news_at` back by a minute.
        latest = self.news_at + _MARGIN
        # an hour stays open for a few minutes, within the same margin
        ends = [_end(latest, length) + _MARGIN for length in (_HOUR, _DAY)]
        return self.caught_up_to < latest or any(self.caught_up_to < end <= closed for end in ends)

    def waiting(self, now: datetime) -> timedelta:
        """Return how long the oldest news has been waiting to be dealt with."""
        if not self.is_unlearned:
            return timedelta()
        since = max(self.waiting_since, self.caught_up_to)
        return max(timedelta(), (microseconds(now) - since) * _MICROSECOND)

    @property
    def is_unlearned(self) -> bool:
        """Whether something may have arrived that no run has seen."""
        return self.caught_up_to <= self.news_at


def note_news(store: Store, agent_ids: Iterable[str]) -> None:
    """Write down that something has arrived in the logs of these agents.

    Two requests for one agent, and one more for each further one. Safe to repeat.

    The time is this clock's rather than that of the arrivals: a write that was held up on its
    way can then set an agent back by no more than it was held up, which `is_due` allows for.
    """
    asked = sorted(set(agent_ids))
    found = store.fetch(MEMORY, map(keys.watched_agent, asked))
    known = {agent.agent_id: agent for agent in map(_agent, found)}
    for agent_id in asked:
        agent = known.get(agent_id, WatchedAgent(agent_id=agent_id))
        now = max(agent.news_at, microseconds(store.clock()))
        values: Item = {"news_at": now} | expiry(store)
        if not agent.waiting_since or not agent.is_unlearned:
            values["waiting_since"] = now
        store.update(MEMORY, keys.watched_agent(agent_id), values)


def note_caught_up(
    store: Store, agent_id: str, moment: datetime, look_again_at: datetime | None = None
) -> None:
    """Write down that whatever arrived before this moment has been dealt with. One request.

    All but what is to be done at `look_again_at`.
    """
    again = microseconds(look_again_at) if look_again_at else 0
    values: Item = {"caught_up_to": microseconds(moment), "look_again_at": again}
    values |= expiry(store)
    store.update(MEMORY, keys.watched_agent(agent_id), values)


def due_agents(store: Store, now: datetime | None = None) -> Iterator[WatchedAgent]:
    """Iterate the agents that a run should look after, in the order of their ids.

    One request for each megabyte of the watch list, about 8,000 agents.
    """
    moment = now or store.clock()
    found = store.query(MEMORY, equals("pk", keys.WATCHED), consistent=True)
    return (agent for agent in map(_agent, found) if agent.is_due(moment))


def _end(moment: int, length: int) -> int:
    """Return the end of the hour or day of a moment."""
    return (moment // length + 1) * length


def _agent(item: Item) -> WatchedAgent:
    return WatchedAgent(
        agent_id=str(item["sk"]),
        news_at=int(item.get("news_at", 0)),
        waiting_since=int(item.get("waiting_since", 0)),
        caught_up_to=int(item.get("caught_up_to", 0)),
        look_again_at=int(item.get("look_again_at", 0)),
    )


def expiry(store: Store) -> Item:
    """Return when the agent leaves the watch list: by then everything in its log has expired.

    Always a time, as an update can set an earlier one anew and cannot remove it.
    """
    return {TTL_ATTRIBUTE: int((store.clock() + (store.retention or _FOR_EVER)).timestamp())}
