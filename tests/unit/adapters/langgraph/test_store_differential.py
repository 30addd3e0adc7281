"""The store against LangGraph's InMemoryStore: random batches of operations, the same answers.

Two things the store in memory does not mean to do are put right in the oracle: a get of what
is not there makes its namespace, and a namespace stays listed when its last document is gone.
"""

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from langgraph.store.base import (
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore

from daybook import AWSClientManager
from daybook.adapters.langgraph import DaybookStore, filters

LABELS = st.sampled_from(["a", "b", "a.b", "#", "ü", "", "*", "a/b"])
NAMESPACES = st.lists(LABELS, min_size=0, max_size=3).map(tuple)
NAMES = st.sampled_from(["k", "l", "#", "", "k/l", "ü"])
FIELDS = st.sampled_from(["x", "y", "$z"])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "1", "a", "2.5", "ü"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2),
    ),
    max_leaves=4,
)
OPERATORS = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])
CONDITIONS = st.one_of(
    VALUES,
    st.dictionaries(OPERATORS, LEAVES, min_size=1, max_size=2),
    st.dictionaries(
        FIELDS, st.dictionaries(OPERATORS, LEAVES, min_size=1, max_size=1), max_size=1
    ),
    st.just({"$in": [1]}),
    st.tuples(LEAVES),
)
ORDERED = st.dictionaries(OPERATORS, LEAVES, min_size=1, max_size=2)
FILTERS = st.one_of(st.none(), st.dictionaries(FIELDS, CONDITIONS, max_size=2))
PUTS = st.builds(
    PutOp,
    namespace=NAMESPACES,
    key=NAMES,
    value=st.one_of(st.none(), st.dictionaries(FIELDS, VALUES, max_size=3)),
    index=st.none(),
    ttl=st.none(),
)
MATCHES = st.lists(
    st.builds(MatchCondition, match_type=st.sampled_from(["prefix", "suffix"]), path=NAMESPACES),
    max_size=2,
).map(tuple)
OPS = st.one_of(
    PUTS,
    PUTS,
    st.builds(GetOp, namespace=NAMESPACES, key=NAMES),
    st.builds(
        SearchOp,
        namespace_prefix=NAMESPACES,
        filter=FILTERS,
        limit=st.integers(-1, 5),
        offset=st.integers(0, 3),
        query=st.sampled_from([None, "words"]),
    ),
    st.builds(
        ListNamespacesOp,
        match_conditions=st.one_of(st.none(), MATCHES),
        max_depth=st.one_of(st.none(), st.integers(0, 3)),
        limit=st.integers(0, 5),
        offset=st.integers(0, 2),
    ),
)
HISTORIES = st.lists(st.lists(OPS, min_size=1, max_size=6), min_size=1, max_size=6)


class Namespaces(dict[tuple[str, ...], dict[str, Item]]):
    """Documents by namespace; to look for one that is not there leaves no trace."""

    def __missing__(self, _: tuple[str, ...]) -> dict[str, Item]:
        """Return no documents."""
        return {}


class Oracle(InMemoryStore):
    """LangGraph's store in memory, in which what holds nothing is not listed."""

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do the operations."""
        data = self._data
        self._data = Namespaces({name: of for name, of in data.items() if of})
        try:
            results, puts, searches = self._prepare_ops(ops)
            self._batch_search(searches, {}, results)
        finally:
            self._data = data
        for address, op in puts.items():
            if op.value is not None or address[0] in data:
                self._apply_put_ops({address: op})
        return results


def told(answer: Any) -> Any:
    """Return an answer without its times, in which floats are as exact as they were."""
    if isinstance(answer, Item):
        return (answer.namespace, answer.key, repr(answer.value), type(answer).__name__)
    return [told(one) for one in answer] if isinstance(answer, list) else answer


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call answers, or how it fails."""
    try:
        return told(call())
    except (TypeError, ValueError) as fault:
        return "TypeError" if isinstance(fault, TypeError) else "ValueError"


def check(manager: AWSClientManager, history: list[list[Op]]) -> None:
    """Run a history in both, and compare every answer."""
    ours = DaybookStore(client_manager=manager, agent_id=f"agent-{uuid4().hex}")
    oracle = Oracle()
    for ops in history:
        assert outcome(partial(ours.batch, ops)) == outcome(partial(oracle.batch, ops)), ops
    everything: list[Op] = [SearchOp((), limit=1000), ListNamespacesOp(limit=1000)]
    assert told(ours.batch(everything)) == told(oracle.batch(everything))


SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=75, deadline=None, suppress_health_check=SLOW)
@given(history=HISTORIES)
def test_the_same_answers(local: AWSClientManager, history: list[list[Op]]) -> None:
    """Whatever is done in whatever order, both answer the same."""
    check(local, history)


@pytest.mark.campaign
@settings(max_examples=3000, deadline=None, suppress_health_check=SLOW)
@given(history=HISTORIES)
def test_the_same_answers_many_times(local: AWSClientManager, history: list[list[Op]]) -> None:
    """The same, for as long as a campaign may take."""
    check(local, history)


def check_filter(value: Any, conditions: dict[str, Any]) -> None:
    """Compare the filter with a search in LangGraph's store for one document."""
    oracle = Oracle()
    oracle.put(("a",), "k", {"x": value})
    assert outcome(lambda: filters.lets_through({"x": conditions}, {"x": value})) == outcome(
        lambda: bool(oracle.search(("a",), filter={"x": conditions}))
    )


@settings(max_examples=500, deadline=None)
@given(value=LEAVES, conditions=ORDERED)
def test_the_same_filters(value: Any, conditions: dict[str, Any]) -> None:
    """One document and one filter: both let it through, or neither, or both refuse."""
    check_filter(value, conditions)


BREAKS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda value, wanted: float(value) >= float(wanted),
    "$ne": lambda value, wanted: value is not None and bool(value != wanted),
    "$eq": lambda value, wanted: str(value) == str(wanted),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_the_control_finds_a_broken_filter(broken: str) -> None:
    """The same test fails when one operator of the filter is wrong in one case."""
    operators = {**filters._OPERATORS, broken: BREAKS[broken]}  # noqa: SLF001

    @settings(max_examples=3000, deadline=None, derandomize=True, phases=[Phase.generate])
    @given(value=LEAVES, conditions=ORDERED)
    def differential(value: Any, conditions: dict[str, Any]) -> None:
        check_filter(value, conditions)

    with patch.object(filters, "_OPERATORS", operators), pytest.raises(AssertionError):
        differential()


def test_the_store_is_shared_by_threads(local: AWSClientManager) -> None:
    """Eight threads put and read through one store: each finds what it has put, in order."""
    store = DaybookStore(client_manager=local, agent_id=f"agent-{uuid4().hex}")
    failures: list[object] = []

    def work(number: int) -> None:
        for step in range(10):
            store.put((str(number),), str(step), {"step": step})
        found = store.search((str(number),), limit=100)
        if [one.value["step"] for one in found] != list(range(10)):
            failures.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.list_namespaces()) == 8
