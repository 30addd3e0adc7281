"""Counts the units that AWS bills: DynamoDB Local's count, but for transactions.

DynamoDB Local rounds a transaction's items together and bills a condition check as if its item
were small. AWS bills two write units a kilobyte of each item, of the larger of what stood and what
stands then; a check like a write of what stands. So a transaction is priced here from the items
themselves, read beside it, and index entries count twice, too, as DynamoDB Local has it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from daybook import AWSClientManager
from daybook.settings import Settings
from daybook.store.attributes import Item, from_wire, size, write_units
from daybook.store.capacity import READS, WRITES
from daybook.store.schema import TABLES, Index

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TRANSACTION = "TransactWriteItems"


@dataclass
class AwsMeter:
    """Counts a client's requests, and the units that AWS would bill for them.

    Tables may have any prefix. Reading beside the client is not counted.
    """

    client: "DynamoDBClient"
    requests: Counter[str] = field(default_factory=Counter)
    write_units: float = 0.0
    read_units: float = 0.0
    _before: list[tuple[dict[str, Any], Item]] = field(default_factory=list)

    def __post_init__(self) -> None:
        url = self.client.meta.endpoint_url
        self._beside = AWSClientManager(endpoint_url=url, settings=Settings()).dynamodb

    def __enter__(self) -> Self:
        events = self.client.meta.events
        events.register("provide-client-params.dynamodb", self._ask)
        events.register("after-call.dynamodb", self._count)
        return self

    def __exit__(self, *_: object) -> None:
        events = self.client.meta.events
        events.unregister("provide-client-params.dynamodb", self._ask)
        events.unregister("after-call.dynamodb", self._count)

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in WRITES | READS:
            params.setdefault("ReturnConsumedCapacity", "INDEXES")
        if model.name == _TRANSACTION:
            writes = [write for each in params["TransactItems"] for write in each.values()]
            self._before = [(write, self._standing(write)) for write in writes]

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.requests[model.name] += 1
        if model.name == _TRANSACTION:
            self.write_units += 2 * sum(self._units(*each) for each in self._before)
            return
        consumed = parsed.get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        units = sum(table.get("CapacityUnits", 0.0) for table in tables)
        if model.name in WRITES:
            self.write_units += units
        else:
            self.read_units += units

    def _standing(self, write: dict[str, Any]) -> Item:
        """Return the item that a part of a transaction is about; {} for none."""
        key = write.get("Key") or {name: write["Item"][name] for name in ("pk", "sk")}
        found = self._beside.get_item(
            TableName=write["TableName"], Key=key, ConsistentRead=True
        ).get("Item", {})
        return from_wire(found)

    def _units(self, write: dict[str, Any], before: Item) -> int:
        """Return the units of a part of a transaction that was made, before they are doubled."""
        after = self._standing(write)
        table = write_units(max(size(before), size(after)))
        (indexes,) = (t.indexes for t in TABLES if write["TableName"].endswith(t.name))
        return table + sum(_index_units(index, before, after) for index in indexes)


def _index_units(index: Index, before: Item, after: Item) -> int:
    """Return what keeping an index up takes: nothing if no entry changes."""
    was, becomes = entry(index, before), entry(index, after)
    if was == becomes:
        return 0
    moved = [name for name in (index.partition_key, index.sort_key) if was and becomes]
    if any(was[name] != becomes[name] for name in moved):
        return write_units(size(was)) + write_units(size(becomes))
    return write_units(max(size(was), size(becomes)))


def entry(index: Index, item: Item) -> Item:
    """Return an item's entry in an index; {} if it has none."""
    if index.partition_key not in item or index.sort_key not in item:
        return {}
    return {name: item[name] for name in _names(index) if name in item}


def _names(index: Index) -> Iterator[str]:
    yield from ("pk", "sk", index.partition_key, index.sort_key)
    yield from index.include
