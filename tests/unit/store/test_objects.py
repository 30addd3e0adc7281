"""Large bodies in S3: checked on the way back, and clear when something is missing."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    StorageError,
    TableMissingError,
)
from daybook.errors import BodyCorruptError, BodyMissingError
from daybook.settings import Settings
from daybook.testing import local_aws
from daybook.testing.local_aws import BUCKET

KIND = DecisionType.OTHER
LARGE = {"noise": "".join(uuid4().hex for _ in range(30_000))}


@pytest.fixture
def manager() -> Iterator[AWSClientManager]:
    """Give a client manager on moto."""
    with local_aws() as made:
        yield made


@pytest.fixture
def log(manager: AWSClientManager) -> DecisionLogger:
    """Give an agent's logger."""
    return DecisionLogger(MemoryManager("a", manager))


def object_names(manager: AWSClientManager) -> list[str]:
    """List the objects in the bucket."""
    listed = manager.s3().list_objects_v2(Bucket=BUCKET)
    return [found["Key"] for found in listed.get("Contents", [])]


def test_one_object_under_the_decision(log: DecisionLogger, manager: AWSClientManager) -> None:
    """The name says whose and which; repeating the write makes no second object."""
    own = log.log_decision(KIND, confidence=0.5, context=LARGE)
    log.log_decision(KIND, confidence=0.5, context=LARGE, decision_id=own)
    (name,) = object_names(manager)
    assert name.startswith(f"bodies/a/decisions/{own.split('@')[0]}/")


def test_small_bodies_stay_in_the_table(log: DecisionLogger, manager: AWSClientManager) -> None:
    """A megabyte that compresses well needs no object."""
    log.log_decision(KIND, confidence=0.5, context={"calm": "0" * 1_000_000})
    assert object_names(manager) == []


def test_a_changed_object_is_found_out(log: DecisionLogger, manager: AWSClientManager) -> None:
    """The checksum was taken before the body left the writer."""
    own = log.log_decision(KIND, confidence=0.5, context=LARGE)
    (name,) = object_names(manager)
    manager.s3().put_object(Bucket=BUCKET, Key=name, Body=b"something else")
    with pytest.raises(BodyCorruptError, match="checksum"):
        log.get_decision(own)


def test_a_removed_object_is_named(log: DecisionLogger, manager: AWSClientManager) -> None:
    """The error says which object is gone."""
    own = log.log_decision(KIND, confidence=0.5, context=LARGE)
    (name,) = object_names(manager)
    manager.s3().delete_object(Bucket=BUCKET, Key=name)
    with pytest.raises(BodyMissingError, match=name):
        log.get_decision(own)


def test_a_reader_without_the_bucket(log: DecisionLogger, manager: AWSClientManager) -> None:
    """A reader whose environment names no bucket is told to set it."""
    own = log.log_decision(KIND, confidence=0.5, context=LARGE)
    blind = AWSClientManager(dynamodb=manager.dynamodb, settings=Settings(payload_bucket=None))
    with pytest.raises(StorageError, match="DAYBOOK_PAYLOAD_BUCKET"):
        DecisionLogger(MemoryManager("a", blind)).get_decision(own)


def test_nothing_is_written_when_the_bucket_is_not_there(manager: AWSClientManager) -> None:
    """The body goes first, so an item never points to nothing."""
    wrong = Settings(payload_bucket="no-such-bucket")
    lost = AWSClientManager(dynamodb=manager.dynamodb, settings=wrong)
    lost.s3 = manager.s3  # type: ignore[method-assign]
    log = DecisionLogger(MemoryManager("b", lost))
    with pytest.raises(TableMissingError, match="no-such-bucket"):
        log.log_decision(KIND, confidence=0.5, context=LARGE)
    assert list(log.query_decisions()) == []
