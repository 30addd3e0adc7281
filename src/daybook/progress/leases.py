"""The lease on an agent: who consolidates it now, so that others need not try.

It saves work; what keeps the results right is the fencing token. Each holder has a higher
one, and every transaction of the job checks it, so a holder that was taken for dead and
comes back can write nothing any more (Kleppmann, "How to do distributed locking", 2016).
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from daybook.errors import ConsolidationBusyError, OvertakenError, StorageError
from daybook.models.identity import microseconds
from daybook.store import MEMORY, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import absent, equals
from daybook.store.requests import Check

LENGTH = timedelta(seconds=60)
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Lease:
    """A held lease. `fence` is the fencing token, `until` the end in microseconds.

    `inherited` says that the holder before did not end well: it died, failed, or was too slow,
    and may have left something behind.
    """

    store: Store
    agent_id: str
    owner: str
    fence: int
    until: int
    inherited: bool = False

    @property
    def check(self) -> Check:
        """What every transaction of the holder has to include."""
        key = keys.lease(self.agent_id)
        return Check(table=MEMORY, key=key, condition=equals("fence", self.fence))

    def renewed(self) -> "Lease":
        """Return the lease, prolonged if half of it has passed. Raises OvertakenError."""
        now = self.store.clock()
        if microseconds(now + LENGTH / 2) < self.until:
            return self
        longer = replace(self, until=microseconds(now + LENGTH))
        standing = self.store.replace(MEMORY, _item(longer), equals("fence", self.fence))
        if standing is not None:
            raise OvertakenError(
                f"the lease on {self.agent_id} was taken over: this worker had held it longer "
                f"than {LENGTH.total_seconds():.0f} seconds without prolonging it"
            )
        return longer


@contextmanager
def leased(
    store: Store,
    agent_id: str,
    *,
    wait: timedelta = timedelta(),
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Lease]:
    """Hold the lease on an agent.

    Somebody else's is waited for, up to `wait`; one that stands unchanged for its whole length
    by our own watch is taken over, whatever the clocks say. Raises ConsolidationBusyError.
    """
    lease = _taken(store, agent_id, wait, sleep)
    owner = lease.owner
    try:
        yield lease
        owner = ""
    finally:
        # gone with its holder anyway in a minute; never hide why the work failed
        with suppress(StorageError):
            ended = replace(lease, owner=owner, until=0)
            store.replace(MEMORY, _item(ended), equals("fence", lease.fence))


def _taken(store: Store, agent_id: str, wait: timedelta, sleep: Callable[[float], None]) -> Lease:
    owner = secrets.token_hex(8)
    standing = store.get(MEMORY, keys.lease(agent_id)) or {}
    waited, unchanged = 0.0, 0.0
    while True:
        now = microseconds(store.clock())
        free = int(standing.get("until", 0)) <= now or unchanged >= LENGTH.total_seconds()
        if free:
            fence = int(standing.get("fence", 0))
            until = now + LENGTH // timedelta(microseconds=1)
            abandoned = bool(standing.get("owner"))
            lease = Lease(store, agent_id, owner, fence + 1, until, abandoned)
            unmoved = equals("fence", fence) if standing else absent("pk")
            winner = store.replace(MEMORY, _item(lease), unmoved)
            if winner is None or winner.get("owner") == owner:
                return lease
            standing, unchanged = winner, 0.0
            continue
        if waited >= wait.total_seconds():
            raise ConsolidationBusyError(
                f"another consolidation of {agent_id} is under way; it holds the lease for up to "
                f"{(int(standing['until']) - now) / 1e6:.0f} seconds more. Try again later"
            )
        sleep(POLL_SECONDS)
        waited, unchanged = waited + POLL_SECONDS, unchanged + POLL_SECONDS
        seen = store.get(MEMORY, keys.lease(agent_id)) or {}
        if seen != standing:
            standing, unchanged = seen, 0.0


def _item(lease: Lease) -> Item:
    return keys.lease(lease.agent_id) | {
        "fence": lease.fence,
        "owner": lease.owner,
        "until": lease.until,
    }
