"""Channels of which a checkpoint holds only what was added: rebuilt, pruned and copied."""

import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, StateGraph

from daybook import CapacityMeter
from daybook.adapters.langgraph import DaybookSaver


def extended(state: list[str], writes: list[list[str]]) -> list[str]:
    """Return the list with all that was written."""
    return [*state, *(one for write in writes for one in write)]


class State(TypedDict, total=False):
    """A log that is kept as its additions, and a number."""

    log: Annotated[list[str], DeltaChannel(extended, snapshot_frequency=3)]
    count: Annotated[int, operator.add]


class Long(TypedDict, total=False):
    """A log that is seldom kept whole."""

    log: Annotated[list[str], DeltaChannel(extended, snapshot_frequency=1000)]


@pytest.mark.parametrize("durability", ["sync", "exit"])
@pytest.mark.parametrize("fence", [False, True])
def test_the_latest_value_outlives_pruning(
    saver: DaybookSaver, thread: Any, fence: bool, durability: Any
) -> None:
    """After any number of runs the latest state is the same before and after, and in a copy."""
    saver.fenced = fence
    builder: Any = StateGraph(State)
    builder.add_node("n", lambda state: {"log": [f"n{state['count']}"], "count": 1})
    builder.add_edge(START, "n")
    app = builder.compile(checkpointer=saver)
    thread_id = thread["configurable"]["thread_id"]
    copy: Any = {"configurable": {"thread_id": f"{thread_id} copy"}}
    expected: list[str] = []
    base = super(DaybookSaver, saver).get_delta_channel_history
    for number in range(4):
        app.invoke({"log": ["in"], "count": 0}, thread, durability=durability)
        expected += ["in", f"n{number}"]
        assert app.get_state(thread).values["log"] == expected
        asked: Any = {"channels": ["log", "count", "missing"]}
        for one in saver.list(thread):
            ours = saver.get_delta_channel_history(config=one.config, **asked)
            assert ours == base(config=one.config, **asked)
        before = len(list(saver.list(thread)))
        saver.prune([thread_id])
        assert app.get_state(thread).values["log"] == expected
        assert len(list(saver.list(thread))) <= min(before, 8)
        saver.copy_thread(thread_id, copy["configurable"]["thread_id"])
        assert app.get_state(copy).values["log"] == expected


def test_a_long_history_takes_few_requests(
    saver: DaybookSaver, meter: CapacityMeter, thread: Any
) -> None:
    """Sixty supersteps since the last whole value are read as a list, not one by one."""
    builder: Any = StateGraph(Long)
    builder.add_node("n", lambda _: {"log": ["n"]})
    builder.add_edge(START, "n")
    app = builder.compile(checkpointer=saver)
    for _ in range(20):
        app.invoke({"log": ["in"]}, thread)
    meter.requests.clear()
    assert app.get_state(thread).values["log"] == ["in", "n"] * 20
    assert meter.requests.total() <= 8
