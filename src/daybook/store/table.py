"""`Store`: the one seam to DynamoDB and S3.

Rooms speak to it in items (plain dicts) and conditions. Reads page themselves, never scan,
and never return an item that has expired but that DynamoDB has not removed yet.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from daybook.errors import ThrottledError
from daybook.store import batching, prepared, requests
from daybook.store.attributes import Item, Value, from_wire, to_wire
from daybook.store.batching import Backoff
from daybook.store.expressions import Condition, absent, equals
from daybook.store.faults import ConditionFailedError, told_as_ours
from daybook.store.requests import Update, Write
from daybook.store.schema import PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE, Index, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


Answer = TypeVar("Answer")

FETCHES_AT_ONCE = 4
"""Requests for items by their keys that are under way at once."""

LARGEST_PAGE = 1000
"""Items asked for at once when a page has a size at all; DynamoDB ends it at 1 MB anyway."""


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


class Revised(NamedTuple):
    """What became of a revision: whether it was made, and the item after it."""

    done: bool
    item: Item


@dataclass(frozen=True, kw_only=True)
class Store:
    """Tables and a bucket, as the rooms see them.

    `dynamodb` is anything with the interface of boto3's client (DAX, say). `s3` makes the
    client only when a body is too large for an item. `retention` is how long items live;
    None keeps them for ever.
    """

    dynamodb: "DynamoDBClient"
    s3: "Callable[[], S3Client]"
    prefix: str = ""
    bucket: str | None = None
    retention: timedelta | None = None
    clock: Callable[[], datetime] = utc_now
    backoff: Backoff = field(default_factory=Backoff)

    def name_of(self, table: Table) -> str:
        """Return the table's name in AWS."""
        return f"{self.prefix}{table.name}"

    def expiry(self, arrived_at: datetime) -> dict[str, Value]:
        """Return the attribute that ends the life of an item that arrived at this moment."""
        if self.retention is None:
            return {}
        return {TTL_ATTRIBUTE: int((arrived_at + self.retention).timestamp())}

    def is_live(self, item: Mapping[str, Value]) -> bool:
        """Whether an item has not expired."""
        expires_at = item.get(TTL_ATTRIBUTE)
        return not isinstance(expires_at, int) or expires_at > self.clock().timestamp()

    def put(self, table: Table, item: Item) -> None:
        """Write an item, whatever was there. One request."""
        name = self.name_of(table)
        with told_as_ours(f"writing to {name}"):
            self.dynamodb.put_item(**requests.put(name, item))

    def insert(self, table: Table, item: Item) -> Item | None:
        """Write an item where none is. One request.

        Returns None when it was written, or else the item that stands, so that the caller
        can tell a repeat (also one of botocore's own, after a lost answer) from a conflict.
        An expired item that DynamoDB has not removed yet is replaced, with a second request.
        """
        standing = self.replace(table, item, absent(PARTITION_KEY))
        if standing is not None and not self.is_live(standing):
            still_there = equals(TTL_ATTRIBUTE, standing[TTL_ATTRIBUTE])
            standing = self.replace(table, item, still_there)
        return standing

    def replace(self, table: Table, item: Item, condition: Condition) -> Item | None:
        """Write an item if what stands there meets the condition. One request.

        Returns None when it was written, or else the item that stands ({} for none): perhaps
        this very item, written by a try whose answer was lost.
        """
        name = self.name_of(table)
        try:
            with told_as_ours(f"writing to {name}"):
                self.dynamodb.put_item(**requests.put(name, item, condition))
        except ConditionFailedError as refusal:
            key = {PARTITION_KEY: item[PARTITION_KEY], SORT_KEY: item[SORT_KEY]}
            return self._standing(refusal, table, key)
        return None

    def exchange(self, table: Table, item: Item) -> Item:
        """Write an item, and return the one that was there; {} for none. One request."""
        name = self.name_of(table)
        request = requests.put(name, item) | {"ReturnValues": "ALL_OLD"}
        with told_as_ours(f"writing to {name}"):
            return from_wire(self.dynamodb.put_item(**request).get("Attributes", {}))

    def update(self, table: Table, key: Item, values: Item) -> None:
        """Set attributes of an item and leave its others; make it if it is not there."""
        with told_as_ours(f"writing to {self.name_of(table)}"):
            change = Update(table=table, key=key, values=values)
            self.dynamodb.update_item(**requests.update(self.prefix, change))

    def change(self, update: Update) -> Item | None:
        """Change an item if it meets the update's condition. One request.

        Returns None when it was changed, or else the item that stands ({} for none): perhaps
        as a try of ours left it, whose answer was lost. Contention with a transaction is tried
        again; it ends in ThrottledError.
        """
        done, standing = self._updated(update)
        return None if done else standing

    def revise(self, update: Update) -> Revised:
        """Change an item as `change` does; also tell what it is like afterwards.

        Returns whether it was changed, and the item: as it is now, or as it stands ({} for none).
        """
        return self._updated(update, ReturnValues="ALL_NEW")

    def _updated(self, update: Update, **also: str) -> Revised:
        request = requests.update(self.prefix, update) | also
        try:
            answer = self._patiently(
                f"writing to {self.name_of(update.table)}",
                lambda: self.dynamodb.update_item(**request),
            )
        except ConditionFailedError as refusal:
            return Revised(False, self._standing(refusal, update.table, update.key))
        return Revised(True, from_wire(answer.get("Attributes", {})))

    def _standing(self, refusal: ConditionFailedError, table: Table, key: Item) -> Item:
        """Return the item that did not meet a write's condition; {} for none."""
        if refusal.standing:
            return from_wire(refusal.standing)
        # there is none, or a client does not tell (DAX, an emulator): look
        return self.get(table, key) or {}

    def transact(self, writes: Sequence[Write]) -> bool:
        """Write all of these or none; DynamoDB takes at most 100. One request.

        Returns False when a condition did not hold, which may be because a try whose answer
        was lost had already written. Contention is tried again; it ends in ThrottledError.
        """
        request = requests.transaction(self.prefix, writes)
        try:
            self._patiently(
                "writing a transaction", lambda: self.dynamodb.transact_write_items(**request)
            )
        except ConditionFailedError:
            return False
        return True

    def _patiently(self, action: str, send: Callable[[], Answer]) -> Answer:
        """Send a request, again while others are in its way."""
        for _ in self.backoff.attempts():
            try:
                with told_as_ours(action):
                    return send()
            except ThrottledError as fault:
                throttled = fault
        raise throttled

    def get(self, table: Table, key: Item) -> Item | None:
        """Return the live item of this key as it is now, or None. One request."""
        name = self.name_of(table)
        with told_as_ours(f"reading from {name}"):
            answer = self.dynamodb.get_item(TableName=name, Key=to_wire(key), ConsistentRead=True)
        item = from_wire(answer.get("Item", {}))
        return item if item and self.is_live(item) else None

    def query(
        self,
        table: Table,
        condition: Condition,
        *,
        index: Index | None = None,
        newest_first: bool = False,
        consistent: bool = False,
        page_size: int | None = None,
        expired: bool = False,
    ) -> Iterator[Item]:
        """Iterate the live items under a key condition, asking for pages as they are needed.

        With `expired`, also those that have expired and are still there.

        `page_size` is how many items are probably wanted: the first page is no larger, the
        next ones grow, so that what was wanted little costs little and the rest few requests.
        """
        name = self.name_of(table)
        parameters = requests.query(
            name,
            condition,
            index=index.name if index else None,
            forward=not newest_first,
            consistent=consistent,
            page_size=min(page_size, LARGEST_PAGE) if page_size else None,
        )
        while True:
            with told_as_ours(f"querying {name}"):
                page = self.dynamodb.query(**parameters)
            for wire in page["Items"]:
                item = from_wire(wire)
                if expired or self.is_live(item):
                    yield item
            if "LastEvaluatedKey" not in page:
                return
            parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]
            if "Limit" in parameters:
                parameters["Limit"] = min(parameters["Limit"] * 4, LARGEST_PAGE)

    def fetch(self, table: Table, keys: Iterable[Item], *, consistent: bool = True) -> list[Item]:
        """Return the live items of these keys, in no order; missing ones are left out.

        One request for every hundred, several at once. Consistent unless told: what an index has
        named must not be missed on a replica that lags behind it. Otherwise it costs half.
        """
        name = self.name_of(table)

        def send(request: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
            with told_as_ours(f"reading from {name}"):
                answer = self.dynamodb.batch_get_item(RequestItems=request)
            return answer["Responses"].get(name, []), dict(answer.get("UnprocessedKeys", {}))

        def read(run: Sequence[Item]) -> list[Any]:
            return batching.drain(
                send, requests.batch_get(name, run, consistent=consistent), self.backoff
            )

        runs = list(batching.cut(list(keys), batching.GET_LIMIT))
        if len(runs) == 1:
            wires = [read(runs[0])]
        else:
            # most of the time is spent waiting, so several are under way at once
            with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
                wires = list(pool.map(read, runs))
        return [item for wire in chain(*wires) if self.is_live(item := from_wire(wire))]

    def put_all(self, table: Table, items: Sequence[Item]) -> None:
        """Write items, 25 to a request, whatever was there. Keys must differ.

        Raises UnfinishedBatchError when DynamoDB keeps leaving some undone.
        """
        for run in batching.cut(items, batching.WRITE_LIMIT):
            self._write_batch(requests.batch_write(self.name_of(table), run))

    def put_prepared(self, table: Table, items: Sequence[bytes]) -> None:
        """Write up to 25 prepared items, whatever was there. One request. Keys must differ.

        Raises UnfinishedBatchError when DynamoDB keeps leaving some undone.
        """
        name = self.name_of(table)
        with prepared.sending(self.dynamodb, items) as is_filled:
            if not is_filled:
                self.put_all(table, [prepared.read_prepared(item) for item in items])
                return
            with told_as_ours(f"writing to {name}"):
                answer = self.dynamodb.batch_write_item(RequestItems={name: []})
        if left := dict(answer.get("UnprocessedItems", {})):
            self.backoff.pause(0)
            self._write_batch(left)

    def delete_all(self, table: Table, keys: Sequence[Item]) -> None:
        """Delete the items of these keys, 25 to a request, whether or not they are there."""
        for run in batching.cut(keys, batching.WRITE_LIMIT):
            self._write_batch(requests.batch_delete(self.name_of(table), run))

    def _write_batch(self, request: dict[str, Any]) -> None:
        def send(request: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
            with told_as_ours(f"writing to {' and '.join(request)}"):
                answer = self.dynamodb.batch_write_item(RequestItems=request)
            return [], dict(answer.get("UnprocessedItems", {}))

        batching.drain(send, request, self.backoff)
