"""Ways to log a decision into DynamoDB: Daybook's, by hand, and with other libraries.

All write the same facts. Each other way has a table of its own with the one index that nearly
all have, by type; `ThreeFullIndexes` has the three, projecting everything, of the usual design.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Protocol

import boto3
from pydynox import DynamoDBClient, SyncBatchWriter
from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.models import Model

from bench.databases import connect
from daybook import DecisionLogger, MemoryManager

Facts = Mapping[str, Any]
Log = Callable[[Facts], object]
KIND = "strategy_selection"
BATCH = 25
KEYS = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


class Writer(Protocol):
    """A way to log decisions."""

    name: ClassVar[str]

    def opened(self, agent: str) -> AbstractContextManager[Log]:
        """Give the function with which a thread logs; at its end all is in the table."""


def plain(agent: str, facts: Facts) -> dict[str, Any]:
    """Return the item that one writes by hand: the facts, and what finds them."""
    found = {"agent_id": agent, "decision_id": str(uuid.uuid4()), "decision_type": KIND}
    return found | dict(facts)


def with_decimals(item: Mapping[str, Any]) -> Any:
    """Return an item without floats, which boto3's resources refuse: the usual way."""
    return json.loads(json.dumps(item), parse_float=Decimal)


def as_blob(agent: str, facts: Facts) -> dict[str, dict[str, str]]:
    """Return an item in DynamoDB's notation whose facts are one JSON text: the fastest by hand."""
    item = plain(agent, {})
    return {name: {"S": text} for name, text in item.items()} | {"body": {"S": json.dumps(facts)}}


def create_table(url: str, name: str, indexes: int, projection: str) -> None:
    """Create a table with so many indexes."""
    attributes = ["agent_id", "decision_id", "decision_type", "success", "tier"]
    used = attributes[: 2 + indexes]
    boto3.client("dynamodb", endpoint_url=url, **KEYS).create_table(  # type: ignore[call-overload]
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in used],
        KeySchema=[
            {"AttributeName": "agent_id", "KeyType": "HASH"},
            {"AttributeName": "decision_id", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": f"by_{each}",
                "KeySchema": [
                    {"AttributeName": each, "KeyType": "HASH"},
                    {"AttributeName": "decision_id", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": projection},
            }
            for each in used[2:]
        ],
    )


@dataclass
class Daybook:
    """By way of the spool: each call returns when the decision is on the disk."""

    url: str
    folder: Path
    name: ClassVar[str] = "Daybook, by the spool"
    file: ClassVar[str] = "spool.db"

    def __post_init__(self) -> None:
        self.manager = connect(self.url)
        # the spool is open all the time, as the others' clients are
        self.standing = self.memory("nobody")

    def memory(self, agent: str) -> MemoryManager:
        """Return an agent's handle; all share the spool."""
        return MemoryManager(agent, self.manager, spool=self.folder / self.file)

    def depth(self) -> int:
        """Return how many decisions wait in the spool."""
        return self.standing.spool.status().depth if self.standing.spool else 0

    @contextmanager
    def opened(self, agent: str) -> Iterator[Log]:
        """Give a logger."""
        with self.memory(agent) as memory:
            logger = DecisionLogger(memory)
            yield lambda facts: logger.log_decision(KIND, **facts)
            if not memory.flush(600):
                raise TimeoutError("the spool was not drained")


@dataclass
class DaybookTogether(Daybook):
    """By way of the spool, 25 to a call: a batch is on the disk when the call returns."""

    name: ClassVar[str] = "Daybook, 25 to a call"
    file: ClassVar[str] = "together.db"

    @contextmanager
    def opened(self, agent: str) -> Iterator[Log]:
        """Give a function that fills a batch and logs it."""
        with self.memory(agent) as memory:
            logger = DecisionLogger(memory)
            batch: list[Facts] = []

            def send() -> None:
                logger.log_decisions(batch)
                batch.clear()

            def log(facts: Facts) -> None:
                batch.append({"decision_type": KIND, **facts})
                if len(batch) == BATCH:
                    send()

            yield log
            if batch:
                send()
            if not memory.flush(600):
                raise TimeoutError("the spool was not drained")


@dataclass
class Plain:
    """boto3's client, 25 to a BatchWriteItem, the facts as one JSON text."""

    url: str
    name: ClassVar[str] = "boto3 client, batch_write_item"
    table: ClassVar[str] = "plain"

    def __post_init__(self) -> None:
        create_table(self.url, "plain", 1, "KEYS_ONLY")
        self.client = boto3.client("dynamodb", endpoint_url=self.url, **KEYS)  # type: ignore[call-overload]

    def item(self, agent: str, facts: Facts) -> dict[str, dict[str, str]]:
        """Return the item of a decision."""
        return as_blob(agent, facts)

    @contextmanager
    def opened(self, agent: str) -> Iterator[Log]:
        """Give a function that fills a batch and sends it."""
        batch: list[dict[str, Any]] = []

        def send() -> None:
            requests = {self.table: list(batch)}
            batch.clear()
            while requests:
                requests = self.client.batch_write_item(RequestItems=requests)["UnprocessedItems"]

        def log(facts: Facts) -> None:
            batch.append({"PutRequest": {"Item": self.item(agent, facts)}})
            if len(batch) == BATCH:
                send()

        yield log
        if batch:
            send()


@dataclass
class SameTable(Plain):
    """The same client and batches, with items such as Daybook's, in its table."""

    name: ClassVar[str] = "the same, into Daybook's table"
    table: ClassVar[str] = "agent_decisions"

    def __post_init__(self) -> None:
        self.client = boto3.client("dynamodb", endpoint_url=self.url, **KEYS)  # type: ignore[call-overload]

    def item(self, agent: str, facts: Facts) -> dict[str, dict[str, str]]:
        """Return the item of a decision, as Daybook's is but for the body, which is plain JSON."""
        return {
            "pk": {"S": agent},
            "sk": {"S": f"D#{uuid.uuid4()}"},
            "type_key": {"S": f"{agent}#{KIND}"},
            "digest": {"S": json.dumps([facts["confidence"]])},
            "v": {"N": "1"},
            "written_at": {"N": str(time.time_ns() // 1000)},
            "body": {"S": json.dumps(facts)},
        }


@dataclass
class PutItem:
    """boto3's client, one PutItem for each decision, which returns when it is in the table."""

    url: str
    name: ClassVar[str] = "boto3 client, put_item"

    def __post_init__(self) -> None:
        create_table(self.url, "single", 1, "KEYS_ONLY")
        self.client = boto3.client("dynamodb", endpoint_url=self.url, **KEYS)  # type: ignore[call-overload]

    @contextmanager
    def opened(self, agent: str) -> Iterator[Log]:
        """Give a function that sends each."""
        yield lambda facts: self.client.put_item(TableName="single", Item=as_blob(agent, facts))


@dataclass
class BatchWriter:
    """boto3's resource and its `batch_writer`, the facts as nested attributes."""

    url: str
    name: ClassVar[str] = "boto3 resource, batch_writer"
    table: ClassVar[str] = "resource"
    indexes: ClassVar[int] = 1
    projection: ClassVar[str] = "KEYS_ONLY"

    def __post_init__(self) -> None:
        create_table(self.url, self.table, self.indexes, self.projection)
        self.resource = boto3.resource("dynamodb", endpoint_url=self.url, **KEYS)  # type: ignore[call-overload]

    @contextmanager
    def opened(self, agent: str) -> Iterator[Log]:
        """Give a batch writer."""
        with self.resource.Table(self.table).batch_writer() as batch:
            yield lambda facts: batch.put_item(Item=with_decimals(self.item(agent, facts)))

    def item(self, agent: str, facts: Facts) -> dict[str, Any]:
        """Return the item of a decision."""
        return plain(agent, facts)


@dataclass
class ThreeFullIndexes(BatchWriter):
    """One item for a decision and its outcome, and three indexes that project everything."""

    name: ClassVar[str] = "one item, three full indexes"
    table: ClassVar[str] = "three_full_indexes"
    indexes: ClassVar[int] = 3
    projection: ClassVar[str] = "ALL"

    def item(self, agent: str, facts: Facts) -> dict[str, Any]:
        """Return the item of a decision that has no outcome yet."""
        return plain(agent, facts) | {"success": "unknown", "tier": "stm"}

    def write(self, agent: str, facts: Facts) -> float:
        """Write a decision, and its outcome into the same item; return the write units."""
        table = self.resource.Table(self.table)
        item = with_decimals(self.item(agent, facts))
        put = table.put_item(Item=item, ReturnConsumedCapacity="INDEXES")
        updated = table.update_item(
            Key={name: item[name] for name in ("agent_id", "decision_id")},
            UpdateExpression="SET success = :s, quality_score = :q, latency_ms = :l",
            ExpressionAttributeValues={":s": "true", ":q": Decimal("0.53"), ":l": Decimal(12)},
            ReturnConsumedCapacity="INDEXES",
        )
        return float(sum(each["ConsumedCapacity"]["CapacityUnits"] for each in (put, updated)))


@dataclass
class PynamoDB:
    """PynamoDB's model and `batch_write`, the facts as a JSONAttribute."""

    url: str
    name: ClassVar[str] = "PynamoDB"

    def __post_init__(self) -> None:
        create_table(self.url, "pynamodb", 1, "KEYS_ONLY")

        class Decision(Model):
            class Meta:
                table_name = "pynamodb"
                host = self.url
                region = KEYS["region_name"]
                aws_access_key_id = KEYS["aws_access_key_id"]
                aws_secret_access_key = KEYS["aws_secret_access_key"]

            agent_id = UnicodeAttribute(hash_key=True)
            decision_id = UnicodeAttribute(range_key=True)
            decision_type = UnicodeAttribute()
            body = JSONAttribute()

        self.model = Decision

    @contextmanager
    def opened(self, agent: str) -> Iterator[Log]:
        """Give a batch of its own."""
        with self.model.batch_write() as batch:
            yield lambda facts: batch.save(self.model(**plain(agent, {}), body=dict(facts)))


@dataclass
class Pydynox:
    """pydynox, whose core is Rust, and its batch writer, the facts as nested attributes."""

    url: str
    name: ClassVar[str] = "pydynox"

    def __post_init__(self) -> None:
        create_table(self.url, "pydynox", 1, "KEYS_ONLY")
        self.client = DynamoDBClient(
            region=KEYS["region_name"],
            access_key=KEYS["aws_access_key_id"],
            secret_key=KEYS["aws_secret_access_key"],
            endpoint_url=self.url,
        )

    @contextmanager
    def opened(self, agent: str) -> Iterator[Log]:
        """Give a writer that is flushed at each 25: of itself it keeps all to the end."""
        count = 0
        with SyncBatchWriter(self.client, "pydynox") as batch:

            def log(facts: Facts) -> None:
                nonlocal count
                batch.put(plain(agent, facts))
                count += 1
                if count % BATCH == 0:
                    batch.flush()

            yield log
