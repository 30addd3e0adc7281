"""Who has told whom how often by signals, and was acted on: read from the senders' own indexes."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain

from daybook.errors import BodyCorruptError, InvalidInputError
from daybook.models import AgentSignal, SignalStatus
from daybook.models.collaboration import CollaborationGraph, Exchange, summed
from daybook.models.identity import aware, checked_agent_id
from daybook.models.signal_ids import SignalId
from daybook.signals import items
from daybook.signals.status import read_deliveries
from daybook.store import SIGNALS, Store, keys
from daybook.store.expressions import begins_with, equals

READS_AT_ONCE = 4
"""Signals whose deliveries are being read at once."""


def read_collaboration(
    store: Store,
    agents: Iterable[str],
    since: datetime | None = None,
    until: datetime | None = None,
) -> CollaborationGraph:
    """Return the exchanges of signals that these agents have sent, made since then, until then.

    `since` is inclusive, `until` exclusive, and without one there is no bound; but a signal is
    gone after 24 hours at most, so nothing is known of earlier ones. Each delivery counts once,
    and was acted on if it was acknowledged; one that waits, is claimed or died was not (yet).
    What an agent told itself is left out, and so is what cannot be read.

    A request for each megabyte of signals that an agent has sent within a day, and one for each
    signal in the window, by `SentIndex`, which follows within a second or so. Nothing is scanned,
    and only the senders' own partitions are read.

    Raises InvalidInputError for a window that ends before it begins or has no time zone, and
    InvalidAgentIdError.
    """
    senders = _checked_agents(agents)
    first = None if since is None else aware(since, "since")
    last = None if until is None else aware(until, "until")
    if first is not None and last is not None and first > last:
        raise InvalidInputError(
            f"since is {first.isoformat()} and until {last.isoformat()}: the window ends before "
            "it begins"
        )
    # their ids alone: all that is to be read waits in memory
    sent = (
        SignalId.parse(signal.signal_id)
        for sender in senders
        for signal in _sent_by(store, sender)
        if (first is None or first <= signal.created_at)
        and (last is None or signal.created_at < last)
    )
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        exchanges = pool.map(lambda own: _exchanges(store, own), sent)
        return summed(chain.from_iterable(exchanges), senders)


def _checked_agents(agents: Iterable[str]) -> list[str]:
    if isinstance(agents, str) or not isinstance(agents, Iterable):
        raise InvalidInputError(f"agents is {agents!r:.80}: use a list of agents' ids")
    return sorted({checked_agent_id(agent_id) for agent_id in agents})


def _sent_by(store: Store, sender: str) -> Iterator[AgentSignal]:
    mine = equals("pk", sender) & begins_with("sk", keys.ROUTED)
    for item in store.query(SIGNALS, mine):
        try:
            yield items.read_signal(store, item)
        except BodyCorruptError:
            continue  # it was delivered to nobody, either


def _exchanges(store: Store, own: SignalId) -> list[Exchange]:
    return [
        Exchange(
            sender=own.sender,
            target=delivery.agent_id,
            sent=1,
            acted_on=int(delivery.status == SignalStatus.PROCESSED),
        )
        for delivery in read_deliveries(store, own)
        if delivery.agent_id != own.sender
    ]
