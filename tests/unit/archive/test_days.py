"""Two workers on one day, lost answers, and roles that may not list: the file stays complete."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from daybook import AccessDeniedError, AWSClientManager, OvertakenError
from daybook.archive.days import Written, write_day
from daybook.archive.parquet import Spool
from daybook.archive.rows import Row, is_whole, live_rows, merged
from daybook.store import DECISIONS, Store, objects
from daybook.store.expressions import begins_with, equals
from tests.clocks import Clock
from tests.unit.archive.conftest import FIRST, Agent, requests


def live(agent: Agent) -> list[Row]:
    """Return the rows of the agent's log as it is now."""
    condition = equals("pk", agent.name) & begins_with("sk", "D#")
    return list(live_rows(agent.store, agent.store.query(DECISIONS, condition)))


def write(agent: Agent, rows: list[Row], *, is_new: bool = True) -> Written:
    """Write the first of March with these rows of the log."""
    return write_day(agent.store, agent.name, FIRST, iter(rows), is_new=is_new)


@contextmanager
def interrupted_by(other: Callable[[], object]) -> Iterator[None]:
    """Let another worker do this, once, right before a file is put."""
    others = iter([other])
    put = objects.put_archive

    def interrupted(*args: Any) -> bool:
        for each in others:
            each()
        return put(*args)

    with patch.object(objects, "put_archive", interrupted):
        yield


@pytest.mark.parametrize("is_new", [True, False])
def test_a_stale_view_takes_nothing_away(agent: Agent, clock: Clock, is_new: bool) -> None:
    """A worker that read the log before an outcome and a decision came, and writes last."""
    own = agent.decide()
    stale = live(agent)
    agent.judge(own)
    clock.advance(seconds=1)
    other = agent.decide()
    write(agent, live(agent), is_new=is_new)
    assert write(agent, stale, is_new=is_new) == Written(1, is_damaged=False, changed=False)
    assert agent.archived() == [agent.log.get_decision(each) for each in (own, other)]


def test_two_workers_that_each_know_more(agent: Agent, clock: Clock) -> None:
    """The one writes between the other's reading and writing; nobody's rows are lost."""
    own = agent.decide()
    clock.advance(seconds=1)
    other = agent.decide()
    first, second = live(agent)
    with interrupted_by(lambda: write(agent, [second])):
        assert write(agent, [first]).changed
    assert [d.decision_id for d in agent.archived()] == [own, other]


def test_a_rewrite_between_reading_and_writing(agent: Agent, clock: Clock) -> None:
    """The same when the file was there already: the ETag has changed, and it reads again."""
    own = agent.decide()
    write(agent, live(agent))
    clock.advance(seconds=1)
    other = agent.decide()
    late = live(agent)
    agent.judge(own)
    with interrupted_by(lambda: write(agent, live(agent)[:1], is_new=False)):
        assert write(agent, late, is_new=False).changed
    assert agent.archived() == [agent.log.get_decision(each) for each in (own, other)]


def test_others_that_never_stop(agent: Agent) -> None:
    """After a few tries it gives up, and says so."""
    agent.decide()
    with (
        patch.object(objects, "put_archive", return_value=False),
        patch.object(objects, "get_archive", side_effect=lambda *_: _standing(agent)),
        pytest.raises(OvertakenError, match="5 times"),
    ):
        write(agent, live(agent))


def _standing(agent: Agent) -> tuple[Any, str]:
    with Spool(()) as empty:
        return empty.to_parquet(), agent.name


def test_a_put_whose_answer_is_lost(agent: Agent, manager: AWSClientManager) -> None:
    """The retry meets its own file, sees that it says the same, and is content."""
    agent.decide()
    client = manager.s3()
    lost = iter([ReadTimeoutError(endpoint_url="s3")])

    def put_and_lose(**given: Any) -> Any:
        answer = put_object(**given)
        for _ in lost:
            given["Body"].seek(0)
            return put_object(**given)  # as botocore does after a lost answer
        return answer

    put_object = client.put_object
    with (
        patch.object(client, "put_object", put_and_lose),
        requests(manager) as sent,
    ):
        assert write(agent, live(agent)) == Written(1, is_damaged=False, changed=False)
    assert sent == ["Query", "PutObject", "PutObject", "GetObject"]


@pytest.fixture
def confined(agent: Agent) -> Iterator[Agent]:
    """Give an agent whose role may not list: S3 tells it that what is missing is denied."""
    client = agent.manager.s3()
    get_object = client.get_object

    def denied(**given: Any) -> Any:
        try:
            return get_object(**given)
        except client.exceptions.NoSuchKey as fault:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject") from fault

    with patch.object(client, "get_object", denied):
        yield agent


def test_a_role_that_may_not_list(confined: Agent) -> None:
    """A day that had no decisions gets its file when the first one comes late."""
    confined.decide()
    assert write(confined, live(confined), is_new=False).changed
    assert len(confined.archived()) == 1


def test_a_role_that_may_not_read(agent: Agent) -> None:
    """What stands is not written over for not being readable."""
    agent.decide()
    write(agent, live(agent))
    agent.decide()
    refusal = ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
    with (
        patch.object(agent.manager.s3(), "get_object", side_effect=refusal),
        pytest.raises(AccessDeniedError),
    ):
        write(agent, live(agent), is_new=False)
    assert len(agent.archived()) == 1


def test_of_two_accounts_the_fuller_half_stands(agent: Agent) -> None:
    """Decision and outcome apart; where both say as much, the log's."""
    agent.judge(agent.decide(tags=["whole"]))
    (whole,) = live(agent)
    bare = dict.fromkeys(whole) | {"decision_id": whole["decision_id"], "confidence": 0.3}
    assert merged(whole, bare) == merged(bare, whole) == whole
    undecided = whole | {"arrived_at": None, "context": None, "tags": []}
    open_still = whole | dict.fromkeys(["success", "details", "outcome_arrived_at", "error"])
    assert merged(undecided, open_still) | {"error": "no"} == whole
    assert not is_whole(undecided)
    assert merged(whole, whole | {"tags": ["now"]})["tags"] == ["now"]


def test_the_store_that_saves_what_expired_hides_nothing(agent: Agent, clock: Clock) -> None:
    """A clock at 1970 is how the job reads what has expired: the control for that."""
    agent.decide()
    clock.advance(days=400)
    assert live(agent) == []
    early: Store = replace(agent.store, clock=lambda: clock.now - timedelta(days=400))
    condition = equals("pk", "a") & begins_with("sk", "D#")
    assert len(list(early.query(DECISIONS, condition))) == 1
