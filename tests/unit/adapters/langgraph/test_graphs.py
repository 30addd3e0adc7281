"""Real graphs on the saver: interrupts, time travel, subgraphs, large states, async, two runs."""

import asyncio
import operator
import os
import time
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Command, interrupt

from daybook import StaleStateError
from daybook.adapters.langgraph import DaybookSaver, DaybookStore

Config = Any


class Steps(TypedDict, total=False):
    """A state that grows."""

    steps: Annotated[list[str], operator.add]
    blob: bytes


def adds(name: str) -> Callable[[Steps], Steps]:
    """Return a node that adds its name."""
    return lambda _: {"steps": [name]}


def asks(_: Steps) -> Steps:
    """Ask a person."""
    return {"steps": [f"said {interrupt('go on?')}"]}


def graph(saver: DaybookSaver, *nodes: tuple[str, Any], store: DaybookStore | None = None) -> Any:
    """Return a graph of these nodes, one after the other."""
    builder: Any = StateGraph(Steps)
    before = START
    for name, node in nodes:
        builder.add_node(name, node)
        builder.add_edge(before, name)
        before = name
    builder.add_edge(before, END)
    return builder.compile(checkpointer=saver, store=store)


@pytest.fixture(params=[False, True], ids=["free", "fenced"])
def keeper(
    request: pytest.FixtureRequest, saver: DaybookSaver, fenced: DaybookSaver
) -> DaybookSaver:
    """Give a saver without and with a fence: whoever is alone notices no difference."""
    return fenced if request.param else saver


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_runs_follow_each_other(keeper: DaybookSaver, thread: Config, durability: Any) -> None:
    """A thread's state grows from run to run, and its history tells it."""
    app = graph(keeper, ("a", adds("a")), ("b", adds("b")))
    for _ in range(3):
        last = app.invoke({"steps": ["in"]}, thread, durability=durability)
    assert last["steps"] == ["in", "a", "b"] * 3
    history = list(app.get_state_history(thread))
    assert len(history) == (3 if durability == "exit" else 12)
    assert history[0].values == last


def test_interrupt_and_resume(keeper: DaybookSaver, thread: Config) -> None:
    """A run that waits for a person is resumed by another graph, in another process say."""
    nodes = [("a", adds("a")), ("ask", asks), ("b", adds("b"))]
    waiting = graph(keeper, *nodes).invoke({"steps": []}, thread)
    assert waiting["__interrupt__"][0].value == "go on?"
    app = graph(keeper, *nodes)
    assert app.get_state(thread).next == ("ask",)
    assert app.invoke(Command(resume="yes"), thread)["steps"] == ["a", "said yes", "b"]


def test_time_travel(keeper: DaybookSaver, thread: Config) -> None:
    """From an older checkpoint a branch is run, updated, and run again; the old one stays."""
    app = graph(keeper, ("a", adds("a")), ("b", adds("b")))
    app.invoke({"steps": ["in"]}, thread)
    history = list(app.get_state_history(thread))
    before_b = next(one for one in history if one.next == ("b",))
    assert app.invoke(None, before_b.config)["steps"] == ["in", "a", "b"]
    for choice in ("x", "y"):
        changed = app.update_state(before_b.config, {"steps": [choice]})
        assert app.invoke(None, changed)["steps"] == ["in", "a", choice, "b"]
        assert app.get_state(thread).values["steps"] == ["in", "a", choice, "b"]
    copied = app.update_state(before_b.config, None, as_node="__copy__")
    assert app.invoke(None, copied)["steps"] == ["in", "a", "b"]
    assert app.invoke({"steps": ["on"]}, thread)["steps"] == ["in", "a", "b", "on", "a", "b"]
    kept = {one.config["configurable"]["checkpoint_id"] for one in app.get_state_history(thread)}
    assert {one.config["configurable"]["checkpoint_id"] for one in history} < kept


def test_the_first_checkpoint_copied(keeper: DaybookSaver, thread: Config) -> None:
    """A copy of a checkpoint that has no parent is a branch from the beginning."""
    app = graph(keeper, ("a", adds("a")))
    app.invoke({"steps": ["in"]}, thread)
    first = list(app.get_state_history(thread))[-1]
    copied = app.update_state(first.config, None, as_node="__copy__")
    assert app.invoke(None, copied)["steps"] == ["in", "a"]


def test_resume_again_from_the_interrupt(keeper: DaybookSaver, thread: Config) -> None:
    """An answer is taken back: the question is asked anew from its checkpoint."""
    app = graph(keeper, ("ask", asks), ("b", adds("b")))
    app.invoke({"steps": []}, thread)
    asked = app.get_state(thread).config
    assert app.invoke(Command(resume="yes"), thread)["steps"] == ["said yes", "b"]
    assert "__interrupt__" in app.invoke(None, asked)
    assert app.invoke(Command(resume="no"), thread)["steps"] == ["said no", "b"]


@pytest.mark.parametrize("own_memory", [None, True])
def test_subgraphs(keeper: DaybookSaver, thread: Config, own_memory: Any) -> None:
    """A subgraph is interrupted, resumed and travelled into; with its own memory too."""
    inner: Any = StateGraph(Steps)
    inner.add_node("x", adds("x"))
    inner.add_node("ask", asks)
    inner.add_edge(START, "x")
    inner.add_edge("x", "ask")
    app = graph(keeper, ("a", adds("a")), ("sub", inner.compile(checkpointer=own_memory)))
    app.invoke({"steps": []}, thread)
    assert app.get_state(thread, subgraphs=True).tasks[0].state.next == ("ask",)
    first = app.invoke(Command(resume="yes"), thread)
    assert first["steps"][-1] == "said yes"
    before = next(one for one in app.get_state_history(thread) if one.next == ("sub",))
    assert "__interrupt__" in app.invoke(None, before.config)
    assert app.invoke(Command(resume="no"), thread)["steps"][-1] == "said no"
    namespaces = {one.config["configurable"]["checkpoint_ns"] for one in keeper.list(thread)}
    assert "" in namespaces
    assert len(namespaces) >= 2


def test_a_task_that_failed(keeper: DaybookSaver, thread: Config) -> None:
    """What other tasks of the step have written is kept, and they do not run again."""
    ran: list[str] = []

    def good(_: Steps) -> Steps:
        ran.append("good")
        return {"steps": ["good"]}

    def is_kept(value: list[str]) -> bool:
        found = keeper.get_tuple(thread)
        return found is not None and value in [write[2] for write in found.pending_writes or ()]

    def bad(_: Steps) -> Steps:
        ran.append("bad")
        if ran.count("bad") == 1:
            while not is_kept(["good"]):
                time.sleep(0.01)
            raise ZeroDivisionError
        return {"steps": ["bad"]}

    builder: Any = StateGraph(Steps)
    for name, node in (("good", good), ("bad", bad)):
        builder.add_node(name, node)
        builder.add_edge(START, name)
    app = builder.compile(checkpointer=keeper)
    with pytest.raises(ZeroDivisionError):
        app.invoke({"steps": []}, thread)
    assert sorted(app.invoke(None, thread)["steps"]) == ["bad", "good"]
    assert sorted(ran) == ["bad", "bad", "good"]


def test_600_kb_of_state(keeper: DaybookSaver, thread: Config) -> None:
    """A state that no item can hold goes through a graph, and through its pending writes."""
    blob = os.urandom(600_000)
    app = graph(keeper, ("load", lambda _: {"blob": blob}), ("b", adds("b")))
    assert app.invoke({"steps": []}, thread)["blob"] == blob
    assert app.get_state(thread).values == {"steps": ["b"], "blob": blob}
    middle = next(one for one in app.get_state_history(thread) if one.next == ("b",))
    assert app.invoke(None, middle.config)["blob"] == blob


def test_async(keeper: DaybookSaver, store: DaybookStore) -> None:
    """The same, awaited; ten threads at once; a node remembers in the store."""

    async def remembers(state: Steps, *, store: BaseStore) -> Steps:
        await store.aput(("seen",), state["steps"][0], {"steps": state["steps"]})
        return {"steps": ["remembered"]}

    app = graph(keeper, ("a", adds("a")), ("r", remembers), ("ask", asks), store=store)

    async def one(number: int) -> list[str]:
        at: Config = {"configurable": {"thread_id": str(number)}}
        await app.ainvoke({"steps": [f"in {number}"]}, at)
        done = await app.ainvoke(Command(resume="yes"), at)
        past = [one.next async for one in app.aget_state_history(at)]
        assert past[0] == ()
        return list(done["steps"])

    async def all_of_them() -> list[list[str]]:
        return await asyncio.gather(*(one(number) for number in range(10)))

    expected = [[f"in {number}", "a", "remembered", "said yes"] for number in range(10)]
    assert asyncio.run(all_of_them()) == expected
    assert len(store.search(("seen",), limit=20)) == 10


def test_a_run_that_is_overtaken(saver: DaybookSaver, fenced: DaybookSaver) -> None:
    """While a run works another one takes the thread on: with a fence the first is told."""
    for keeper in (saver, fenced):
        at: Config = {"configurable": {"thread_id": f"{keeper.fenced}"}}
        quick = graph(keeper, ("a", adds("quick")))
        quick.invoke({"steps": ["first"]}, at)

        def overtaken(_: Steps, quick: Any = quick, at: Config = at) -> Steps:
            quick.invoke({"steps": ["second"]}, at)
            return {"steps": ["slow"]}

        slow = graph(keeper, ("slow", overtaken), ("b", adds("b")))
        if keeper.fenced:
            with pytest.raises(StaleStateError):
                slow.invoke({"steps": ["third"]}, at, durability="sync")
            kept = quick.get_state(at).values["steps"]
            assert kept[:3] == ["first", "quick", "third"]
            assert "second" in kept
            assert "slow" not in kept
        else:
            slow.invoke({"steps": ["third"]}, at, durability="sync")
            assert "second" not in quick.get_state(at).values["steps"]  # lost, and nobody knows
