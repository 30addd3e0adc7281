"""What the saver keeps and for how long, by any name; copies, pruning, deletion, faults."""

import os
from datetime import timedelta
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver

from daybook import (
    AWSClientManager,
    BodyTooLargeError,
    InvalidAgentIdError,
    InvalidInputError,
    UnreachableError,
)
from daybook.adapters.langgraph import DaybookSaver
from daybook.settings import Settings
from daybook.store import STATE
from daybook.store.expressions import equals
from tests.clocks import Clock
from tests.faults.clients import CountingClient, DeadError, DyingClient
from tests.unit.adapters.langgraph.drafts import chain, checkpoint, config, metadata, put

HOSTILE = ["", "#", "a#b", "a/b", "%23", "+", "C#", "ü", "日本語" * 100, "\x00", "a|b:c", "*", " "]


def ids(saver: BaseCheckpointSaver[Any], *at: Any, **named: Any) -> list[str]:
    """Return the ids of a list."""
    return [one.checkpoint["id"] for one in saver.list(*at, **named)]


# moto takes half a minute, and no text is anything else to it
@pytest.mark.parametrize(
    "manager", [pytest.param("moto", marks=pytest.mark.campaign), "dynamodb_local"], indirect=True
)
def test_any_text_names_a_thread_and_a_namespace(saver: DaybookSaver) -> None:
    """No name reaches into another's: each holds its own, and deletes its own."""
    for thread_id in HOSTILE:
        for namespace in HOSTILE:
            at = put(saver, config(thread_id, namespace), own=[thread_id, namespace])
            saver.put_writes(at, [("c", [thread_id, namespace])], thread_id, namespace)
    for thread_id in HOSTILE:
        assert len(list(saver.list({"configurable": {"thread_id": thread_id}}))) == len(HOSTILE)
        for namespace in HOSTILE:
            own = [thread_id, namespace]
            (found,) = saver.list(config(thread_id, namespace))
            assert found.checkpoint["channel_values"] == {"own": own}
            assert found.pending_writes == [(thread_id, "c", own)]
            assert found == saver.get_tuple(config(thread_id, namespace))
    for number, thread_id in enumerate(HOSTILE, 1):
        saver.delete_thread(thread_id)
        assert len(list(saver.list(None))) == len(HOSTILE) * (len(HOSTILE) - number)


def test_agents_do_not_see_each_other(saver: DaybookSaver) -> None:
    """An id that begins as another's does not reach its threads."""
    chain(saver, "t", 1)
    for other in (f"{saver.agent_id}x", saver.agent_id[:-1]):
        neighbour = DaybookSaver(client_manager=saver.client_manager, agent_id=other)
        assert ids(neighbour, None) == []
        assert neighbour.get_tuple(config("t")) is None


def test_every_partition_is_the_agent_s(manager: AWSClientManager, agent_id: str) -> None:
    """A role that may reach `<agent>` and `<agent>#…` reaches all that is written."""
    written: list[str] = []

    class Noting(CountingClient):
        def __getattr__(self, name: str) -> Any:
            def call(**parameters: Any) -> Any:
                written.append(repr(parameters))
                return getattr(self.client, name)(**parameters)

            return call

    client: Any = Noting(manager.dynamodb)
    noted = AWSClientManager(dynamodb=client, settings=Settings())
    saver = DaybookSaver(client_manager=noted, agent_id=agent_id, fenced=True)
    put(saver, config("#other"), blob=os.urandom(500_000))
    assert written
    for request in written:
        assert request.count("'pk': {'S': '") == request.count(f"'pk': {{'S': '{agent_id}#")


def test_list_of_all_threads(saver: DaybookSaver) -> None:
    """Without a config: newest first across threads; limit, before and filter apply to all."""
    places = [put(saver, config(f"t{n % 3}"), step=n, n=n) for n in range(9)]
    own = [place["configurable"]["checkpoint_id"] for place in places]
    assert ids(saver, None) == own[::-1]
    assert ids(saver, None, limit=4) == own[:4:-1]
    assert ids(saver, None, before=places[4]) == own[3::-1]
    assert ids(saver, None, filter={"step": 5}) == [own[5]]
    assert ids(saver, None, limit=0) == []
    assert ids(saver, places[4]) == ids(saver, {"configurable": dict(places[4]["configurable"])})
    assert ids(saver, places[4]) == [own[4]]
    everywhere = {"thread_id": "t1", "checkpoint_id": own[4]}
    assert ids(saver, {"configurable": everywhere}) == [own[4]]
    assert ids(saver, places[4], before=places[4]) == []


def test_a_long_list_pages(saver: DaybookSaver) -> None:
    """More than a request answers comes whole and in order, writes included."""
    places = chain(saver, "t", 70)
    for place in places:
        saver.put_writes(place, [("c", os.urandom(20_000))], "task")
    found = list(saver.list(config("t")))
    assert [one.config for one in found] == places[::-1]
    assert all(one.pending_writes for one in found)


def test_writes_keep_the_first_and_special_ones_the_last(saver: DaybookSaver) -> None:
    """As LangGraph's own savers do it, in one call or in several, small or large."""
    at = put(saver, config("t"))
    large = os.urandom(400_000)
    saver.put_writes(at, [("a", 1), ("b", large)], "task", "path")
    saver.put_writes(at, [("a", 2), ("b", 2), ("c", 3)], "task", "path")
    saver.put_writes(at, [("__error__", 1), ("d", 4)], "task", "path")
    saver.put_writes(at, [("__error__", large)], "task", "path")
    saver.put_writes(at, [("z", 0)], "task", "earlier")
    saver.put_writes(at, [], "task")
    found = saver.get_tuple(at)
    assert found is not None
    assert found.pending_writes == [
        ("task", "__error__", large),
        ("task", "a", 1),
        ("task", "b", large),
        ("task", "c", 3),
    ]


def test_ttl(manager: AWSClientManager, agent_id: str, clock: Clock) -> None:
    """What has expired is not there, although the database has not removed it."""
    saver = DaybookSaver(
        client_manager=manager, agent_id=agent_id, ttl=timedelta(hours=1), fenced=True
    )
    (first,) = chain(saver, "t", 1)
    saver.put_writes(first, [("a", 1)], "task")
    clock.advance(minutes=59)
    put(saver, first, a=1)
    assert len(ids(saver, None)) == 2
    clock.advance(minutes=1)
    assert saver.get_tuple(first) is None
    assert len(ids(saver, None)) == len(ids(saver, config("t"))) == 1
    clock.advance(minutes=59)
    assert ids(saver, None) == []
    chain(saver, "t", 2)
    clock.advance(minutes=30)
    saver.copy_thread("t", "copy")
    clock.advance(minutes=30)
    assert ids(saver, config("t")) == []
    assert len(ids(saver, config("copy"))) == 2


def test_too_large(local: AWSClientManager, with_bucket: AWSClientManager) -> None:
    """Over 4 MB needs a bucket; the refusal says so, and leaves nothing behind."""
    small = DaybookSaver(client_manager=local, agent_id="too-large")
    noise = os.urandom(4_000_000)
    with pytest.raises(BodyTooLargeError, match="DAYBOOK_PAYLOAD_BUCKET"):
        put(small, config("t"), noise=noise)
    assert ids(small, None) == []
    put(small, config("t"), noise=noise[:3_900_000])
    large = DaybookSaver(client_manager=with_bucket, agent_id="large")
    put(large, config("t"), noise=noise)
    for saver, length in ((small, 3_900_000), (large, 4_000_000)):
        found = saver.get_tuple(config("t"))
        assert found is not None
        assert found.checkpoint["channel_values"]["noise"] == noise[:length]


def test_a_copy_stands_alone(saver: DaybookSaver) -> None:
    """With its large bodies, its writes, and its runs; the source may go."""
    at = saver.put(config("t"), checkpoint(a=os.urandom(400_000)), metadata(run_id="r"), {})
    saver.put_writes(at, [("c", os.urandom(400_000))], "task")
    before = saver.get_tuple(config("t"))
    saver.copy_thread("t", "copy")
    saver.copy_thread("t", "t")
    saver.delete_thread("t")
    after = saver.get_tuple(config("copy"))
    assert before is not None
    assert after is not None
    assert after[1:] == before[1:]
    assert ids(saver, None) == [before.checkpoint["id"]]
    saver.delete_for_runs(["r"])
    assert ids(saver, None) == []


def test_nothing_is_left_of_a_thread(saver: DaybookSaver) -> None:
    """Every item of it is gone, and of the list."""
    made = checkpoint(a=os.urandom(400_000))
    at = saver.put(config("t"), made, metadata(run_id="r"), {})
    saver.put_writes(at, [("c", 1), ("__error__", 2)], "task")
    saver.delete_thread("t")
    store = saver.client_manager.store
    for partition in (f"{saver.agent_id}#langgraph", f"{saver.agent_id}#langgraph#t"):
        assert list(store.query(STATE, equals("pk", partition))) == []


@pytest.mark.parametrize(
    "at",
    [
        {},
        {"configurable": {}},
        {"configurable": {"thread_id": None}},
        {"configurable": {"thread_id": True}},
        {"configurable": {"thread_id": "\ud800"}},
        {"configurable": {"thread_id": "x" * 10_001}},
        {"configurable": {"thread_id": "t", "checkpoint_ns": 1}},
        {"configurable": {"thread_id": "t", "checkpoint_id": "a#b"}},
        {"configurable": {"thread_id": "t", "checkpoint_id": 7}},
    ],
)
def test_bad_configs(saver: DaybookSaver, at: Any) -> None:
    """A config that names no place is refused with a sentence, before any request."""
    for call in (
        lambda: saver.get_tuple(at),
        lambda: put(saver, at),
        lambda: saver.put_writes(at, [("a", 1)], "task"),
    ):
        with pytest.raises(InvalidInputError):
            call()
    assert ids(saver, None) == []


def test_bad_arguments(saver: DaybookSaver, manager: AWSClientManager) -> None:
    """What cannot be is refused before anything is written."""
    with pytest.raises(InvalidAgentIdError):
        DaybookSaver(client_manager=manager, agent_id="a#b")
    for ttl in (timedelta(0), timedelta(-1), 5, timedelta.max):
        with pytest.raises(InvalidInputError):
            DaybookSaver(client_manager=manager, agent_id="a", ttl=ttl)  # type: ignore[arg-type]
    at = put(saver, config("t"))
    bad: Any
    for bad in ("all", None):
        with pytest.raises(InvalidInputError):
            saver.prune(["t"], strategy=bad)
    for bad in ("t", [None]):
        with pytest.raises(InvalidInputError):
            saver.prune(bad)
        with pytest.raises(InvalidInputError):
            saver.delete_for_runs(bad)
    with pytest.raises(InvalidInputError, match="checkpoint_id"):
        saver.put_writes(config("t"), [("a", 1)], "task")
    for bad in (None, 1, "\ud800"):
        with pytest.raises(InvalidInputError):
            saver.put_writes(at, [("a", 1)], bad)
    with pytest.raises(InvalidInputError, match="cannot be stored"):
        put(saver, at, value=object.__new__)
    assert len(ids(saver, None)) == 1


def test_versions(saver: DaybookSaver) -> None:
    """They grow, also those of a thread that another saver began."""
    assert [saver.get_next_version(None, None), saver.get_next_version(1, None)] == [1, 2]
    old = "00000000000000000000000000000009.0123456789"
    assert saver.get_next_version(old, None) > old


def go_on(saver: DaybookSaver, times: int, noise: bytes) -> None:
    """Read the latest checkpoint and put one after it, several times."""
    for _ in range(times):
        found = saver.get_tuple(config("t"))
        put(saver, found.config if found else config("t"), noise=noise)


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("fenced", [False, True])
def test_a_writer_that_dies(local: AWSClientManager, after_effect: bool, fenced: bool) -> None:
    """Whichever call it dies at, the thread is whole: each checkpoint is there or is not."""
    for dies_at in (1, 2, 3, 5, 7):
        agent_id = f"dying-{fenced}-{after_effect}-{dies_at}"
        client: Any = DyingClient(local.dynamodb, dies_at=dies_at, after_effect=after_effect)
        manager = AWSClientManager(dynamodb=client, settings=Settings())
        dying = DaybookSaver(client_manager=manager, agent_id=agent_id, fenced=fenced)
        noise = os.urandom(400_000)
        with pytest.raises(DeadError):
            go_on(dying, times=4, noise=noise)
        heir = DaybookSaver(client_manager=local, agent_id=agent_id, fenced=fenced)
        listed = list(heir.list(config("t")))
        assert all(one.checkpoint["channel_values"] == {"noise": noise} for one in listed)
        assert ids(heir, None) == [one.checkpoint["id"] for one in listed]
        latest = heir.get_tuple(config("t"))
        put(heir, latest.config if latest else config("t"), a=1)
        assert len(ids(heir, config("t"))) == len(listed) + 1


@pytest.mark.parametrize("verb", ["delete_thread", "copy_thread", "delete_for_runs", "prune"])
def test_upkeep_that_dies_is_finished_by_a_repeat(local: AWSClientManager, verb: str) -> None:
    """A copy holds the older checkpoints whole; what is deleted is deleted in the end."""
    for dies_at in (1, 2, 4, 6):
        agent_id = f"dying-{verb}-{dies_at}"
        saver = DaybookSaver(client_manager=local, agent_id=agent_id)
        at = config("t")
        for number in range(40):
            at = saver.put(at, checkpoint(n=number), metadata(number, run_id=f"r{number % 2}"), {})
            saver.put_writes(at, [("c", number)], "task")
        client: Any = DyingClient(local.dynamodb, dies_at=dies_at)
        dying = DaybookSaver(
            client_manager=AWSClientManager(dynamodb=client, settings=Settings()),
            agent_id=agent_id,
        )
        arguments: dict[str, tuple[Any, ...]] = {
            "delete_thread": ("t",),
            "copy_thread": ("t", "u"),
            "delete_for_runs": (["r0"],),
            "prune": (["t"],),
        }
        try:
            getattr(dying, verb)(*arguments[verb])
        except DeadError:
            copied = list(saver.list(config("u")))
            assert all(one.pending_writes for one in copied)
            assert [one.checkpoint["channel_values"]["n"] for one in copied] == list(
                range(len(copied))
            )[::-1]
        getattr(saver, verb)(*arguments[verb])
        left = {"delete_thread": 0, "copy_thread": 80, "delete_for_runs": 20, "prune": 1}
        assert len(ids(saver, None)) == left[verb]


def test_an_endpoint_that_is_not_there(agent_id: str) -> None:
    """The error is Daybook's, and says where to look."""
    manager = AWSClientManager(endpoint_url="http://127.0.0.1:1", settings=Settings())
    with pytest.raises(UnreachableError):
        DaybookSaver(client_manager=manager, agent_id=agent_id).get_tuple(config("t"))
