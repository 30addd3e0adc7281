"""State when an answer is lost after the commit: as if it had arrived."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from daybook import AWSClientManager, MemoryManager, StaleStateError
from daybook.settings import Settings
from daybook.state import create_checkpoint, create_if_changed, rollback, save
from daybook.state.state_items import WRITERS
from daybook.store import STATE
from tests.faults.clients import CountingClient

Write = Callable[[MemoryManager], Any]


@pytest.fixture
def memory(database: AWSClientManager) -> MemoryManager:
    """Give an agent whose client is this test's own, at its second version."""
    manager = AWSClientManager(endpoint_url=database.endpoint_url, settings=Settings())
    made = MemoryManager(f"agent-{uuid4().hex}", manager)
    made.save_state({"n": 1})
    made.create_checkpoint()
    made.save_state({"n": 2}, 1)
    return made


@contextmanager
def losing_answers(memory: MemoryManager, count: int) -> Iterator[list[str]]:
    """Send the next writes for real, and then time out as if the answer never came."""
    lost: list[str] = []
    session = URLLib3Session()
    events = memory.store.dynamodb.meta.events

    def send_and_lose(request: Any, **_: Any) -> None:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        if operation in {"PutItem", "UpdateItem", "TransactWriteItems"} and len(lost) < count:
            session.send(request)
            lost.append(operation)
            raise ReadTimeoutError(endpoint_url=request.url)

    events.register("before-send.dynamodb", send_and_lose)
    try:
        yield lost
    finally:
        events.unregister("before-send.dynamodb", send_and_lose)


@pytest.mark.parametrize("count", [1, 2])
def test_the_first_save(memory: MemoryManager, count: int) -> None:
    """It is not taken for somebody else's."""
    new = MemoryManager(f"agent-{uuid4().hex}", memory.client_manager)
    with losing_answers(new, count) as lost:
        assert new.save_state({"n": 7}).version == 1
    assert lost == ["PutItem"] * count
    assert new.save_state({"n": 8}, 1).version == 2


@pytest.mark.parametrize("count", [1, 2])
def test_save_and_take_over(memory: MemoryManager, count: int) -> None:
    """Neither is a later one, and each makes one version."""
    with losing_answers(memory, count) as lost:
        assert memory.save_state({"n": 3}, 2).version == 3
    with losing_answers(memory, count):
        taken = memory.load_state(take_over=True)
    assert lost == ["UpdateItem"] * count
    assert taken is not None
    assert taken == memory.load_state()
    assert (taken.version, taken.data) == (4, {"n": 3})


@pytest.mark.parametrize("count", [1, 2])
def test_checkpoint_and_rollback(memory: MemoryManager, count: int) -> None:
    """Each happens once, and is told as it happened."""
    with losing_answers(memory, count) as lost:
        checkpoint = memory.create_checkpoint()
    assert lost == ["TransactWriteItems"] * count
    assert [each.version for each in memory.list_checkpoints()] == [2, 1]
    memory.save_state({"n": 3}, 2)
    with losing_answers(memory, count):
        restored = memory.rollback(None, 3)
    assert restored == memory.load_state()
    assert (restored.version, restored.restored_from) == (4, checkpoint.checkpoint_id)
    assert [each.kind for each in memory.list_checkpoints()] == ["replaced", "manual", "manual"]


class RepeatingWrites(CountingClient):
    """Makes each transaction twice with another token each, and tells the second answer.

    So do a botocore that has forgotten its token, and an emulator that ignores it.
    """

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)
        if name != "transact_write_items":
            return call

        def twice(**parameters: Any) -> Any:
            call(**parameters)
            return call(**parameters)

        return twice


@pytest.mark.parametrize("keep", [1, 50])
def test_transactions_without_a_token(memory: MemoryManager, keep: int) -> None:
    """They are known again by what they have written, also if that has been taken away."""
    client: Any = RepeatingWrites(memory.store.dynamodb)
    store = replace(memory.store, dynamodb=client)
    agent = memory.agent_id
    assert create_if_changed(store, agent, keep=keep).version == 2
    checkpoint = create_checkpoint(store, agent, keep=keep)
    assert rollback(store, agent, keep=keep).restored_from == checkpoint.checkpoint_id
    assert rollback(store, agent, None, 3, keep=keep).version == 4
    state = memory.load_state()
    assert state is not None
    assert (state.version, state.data) == (4, {"n": 2})


class Overtaken(CountingClient):
    """Lets others write between a write of ours and its repetition."""

    def __init__(self, client: Any, others: Callable[[], None]) -> None:
        super().__init__(client)
        self.others = others

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call, lose its answer, and make it again once others have gone on."""
        call()
        self.others()
        return call()


@pytest.mark.parametrize("versions", [1, len(WRITERS) - 1])
def test_others_have_gone_on_meanwhile(memory: MemoryManager, versions: int) -> None:
    """Our version is known as ours although it no longer stands."""

    def others() -> None:
        for number in range(versions):
            memory.save_state({"n": -number}, 3 + number)

    client: Any = Overtaken(memory.store.dynamodb, others)
    store = replace(memory.store, dynamodb=client)
    assert save(store, memory.agent_id, {"n": 3}, 2).version == 3
    state = memory.load_state()
    assert state is not None
    assert state.version == 3 + versions


def test_too_many_have_gone_on(memory: MemoryManager) -> None:
    """Then nobody can know any more, and the error says so."""

    def others() -> None:
        for number in range(len(WRITERS)):
            memory.save_state({"n": -number}, 3 + number)

    client: Any = Overtaken(memory.store.dynamodb, others)
    store = replace(memory.store, dynamodb=client)
    with pytest.raises(StaleStateError, match="or this was version 3 and others") as told:
        save(store, memory.agent_id, {"n": 3}, 2)
    assert told.value.found == 3 + len(WRITERS)


def test_the_control_takes_itself_for_another(memory: MemoryManager) -> None:
    """The same write without a look at its token is refused: the fault is real."""
    with losing_answers(memory, 1):
        item = memory.store.get(STATE, {"pk": memory.agent_id, "sk": "CURRENT"})
        assert item is not None
        assert memory.store.insert(STATE, item) is not None
