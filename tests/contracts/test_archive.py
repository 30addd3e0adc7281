"""The archive on every backend that has a bucket: partitions, conditions, and a whole life."""

from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager
from daybook.archive import archive_days, note_arrivals, read_day
from daybook.errors import BodyMissingError
from daybook.progress import commit, read_arrivals
from daybook.progress.heads import read_head
from daybook.store import Store, keys, objects
from tests.clocks import Clock
from tests.contracts.conftest import BY_TABLES

# these speak to the tables themselves, and no verb of an agent is among them
pytestmark = pytest.mark.parametrize("client_manager", BY_TABLES, indirect=True)

KIND = DecisionType.SOURCE_SELECTION
FIRST = date(2026, 3, 1)


# DynamoDB Local has no S3
pytestmark = pytest.mark.parametrize("client_manager", ["moto", "ministack"], indirect=True)


@pytest.fixture
def store(client_manager: AWSClientManager) -> Store:
    """Give the store of a backend that has a bucket."""
    return client_manager.store


@pytest.fixture
def log(store: Store, client_manager: AWSClientManager) -> DecisionLogger:
    """Give the logger of an agent whose id Hive would escape."""
    assert store.bucket
    return DecisionLogger(MemoryManager(f"desk:{uuid4().hex}@x", client_manager))


def test_a_life(store: Store, log: DecisionLogger, clock: Clock) -> None:
    """Archived when its day closes, again when its outcome comes, whole at each time."""
    agent = log.memory.agent_id
    own = log.log_decision(
        KIND,
        confidence=0.1 + 0.2,
        context={"market": {"btc": 45000.1}, "noise": "é" * 300_000},
        tags=["x", "ü"],
    )
    large = log.log_decision(
        KIND, confidence=1.0, context={"noise": "".join(uuid4().hex for _ in range(20_000))}
    )
    clock.advance(days=1)
    done = archive_days(store, read_head(store, agent, "archive"), clock.now)
    assert done.days == (FIRST,)
    assert {d.decision_id: d for d in read_day(store, agent, FIRST)} == {
        each: log.get_decision(each) for each in (own, large)
    }
    log.log_outcome(own, KIND, True, 0.5, 12.5)
    head = done.head
    arrivals = list(head.position.new_among(read_arrivals(store, agent, 0), clock.now))
    head = commit(store, note_arrivals(head, arrivals, clock.now))
    clock.advance(days=1)
    assert archive_days(store, head, clock.now).days == (FIRST,)
    assert log.get_decision(own) in list(read_day(store, agent, FIRST))
    assert log.get_decision(own).outcome is not None


def test_conditional_puts(store: Store) -> None:
    """A file goes only where none, or the one that was read, stands."""
    bucket, name = str(store.bucket), keys.archive_day(f"agent-{uuid4().hex}", FIRST)

    def put(text: bytes, standing: str | None) -> bool:
        return objects.put_archive(store.s3(), bucket, name, BytesIO(text), standing)

    with pytest.raises(BodyMissingError):
        objects.get_archive(store.s3(), bucket, name)
    assert not put(b"0", '"0123456789abcdef0123456789abcdef"')
    assert put(b"1", None)
    assert not put(b"2", None)
    file, etag = objects.get_archive(store.s3(), bucket, name)
    assert file.read() == b"1"
    assert put(b"3", etag)
    assert not put(b"4", etag)
    file, _ = objects.get_archive(store.s3(), bucket, name)
    assert file.read() == b"3"


def test_duckdb_reads_the_partitions(
    store: Store, log: DecisionLogger, clock: Clock, tmp_path: Path
) -> None:
    """Agent and day come from the folders, as they are called; the rest from the columns."""
    agent = log.memory.agent_id
    for _ in range(3):
        log.log_outcome(log.log_decision(KIND, confidence=0.5), KIND, True, 0.5, 1.0)
        clock.advance(days=1)
    for day in archive_days(store, read_head(store, agent, "archive"), clock.now).days:
        path = tmp_path / keys.archive_day(agent, day)
        path.parent.mkdir(parents=True)
        file, _ = objects.get_archive(
            store.s3(), str(store.bucket), str(path.relative_to(tmp_path))
        )
        path.write_bytes(file.read())
    everything = duckdb.read_parquet(f"{tmp_path}/archive/*/*/*.parquet", hive_partitioning=True)
    found = everything.filter("day >= DATE '2026-03-02'").project(
        "agent, day, decision_type, success, outcome_arrived_at AT TIME ZONE 'UTC'"
    )
    arrived = datetime(2026, 3, 2, 12, tzinfo=UTC).replace(tzinfo=None)
    assert sorted(found.fetchall()) == [
        (agent, date(2026, 3, 2), str(KIND), True, arrived),
        (agent, date(2026, 3, 3), str(KIND), True, arrived.replace(day=3)),
    ]
