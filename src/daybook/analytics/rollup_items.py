"""Hourly rollups as items of long-term memory: one an agent and hour, with all types.

They have no expiry: statistics outlive the decisions that they were counted from.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from daybook.analytics.rollups import HourRollup
from daybook.store import MEMORY, Codec, Store, keys, pack, unpack
from daybook.store.attributes import Item
from daybook.store.expressions import between, equals

CODEC = Codec(version=1)
_VERSION = "version"


class StoredHour(NamedTuple):
    """A rollup as it stands: the hour's start, and the version of the head that wrote it."""

    start: datetime
    version: int
    rollup: HourRollup


def hour_item(store: Store, agent_id: str, hour: StoredHour) -> Item:
    """Return the item of an hour."""
    item = keys.hour(agent_id, hour.start) | {_VERSION: hour.version}
    return pack(store, CODEC, keys.memory_bodies(agent_id), item, hour.rollup.document)


def read_hours(
    store: Store, agent_id: str, first: datetime, last: datetime
) -> Iterator[StoredHour]:
    """Iterate the hours from the one that starts at `first` to that at `last`, in order.

    As they are now: one consistent Query, a request for every megabyte.
    """
    condition = equals("pk", agent_id) & between("sk", *keys.hour_range(first, last))
    for item in store.query(MEMORY, condition, consistent=True):
        yield _stored(store, item)


def fetch_hours(
    store: Store, agent_id: str, starts: Iterable[datetime]
) -> dict[datetime, HourRollup]:
    """Return the rollups of these hours that there are. One request for a hundred."""
    wanted = [keys.hour(agent_id, start) for start in starts]
    found = [_stored(store, item) for item in store.fetch(MEMORY, wanted)]
    return {hour.start: hour.rollup for hour in found}


def _stored(store: Store, item: Item) -> StoredHour:
    rollup = HourRollup.read(unpack(store, CODEC, item))
    return StoredHour(keys.hour_of(str(item["sk"])), int(item[_VERSION]), rollup)
