"""Two writers on one checkpoint: with a fence the second is told, and branches still work."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple

from daybook import AWSClientManager, StaleStateError
from daybook.adapters.langgraph import DaybookSaver
from daybook.settings import Settings
from tests.clocks import Clock
from tests.faults.clients import RepeatingClient
from tests.unit.adapters.langgraph.drafts import chain, checkpoint, config, metadata, put

WRITERS = 8


def read(saver: DaybookSaver, at: RunnableConfig) -> CheckpointTuple:
    """Return the checkpoint at a place, which is there."""
    found = saver.get_tuple(at)
    assert found is not None
    return found


def named(at: RunnableConfig) -> str:
    """Return the checkpoint that a config names."""
    return str(at["configurable"]["checkpoint_id"])


def at_once(work: Callable[[int], object]) -> Counter[str]:
    """Run the work in 8 threads that start together; count how each ended."""
    barrier = threading.Barrier(WRITERS)

    def run(number: int) -> str:
        barrier.wait()
        try:
            work(number)
        except StaleStateError as refusal:
            return type(refusal).__name__
        return "written"

    with ThreadPoolExecutor(WRITERS) as pool:
        return Counter(pool.map(run, range(WRITERS)))


@pytest.fixture
def own(local: AWSClientManager, agent_id: str) -> Callable[[bool], DaybookSaver]:
    """Give a way to make savers on DynamoDB Local that know nothing of each other."""

    def make(fenced: bool) -> DaybookSaver:
        manager = AWSClientManager(dynamodb=local.dynamodb, settings=Settings())
        return DaybookSaver(client_manager=manager, agent_id=agent_id, fenced=fenced)

    return make


@pytest.mark.parametrize("repeat", range(5))
def test_one_of_eight_goes_on(own: Callable[[bool], DaybookSaver], repeat: int) -> None:
    """Eight writers that have read the same head: one is written, seven are told."""
    savers = [own(True) for _ in range(WRITERS)]
    (head,) = chain(savers[0], f"t{repeat}", 1)
    found = [read(saver, config(f"t{repeat}")).config for saver in savers]
    ended = at_once(lambda number: put(savers[number], found[number], number=number))
    assert ended == {"written": 1, "StaleStateError": WRITERS - 1}
    assert len(list(savers[0].list(config(f"t{repeat}")))) == 2
    assert read(savers[0], config(f"t{repeat}")).parent_config is not None
    assert named(head) in {named(one.config) for one in savers[0].list(config(f"t{repeat}"))}


def test_one_of_eight_begins(own: Callable[[bool], DaybookSaver]) -> None:
    """Eight writers of a new thread: one begins it."""
    savers = [own(True) for _ in range(WRITERS)]
    ended = at_once(lambda number: put(savers[number], config("new"), number=number))
    assert ended == {"written": 1, "StaleStateError": WRITERS - 1}


def test_the_control_lets_all_eight_through(own: Callable[[bool], DaybookSaver]) -> None:
    """Without the fence all are written, and all but one are lost from the latest state."""
    savers = [own(False) for _ in range(WRITERS)]
    chain(savers[0], "t", 1)
    found = [read(saver, config("t")).config for saver in savers]
    ended = at_once(lambda number: put(savers[number], found[number], number=number))
    assert ended == {"written": WRITERS}
    assert len(list(savers[0].list(config("t")))) == 1 + WRITERS


def test_eight_branches_at_once(own: Callable[[bool], DaybookSaver]) -> None:
    """Eight that start from an older checkpoint by its id all get a branch, and go on in it."""
    savers = [own(True) for _ in range(WRITERS)]
    older = chain(savers[0], "t", 3)[0]

    def branch(number: int) -> None:
        at = read(savers[number], config("t", checkpoint_id=named(older))).config
        for step in range(3):
            at = put(savers[number], at, step=step, number=number)

    assert at_once(branch) == {"written": WRITERS}
    assert len(list(savers[0].list(config("t")))) == 3 + 3 * WRITERS


def test_a_stale_writer_is_told(fenced: DaybookSaver) -> None:
    """Who continues from a head that another has continued from is refused, with a sentence."""
    chain(fenced, "t", 2)
    ours, theirs = (read(fenced, config("t")).config for _ in range(2))
    after = put(fenced, ours, who="first")
    with pytest.raises(StaleStateError, match=f"to {named(after)} since it was read"):
        put(fenced, theirs, who="second")
    assert named(read(fenced, config("t")).config) == named(after)
    again = read(fenced, config("t")).config
    assert named(put(fenced, again, who="second")) > named(after)


def test_an_older_id_without_reading_it_is_no_branch(fenced: DaybookSaver) -> None:
    """A config made by hand is that of a writer who has not looked: refused."""
    older = chain(fenced, "t", 3)[0]
    with pytest.raises(StaleStateError):
        put(fenced, config("t", checkpoint_id=named(older)), who="blind")


def test_a_branch_is_fenced_in_turn(fenced: DaybookSaver) -> None:
    """Two that continue from the head of a branch are two writers like any other."""
    older = chain(fenced, "t", 3)[0]
    branch = put(fenced, read(fenced, config("t", checkpoint_id=named(older))).config, branch=1)
    ours, theirs = (read(fenced, branch).config for _ in range(2))
    put(fenced, ours, branch=2)
    with pytest.raises(StaleStateError):
        put(fenced, theirs, branch=3)


def test_the_head_by_its_id_is_no_branch(fenced: DaybookSaver) -> None:
    """Naming the checkpoint that is the head continues from it, and is fenced."""
    head = chain(fenced, "t", 2)[-1]
    ours = read(fenced, head).config
    put(fenced, read(fenced, config("t")).config, who="first")
    with pytest.raises(StaleStateError):
        put(fenced, ours, who="second")


def test_a_parent_s_config_may_branch(fenced: DaybookSaver) -> None:
    """LangGraph copies a checkpoint by putting it under its parent: meant as a branch."""
    chain(fenced, "t", 2)
    parent = read(fenced, config("t")).parent_config
    assert parent is not None
    put(fenced, parent, who="copy")
    assert len(list(fenced.list(config("t")))) == 3


def test_the_same_checkpoint_again(fenced: DaybookSaver, local: AWSClientManager) -> None:
    """A put that is repeated, by us or by botocore, is no conflict with itself."""
    made = checkpoint(a=1)
    for value in (1, 2):
        made["channel_values"]["a"] = value
        fenced.put(config("t"), made, metadata(), {})
    assert read(fenced, config("t")).checkpoint["channel_values"] == {"a": 2}
    repeating: Any = RepeatingClient(local.dynamodb)
    manager = AWSClientManager(dynamodb=repeating, settings=Settings())
    twice = DaybookSaver(client_manager=manager, agent_id=f"a-{uuid4().hex}", fenced=True)
    put(twice, put(twice, config("t")), b=2)
    assert len(list(twice.list(config("t")))) == 2


def test_a_clock_that_is_behind(fenced: DaybookSaver) -> None:
    """What follows the largest id is found, though its own id is smaller; and goes on."""
    (head,) = chain(fenced, "t", 1)
    at = read(fenced, config("t")).config
    for number in (1, 2):
        late = checkpoint(number=number)
        late["id"] = f"0000000{number}-0000-6000-8000-000000000000"
        at = fenced.put(at, late, metadata(), {})
        assert named(read(fenced, config("t")).config) == late["id"] < named(head)
    fenced.prune(["t"])
    assert [named(one.config) for one in fenced.list(config("t"))] == [named(at)]


def test_what_follows_may_be_deleted(fenced: DaybookSaver) -> None:
    """When a run is deleted, the checkpoint before it is the head again."""
    (head,) = chain(fenced, "t", 1)
    made = checkpoint(a=1)
    fenced.put(head, made, metadata(1, run_id="bad run"), {})
    fenced.delete_for_runs(["bad run"])
    assert named(read(fenced, config("t")).config) == named(head)
    put(fenced, read(fenced, config("t")).config, b=2)
    fenced.delete_thread("t")
    put(fenced, config("t"), c=3)


def test_what_follows_may_expire(manager: AWSClientManager, agent_id: str, clock: Clock) -> None:
    """When what followed has expired, the checkpoint before it is the head again."""
    lasting = DaybookSaver(client_manager=manager, agent_id=agent_id, fenced=True)
    passing = DaybookSaver(
        client_manager=manager, agent_id=agent_id, fenced=True, ttl=timedelta(hours=1)
    )
    (head,) = chain(lasting, "t", 1)
    put(passing, read(passing, config("t")).config, a=1)
    clock.advance(hours=1)
    assert named(read(lasting, config("t")).config) == named(head)
    put(lasting, read(lasting, config("t")).config, b=2)
    assert read(lasting, config("t")).checkpoint["channel_values"] == {"b": 2}
