"""What requests cost: counts them, and the capacity that DynamoDB says it consumed."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})


@dataclass
class CapacityMeter:
    """Counts a client's requests by operation, and the units they consume, indexes included.

        with CapacityMeter(client_manager.dynamodb) as meter:
            log.log_decision(...)
        meter.write_units, meter.requests["PutItem"]

    A write refused by its condition counts as a request but not in units, although AWS bills
    it: DynamoDB's refusal does not say what it consumed. It asks for
    `ReturnConsumedCapacity=INDEXES`, which costs nothing. Safe to use
    from several threads; it counts all of the client's requests while it is open.
    """

    client: "DynamoDBClient"
    requests: Counter[str] = field(default_factory=Counter)
    write_units: float = 0.0
    read_units: float = 0.0
    by_index: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __enter__(self) -> Self:
        events = self.client.meta.events
        events.register("provide-client-params.dynamodb", _ask)
        events.register("after-call.dynamodb", self._count)
        return self

    def __exit__(self, *_: object) -> None:
        events = self.client.meta.events
        events.unregister("provide-client-params.dynamodb", _ask)
        events.unregister("after-call.dynamodb", self._count)

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        with self._lock:
            self.requests[model.name] += 1
            for table in tables:
                units = table.get("CapacityUnits", 0.0)
                if model.name in WRITES:
                    self.write_units += units
                else:
                    self.read_units += units
                for name, index in table.get("GlobalSecondaryIndexes", {}).items():
                    self.by_index[name] += index["CapacityUnits"]


def _ask(params: dict[str, Any], model: Any, **_: Any) -> None:
    if model.name in WRITES | READS:
        params.setdefault("ReturnConsumedCapacity", "INDEXES")
