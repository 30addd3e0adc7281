"""Batches: what is left undone is tried again, with pauses, and not for ever."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import UnfinishedBatchError
from daybook.store.batching import Backoff, cut, drain


def paused(pauses: list[float], tries: int = 4) -> Backoff:
    """Make a backoff that notes its pauses instead of sleeping."""
    return Backoff(tries=tries, base=1.0, cap=5.0, sleep=pauses.append, draw=lambda: 1.0)


def test_it_pauses_between_tries_and_not_after_the_last() -> None:
    """Each pause is longer than the one before; whoever fails at the last try knows at once."""
    pauses: list[float] = []
    before = [(attempt, list(pauses)) for attempt in paused(pauses).attempts()]
    assert before == [(0, []), (1, [1.0]), (2, [1.0, 2.0]), (3, [1.0, 2.0, 4.0])]
    assert pauses == [1.0, 2.0, 4.0]


def test_a_try_that_succeeds_is_not_followed_by_a_pause() -> None:
    """Leaving the loop leaves it at once."""
    pauses: list[float] = []
    for attempt in paused(pauses).attempts():
        if attempt == 1:
            break
    assert pauses == [1.0]


def test_a_loop_can_have_its_own_number_of_tries() -> None:
    """More or fewer than the backoff has; none at all does not pause, either."""
    pauses: list[float] = []
    assert [list(paused(pauses).attempts(tries)) for tries in (6, 1, 0)] == [[*range(6)], [0], []]
    assert pauses == [1.0, 2.0, 4.0, 5.0, 5.0]


@given(st.lists(st.integers()), st.integers(min_value=1, max_value=30))
def test_cutting_loses_nothing(elements: list[int], limit: int) -> None:
    """The runs joined are the whole, and none is over the limit."""
    runs = list(cut(elements, limit))
    assert [element for run in runs for element in run] == elements
    assert all(1 <= len(run) <= limit for run in runs)


@given(st.lists(st.integers(min_value=0, max_value=10), max_size=20))
def test_every_element_is_answered_once(leftovers: list[int]) -> None:
    """However much DynamoDB leaves undone each time, everything is answered once."""
    plan = iter(leftovers)

    def send(request: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        keys = request["t"]["Keys"]
        left = min(next(plan, 0), len(keys) - 1)
        rest = {"t": {"Keys": keys[len(keys) - left :]}} if left else {}
        return keys[: len(keys) - left], rest

    assert drain(send, {"t": {"Keys": list(range(10))}}, paused([])) == list(range(10))


def test_it_gives_up_after_its_tries() -> None:
    """The pauses grow up to the cap; the error carries what was not done."""
    pauses: list[float] = []

    def send(request: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        return [], request

    with pytest.raises(UnfinishedBatchError, match="2 of a batch undone 4 times") as unfinished:
        drain(send, {"t": ["one", "two"]}, paused(pauses))
    assert unfinished.value.unprocessed == (("t", "one"), ("t", "two"))
    assert pauses == [2.0, 4.0, 5.0]


def test_progress_starts_the_count_again() -> None:
    """As long as something gets through, it is not given up."""
    rest = list(range(20))

    def send(request: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        left = request["t"][1:]
        return [request["t"][0]], {"t": left} if left else {}

    assert drain(send, {"t": rest}, paused([], tries=1)) == rest


def test_nothing_to_send_sends_nothing() -> None:
    """An empty batch makes no request."""
    assert drain(lambda _: pytest.fail("a request was sent"), {}, paused([])) == []
