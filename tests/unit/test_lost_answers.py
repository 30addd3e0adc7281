"""A write whose answer is lost after the commit: botocore repeats it, and it must count once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    UnreachableError,
)
from daybook.settings import Settings
from daybook.store import DECISIONS, requests
from daybook.store.expressions import absent
from daybook.store.faults import ConditionFailedError, told_as_ours

KIND = DecisionType.OTHER


@pytest.fixture
def manager(database: AWSClientManager) -> AWSClientManager:
    """Give a manager whose client is this test's own, so that faults stay with it."""
    return AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())


@contextmanager
def losing_answers(manager: AWSClientManager, count: int) -> Iterator[list[str]]:
    """Send the next writes for real, and then time out as if the answer never came."""
    lost: list[str] = []
    session = URLLib3Session()

    def send_and_lose(request: Any, **_: Any) -> None:
        if len(lost) < count:
            answer = session.send(request)
            lost.append(str(answer.status_code))
            raise ReadTimeoutError(endpoint_url=request.url)

    events = manager.dynamodb.meta.events
    writes = [f"before-send.dynamodb.{name}" for name in ("PutItem", "BatchWriteItem")]
    for write in writes:
        events.register(write, send_and_lose)
    try:
        yield lost
    finally:
        for write in writes:
            events.unregister(write, send_and_lose)


def test_our_writes_count_once(manager: AWSClientManager) -> None:
    """Neither a decision nor an outcome is taken for a conflict with itself."""
    log = DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", manager))
    with losing_answers(manager, 1) as lost:
        decision_id = log.log_decision(KIND, confidence=0.5)
    assert lost == ["200"]
    with losing_answers(manager, 2) as lost:
        log.log_outcome(decision_id, KIND, True, 0.5, 1.0)
    assert lost == ["200", "400"]
    assert log.get_decision_stats()["with_outcome"] == 1
    assert len(list(log.query_decisions())) == 1


def test_the_control_takes_itself_for_a_conflict(manager: AWSClientManager) -> None:
    """The same write without reading back what stands fails: the fault is real."""
    name = manager.store.name_of(DECISIONS)
    put = requests.put(name, {"pk": f"agent-{uuid4().hex}", "sk": "x"}, absent("pk"))
    with (
        losing_answers(manager, 1),
        pytest.raises(ConditionFailedError),
        told_as_ours("the control"),
    ):
        manager.dynamodb.put_item(**put)


def test_an_endpoint_that_never_answers(manager: AWSClientManager) -> None:
    """When every answer is lost the error says so; repeating with the same id is safe."""
    log = DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", manager))
    with (
        losing_answers(manager, 1000),
        pytest.raises(UnreachableError, match="timeout") as lost,
    ):
        log.log_decision(KIND, confidence=0.5)
    again = log.log_decision(KIND, confidence=0.5, decision_id=lost.value.decision_id)
    assert again == lost.value.decision_id
    assert len(list(log.query_decisions())) == 1


def test_many_decisions_whose_answers_are_lost(manager: AWSClientManager) -> None:
    """Each counts once; when every answer is lost the error tells the ids, to try again with."""
    log = DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", manager))
    said = [{"decision_type": KIND, "confidence": place / 100} for place in range(60)]
    with losing_answers(manager, 2) as lost:
        ids = log.log_decisions(said)
    assert lost == ["200", "200"]
    with losing_answers(manager, 1000), pytest.raises(UnreachableError) as told:
        log.log_decisions(said)
    others = list(told.value.decision_ids)
    assert len(others) == 60
    again = [each | {"decision_id": own} for each, own in zip(said, others, strict=True)]
    assert log.log_decisions(again) == others
    logged = list(log.query_decisions())
    assert {each.decision_id for each in logged} == {*ids, *others}
    assert len(logged) == 120
