"""Random trees of blocks, of every kind and in every kind of thread: the log has the tree."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    carrying,
    current_decision,
    decision,
)

KIND = DecisionType.OTHER
WAYS = ("with", "decorated", "thread", "pool", "loop", "hand")
ASYNC_WAYS = ("async with", "async decorated", "task", "to_thread", "with", "hand")


@dataclass
class Node:
    """A decision, how it is run, whether it is decided at once, and what it leads to."""

    way: int
    decided: bool
    together: bool
    children: list["Node"] = field(default_factory=list)
    number: int = -1


def numbered(roots: list[Node]) -> Iterator[tuple[Node, int | None]]:
    """Give each node a number, and yield it with its parent's."""
    waiting: list[tuple[Node, int | None]] = [(root, None) for root in roots]
    count = 0
    while waiting:
        node, parent = waiting.pop()
        node.number, count = count, count + 1
        yield node, parent
        waiting += [(child, node.number) for child in node.children]


leaves = st.builds(Node, way=st.integers(0, 5), decided=st.booleans(), together=st.booleans())
trees = st.recursive(
    leaves,
    lambda below: st.builds(
        Node,
        way=st.integers(0, 5),
        decided=st.booleans(),
        together=st.booleans(),
        children=st.lists(below, max_size=4),
    ),
    max_leaves=14,
)


class Walker:
    """Runs a tree, each node as a decision."""

    def __init__(self, log: DecisionLogger) -> None:
        self.log = log

    def run(self, node: Node) -> None:
        """Run a node where no loop runs."""
        match WAYS[node.way]:
            case "hand" if not node.children:
                self.log.log_decision(KIND, confidence=0.5, context={"number": node.number})
            case "decorated":
                self.decorated(node)
            case "thread":
                thread = threading.Thread(target=carrying(self.block), args=(node,))
                thread.start()
                thread.join()
            case "pool":
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(carrying(self.block), node).result()
            case "loop":
                asyncio.run(self.async_block(node))
            case _:
                self.block(node)

    def block(self, node: Node) -> None:
        """Run a node in a `with`."""
        chosen = "x" if node.decided else ()
        outer = current_decision()
        with self.log.deciding(
            KIND, selected=chosen, confidence=0.5, context={"number": node.number}
        ) as d:
            assert outer is None or not outer.selected or outer.is_logged
            self.inside(node)
            assert current_decision() is d

    def decorated(self, node: Node) -> None:
        """Run a node in a decorated function."""

        @decision(KIND, log=self.log, confidence=0.5)
        def choose(number: int) -> None:
            assert number == node.number
            self.inside(node)

        choose(node.number)

    def inside(self, node: Node) -> None:
        """Run what a node leads to."""
        if node.together and len(node.children) > 1:
            with ThreadPoolExecutor(len(node.children)) as pool:
                list(pool.map(carrying(self.run), node.children))
        else:
            for child in node.children:
                self.run(child)

    async def run_async(self, node: Node) -> None:
        """Run a node in a loop."""
        match ASYNC_WAYS[node.way]:
            case "hand" if not node.children:
                self.log.log_decision(KIND, confidence=0.5, context={"number": node.number})
            case "async decorated":
                await self.async_decorated(node)
            case "task":
                await asyncio.create_task(self.async_block(node))
            case "to_thread":
                await asyncio.to_thread(self.run, node)
            case "with":
                with self.log.deciding(KIND, confidence=0.5, context={"number": node.number}):
                    await self.inside_async(node)
            case _:
                await self.async_block(node)

    async def async_block(self, node: Node) -> None:
        """Run a node in an `async with`."""
        chosen = "x" if node.decided else ()
        outer = current_decision()
        async with self.log.deciding(
            KIND, selected=chosen, confidence=0.5, context={"number": node.number}
        ) as d:
            assert outer is None or not outer.selected or outer.is_logged
            await self.inside_async(node)
            assert current_decision() is d

    async def async_decorated(self, node: Node) -> None:
        """Run a node in a decorated async function."""

        @decision(KIND, log=self.log, confidence=0.5)
        async def choose(number: int) -> None:
            assert number == node.number
            await self.inside_async(node)

        await choose(node.number)

    async def inside_async(self, node: Node) -> None:
        """Run what a node leads to."""
        if node.together:
            await asyncio.gather(*(self.run_async(child) for child in node.children))
        else:
            for child in node.children:
                await self.run_async(child)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(roots=st.lists(trees, min_size=1, max_size=3))
def test_the_log_has_the_tree(tables: AWSClientManager, roots: list[Node]) -> None:
    """Every decision is logged once, under the parent in whose block it was made.

    A decided parent stands in the log before its children begin.
    """
    tree = {node.number: parent for node, parent in numbered(roots)}
    log = DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", tables))
    for root in roots:
        Walker(log).run(root)
    assert current_decision() is None
    assert _logged(log) == tree


def _logged(log: DecisionLogger) -> dict[Any, Any]:
    decisions = list(log.query_decisions())
    number = {d.decision_id: d.context.as_dict()["number"] for d in decisions}
    assert len(set(number.values())) == len(decisions)
    return {
        number[d.decision_id]: d.parent_decision_id and number[d.parent_decision_id]
        for d in decisions
    }
