"""What has arrived in an agent's log, in the order of arrival: outcomes and late marks.

`STMIndex` holds both. A decision that arrived on time is not in it: jobs find those by the
time at which they were made, which is the order of the log itself.
"""

import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from daybook.decisions import digests
from daybook.decisions.digests import OutcomeDigest
from daybook.models import DecisionId
from daybook.store import DECISIONS, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import at_least, equals

_FINGERPRINT_BYTES = 8


class Arrival(NamedTuple):
    """An outcome, or the mark of a decision that arrived late (then `outcome` is None).

    `arrived_at` is the writer's clock in microseconds since 1970; `uuid` the decision's.
    """

    arrived_at: int
    sort_key: str
    uuid: str
    outcome: OutcomeDigest | None

    @property
    def fingerprint(self) -> int:
        """64 bits that tell this arrival from any other of the agent.

        Taken from a hash: ids may come from outside, and must not be able to collide at will.
        """
        digest = hashlib.blake2b(self.sort_key.encode(), digest_size=_FINGERPRINT_BYTES)
        return int.from_bytes(digest.digest(), "big")

    def decision_id(self, agent_id: str) -> DecisionId:
        """Return the id of the decision that this is about."""
        return DecisionId(self.uuid, agent_id)


def read_arrivals(store: Store, agent_id: str, since: int) -> Iterator[Arrival]:
    """Iterate what has arrived since this moment (microseconds, included), oldest first.

    Arrivals of the same microsecond come in the order of their keys, so that every run sees
    the same order.
    """
    condition = equals("pk", agent_id) & at_least("arrived_at", since)
    index = DECISIONS.index("STMIndex")
    found = map(_arrival, store.query(DECISIONS, condition, index=index))
    for _, together in groupby(found, key=lambda arrival: arrival.arrived_at):
        yield from sorted(together)


def _arrival(item: Item) -> Arrival:
    sort_key = str(item["sk"])
    arrived_at = int(item["arrived_at"])
    if keys.is_late_mark(sort_key):
        return Arrival(arrived_at, sort_key, keys.marked_uuid(sort_key), None)
    outcome = digests.read_outcome(item)
    return Arrival(arrived_at, sort_key, outcome.uuid, outcome)
