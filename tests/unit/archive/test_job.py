"""The job: what it writes when, and how few requests it sends."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import duckdb
import pytest

from daybook import AWSClientManager, OvertakenError, StorageError
from daybook.archive import Archived, archive_days, job, read_day
from daybook.models import DecisionId
from daybook.models.identity import microseconds
from daybook.progress import LAG, Head, Position
from daybook.settings import Settings
from daybook.store import DECISIONS, MEMORY, keys
from daybook.store.expressions import absent, equals
from daybook.store.requests import Check
from daybook.testing.local_aws import BUCKET
from tests.clocks import Clock
from tests.unit.archive.conftest import FIRST, Agent, requests

DAY = timedelta(days=1)


def test_a_closed_day_is_archived(agent: Agent, clock: Clock) -> None:
    """Two minutes after its end, and not before; with outcomes and without."""
    plain, judged = agent.decide(), agent.decide(context={"market": {"btc": 0.1}})
    agent.judge(judged)
    clock.advance(hours=12, minutes=1)
    assert agent.archive().days == ()
    clock.advance(minutes=1)
    assert agent.archive().days == (FIRST,)
    assert agent.archived() == [agent.log.get_decision(own) for own in (plain, judged)]
    assert agent.archived()[0].outcome is None
    assert agent.head.notes == {"archived_until": "2026-03-01", "dirty": {}}


def test_nothing_new_costs_nothing(agent: Agent, manager: AWSClientManager, clock: Clock) -> None:
    """No request when no day has closed; one when a day has, and nothing was decided."""
    agent.decide()
    clock.advance(days=1)
    head = agent.archive().head
    with requests(manager) as sent:
        assert agent.archive(head) == Archived(head)
        assert sent == []
        clock.advance(days=3)
        assert agent.archive(head) == Archived(head)
    assert sent == ["Query"]


def test_a_gap_costs_nothing(agent: Agent, manager: AWSClientManager, clock: Clock) -> None:
    """Years without a decision take no request a day."""
    agent.decide()
    clock.advance(days=3000)
    agent.decide()
    clock.advance(days=10)
    with requests(manager) as sent:
        done = agent.archive(Head("a", "archive"))
    assert done.days == (FIRST, FIRST + 3000 * DAY)
    assert sent == ["Query", "PutObject", "PutObject", "PutItem"]
    assert done.head.notes["archived_until"] == str(FIRST + 3009 * DAY)


def test_a_new_agent_leaves_no_head(agent: Agent, manager: AWSClientManager) -> None:
    """Without any decision there is nothing to remember."""
    with requests(manager) as sent:
        assert agent.archive(Head("a", "archive")).head.version == 0
    assert sent == ["Query"]


def test_no_bucket(agent: Agent, clock: Clock) -> None:
    """Nothing is done, and nothing is wrong."""
    agent.decide()
    clock.advance(days=2)
    settings = Settings(payload_bucket=None)
    bare = AWSClientManager(dynamodb=agent.manager.dynamodb, settings=settings, clock=clock)
    head = agent.head
    assert archive_days(bare.store, head, clock.now) == Archived(head)
    with pytest.raises(StorageError, match="DAYBOOK_PAYLOAD_BUCKET"):
        list(read_day(bare.store, "a", FIRST))
    assert agent.head == head


def test_a_call_is_bounded(agent: Agent, clock: Clock) -> None:
    """It says when there is more, and the next goes on where it stopped."""
    for _ in range(5):
        agent.decide()
        clock.advance(days=1)
    with patch.object(job, "MOST_DAYS", 2):
        calls = [agent.archive() for _ in range(3)]
    assert [call.more for call in calls] == [True, True, False]
    assert [len(call.days) for call in calls] == [2, 2, 1]
    with patch.object(job, "MOST_DECISIONS", 0):
        assert agent.archive().more is False


def test_a_late_outcome(agent: Agent, clock: Clock) -> None:
    """The day is rewritten once, the day after the outcome came."""
    own = agent.decide()
    clock.advance(days=1)
    agent.archive()
    agent.judge(own)
    head = agent.note()
    assert agent.archive(head).days == ()
    clock.advance(days=1)
    assert agent.archive().days == (FIRST,)
    assert agent.archived() == [agent.log.get_decision(own)]
    assert agent.archived()[0].outcome is not None
    assert agent.archive().days == ()


def test_a_late_decision(agent: Agent, clock: Clock) -> None:
    """One that arrives days later gets into the file of its own day, in its place."""
    noon = clock.now
    first = agent.decide()
    clock.advance(hours=2)
    third = agent.decide()
    clock.advance(days=3)
    agent.archive()
    second = agent.decide(decided_at=noon + timedelta(hours=1))
    before = agent.decide(decided_at=noon - 40 * DAY)
    agent.note()
    clock.advance(days=1)
    assert agent.archive().days == (FIRST - 40 * DAY, FIRST)
    assert [d.decision_id for d in agent.archived()] == [first, second, third]
    assert [d.decision_id for d in agent.archived(FIRST - 40 * DAY)] == [before]


def test_expired_items_that_are_still_there(agent: Agent, clock: Clock) -> None:
    """A job that was down for too long saves what DynamoDB has not removed yet."""
    own = agent.decide()
    record = agent.log.get_decision(own)
    clock.advance(days=366)
    assert list(agent.log.query_decisions()) == []
    agent.archive()
    assert agent.archived() == [record]


def test_rows_stay_when_their_items_are_gone(agent: Agent, clock: Clock) -> None:
    """A rewrite after expiry adds what is new and keeps what the log has forgotten."""
    own = agent.decide()
    agent.judge(own)
    record = agent.log.get_decision(own)
    clock.advance(days=1)
    agent.archive()
    clock.advance(days=370)
    gone = DecisionId.parse(own)
    agent.store.delete_all(DECISIONS, [keys.decision(gone), keys.outcome(gone)])
    late = agent.decide(decided_at=record.decided_at + timedelta(seconds=1))
    agent.note()
    clock.advance(days=1)
    agent.archive()
    assert agent.archived() == [record, agent.log.get_decision(late)]


def test_a_body_that_cannot_be_read(agent: Agent, clock: Clock) -> None:
    """The others are archived; the row says what is left, and the day is tried again."""
    large = agent.decide(context={"noise": "".join(uuid4().hex for _ in range(30_000))})
    small = agent.decide()
    (name,) = [
        found["Key"] for found in agent.manager.s3().list_objects_v2(Bucket=BUCKET)["Contents"]
    ]
    body = agent.manager.s3().get_object(Bucket=BUCKET, Key=name)["Body"].read()
    agent.manager.s3().put_object(Bucket=BUCKET, Key=name, Body=b"damaged")
    clock.advance(days=1)
    done = agent.archive()
    assert (done.days, done.damaged, done.decisions) == ((FIRST,), (FIRST,), 2)
    assert [d.decision_id for d in agent.archived()] == [small]
    clock.advance(days=1)
    done = agent.archive()
    assert (done.days, done.damaged) == ((), (FIRST,))
    agent.manager.s3().put_object(Bucket=BUCKET, Key=name, Body=body)
    clock.advance(days=1)
    assert agent.archive().damaged == ()
    assert [d.decision_id for d in agent.archived()] == [large, small]
    assert agent.head.notes["dirty"] == {}


def test_a_file_that_is_damaged(agent: Agent, clock: Clock) -> None:
    """It is not written over, other days go on, and the call names it."""
    agent.decide()
    name = keys.archive_day("a", FIRST)
    agent.manager.s3().put_object(Bucket=BUCKET, Key=name, Body=b"x" * 100)
    clock.advance(days=1)
    agent.decide()
    clock.advance(days=1)
    done = agent.archive()
    assert (done.days, done.damaged) == ((FIRST + DAY,), (FIRST,))


def test_an_outcome_whose_decision_has_gone(agent: Agent, clock: Clock, tmp_path: Path) -> None:
    """DynamoDB removes the two at different times; what the outcome says is kept."""
    own = agent.decide()
    agent.judge(own)
    agent.store.delete_all(DECISIONS, [keys.decision(DecisionId.parse(own))])
    clock.advance(days=1)
    assert agent.archive().damaged == ()
    assert agent.archived() == []
    body = agent.manager.s3().get_object(Bucket=BUCKET, Key=keys.archive_day("a", FIRST))
    path = tmp_path / "x.parquet"
    path.write_bytes(body["Body"].read())
    columns = "decision_id, decision_type, confidence, arrived_at, success, error"
    found = duckdb.read_parquet(str(path)).project(columns).fetchall()
    assert found == [(own, "other", 0.1 + 0.2, None, False, "no")]


def test_the_lease_is_checked(agent: Agent, clock: Clock) -> None:
    """What the caller adds to the transaction decides whether the head moves."""
    agent.decide()
    clock.advance(days=1)
    gone = Check(table=MEMORY, key=keys.lease("a"), condition=equals("fence", 1))
    with pytest.raises(OvertakenError):
        archive_days(agent.store, agent.head, clock.now, [gone])
    assert agent.head.version == 0
    free = Check(table=MEMORY, key=keys.lease("a"), condition=absent("pk"))
    assert archive_days(agent.store, agent.head, clock.now, [free]).head == agent.head


def test_a_stale_head(agent: Agent, clock: Clock) -> None:
    """Whoever was overtaken says so; its file stands, and is as good."""
    agent.decide()
    clock.advance(days=1)
    stale = agent.head
    agent.archive()
    with pytest.raises(OvertakenError):
        agent.archive(stale)
    assert len(agent.archived()) == 1


def test_the_caller_is_told_that_it_goes_on(agent: Agent, clock: Clock) -> None:
    """So that a lease can be prolonged within a long day."""
    for _ in range(3):
        agent.judge(agent.decide())
    clock.advance(days=1)
    beats: list[int] = []
    with patch.object(job, "BEAT_ITEMS", 2):
        archive_days(agent.store, agent.head, clock.now, beat=lambda: beats.append(1))
    assert len(beats) == 3


def test_what_arrived_before_the_first_run_is_not_followed(agent: Agent, clock: Clock) -> None:
    """It is all in the files, so a year's outcomes need not be read again to note them."""
    agent.judge(agent.decide())
    clock.advance(days=2)
    assert agent.archive().head.position == Position(microseconds(clock.now - LAG))
    assert agent.note().notes["dirty"] == {}


def test_the_log_is_read_consistently(agent: Agent, clock: Clock) -> None:
    """A replica that lags behind must not leave a decision out of its day."""
    agent.decide()
    clock.advance(days=1)
    asked: list[bool] = []

    def look(params: dict[str, Any], **_: Any) -> None:
        asked.append(params["ConsistentRead"])

    events = agent.manager.dynamodb.meta.events
    events.register("provide-client-params.dynamodb.Query", look)
    agent.archive(Head("a", "archive"))
    assert asked == [True]
