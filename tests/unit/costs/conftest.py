"""Tables on DynamoDB Local that only these tests use: what is read depends on who is there."""

import io
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from daybook import AWSClientManager, MemoryManager
from daybook.settings import Settings
from tests.clocks import Clock
from tests.lasting_tables import create_lasting_tables


class Bucket:
    """A bucket in memory: DynamoDB Local has none, and moto would answer for its tables, too."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.requests: Counter[str] = Counter()

    def put_object(self, *, Key: str, Body: Any, **_: Any) -> dict[str, str]:  # noqa: N803
        """Keep an object."""
        self.requests["put"] += 1
        self.objects[Key] = Body if isinstance(Body, bytes) else Body.read()
        return {"ETag": '"x"'}

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Give an object."""
        self.requests["get"] += 1
        return {"Body": io.BytesIO(self.objects[Key]), "ETag": '"x"'}


@pytest.fixture
def clock() -> Clock:
    """Give a clock that tests set."""
    return Clock()


@pytest.fixture
def bucket() -> Bucket:
    """Give an empty bucket."""
    return Bucket()


@pytest.fixture
def manager(dynamodb_local_url: str, clock: Clock, bucket: Bucket) -> AWSClientManager:
    """Give a client manager with empty tables, whose client is this test's own."""
    settings = Settings(
        table_prefix=f"costs-{uuid4().hex}-", payload_bucket="bodies", signals_routed=True
    )
    made = AWSClientManager(endpoint_url=dynamodb_local_url, settings=settings, clock=clock)
    made.s3 = lambda: bucket  # type: ignore[method-assign,assignment,return-value]
    create_lasting_tables(made)
    return made


@pytest.fixture
def memory(database: AWSClientManager) -> MemoryManager:
    """Give an agent whose client is this test's own, with an id as long as people give them."""
    manager = AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())
    return MemoryManager(f"btc-{uuid4().hex[:9]}", manager)
