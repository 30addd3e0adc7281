"""Measures: what they count, and what they refuse."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from daybook import InvalidInputError, Registry
from daybook.metrics.measures import MOST_SERIES


def test_they_count() -> None:
    """A counter adds up, a gauge is what it was set to, a histogram knows its buckets."""
    registry = Registry()
    saved = registry.counter("saved_total", "Bytes saved", ["namespace"], "Bytes")
    saved.add(5, namespace="a")
    saved.add(2.5, namespace="a")
    saved.add(namespace="b")
    assert saved.values() == {("a",): 7.5, ("b",): 1.0}
    assert saved.value(namespace="never") == 0.0
    ratio = registry.gauge("ratio", "A share")
    ratio.set(0.5)
    ratio.set(-0.25)
    assert ratio.value() == -0.25
    took = registry.histogram("took_ms", "Milliseconds", bounds=[1, 10])
    for value in (0.5, 1.0, 1.5, 10, 99):
        took.observe(value)
    (known,) = took.distributions().values()
    assert (known.counts, known.total) == ([2, 2, 1], 112.0)


def test_a_name_is_one_measure() -> None:
    """Asked for again it is the same one; as something else it is refused."""
    registry = Registry()
    first = registry.counter("a_total", "A", ["x"])
    assert registry.counter("a_total", "A", ["x"]) is first
    wrong: list[Callable[[], Any]] = [
        lambda: registry.counter("a_total", "A", ["y"]),
        lambda: registry.counter("a_total", "A", ["x"], "Bytes"),
        lambda: registry.gauge("a_total", "A", ["x"]),
        lambda: registry.histogram("a_total", "A", ["x"]),
    ]
    for make in wrong:
        with pytest.raises(InvalidInputError, match="a_total"):
            make()


def test_bad_names_and_numbers() -> None:
    """Each is refused by an error that names the measure."""
    registry = Registry()
    for name in ("", "1a", "a-b", "a b"):
        with pytest.raises(InvalidInputError):
            registry.counter(name, "A")
    for label in ("", "1a", "_aws", "le", "a-b"):
        with pytest.raises(InvalidInputError):
            registry.counter("a_total", "A", [label])
    with pytest.raises(InvalidInputError, match="unit"):
        registry.gauge("a", "A", unit="Miles")  # type: ignore[arg-type]
    for bounds in ([], [2, 1], [1, 1], [float("inf")]):
        with pytest.raises(InvalidInputError, match="bounds"):
            registry.histogram("h", "A", bounds=bounds)
    counter = registry.counter("a_total", "A", ["x"])
    for amount in (-1, float("nan"), float("inf"), "1", True):
        with pytest.raises(InvalidInputError, match="a_total"):
            counter.add(amount, x="1")  # type: ignore[arg-type]
    for labels in ({}, {"y": "1"}, {"x": "1", "y": "1"}):
        with pytest.raises(InvalidInputError, match="labels"):
            counter.add(1, **labels)
    with pytest.raises(InvalidInputError):
        registry.histogram("h", "A").observe(float("nan"))
    with pytest.raises(InvalidInputError):
        registry.gauge("g", "A").set(float("nan"))


def test_a_label_is_not_for_ids() -> None:
    """A thousand sets of labels are kept; one more is refused, and the others go on."""
    counter = Registry().counter("a_total", "A", ["x"])
    for number in range(MOST_SERIES):
        counter.add(x=str(number))
    with pytest.raises(InvalidInputError, match="not for ids"):
        counter.add(x="one more")
    counter.add(x="0")
    assert counter.value(x="0") == 2.0


def test_threads_count_together() -> None:
    """Nothing is lost between them."""
    registry = Registry()

    def count(_: int) -> None:
        for _ in range(500):
            registry.counter("a_total", "A").add()
            registry.histogram("h", "A").observe(1.0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(8)))
    assert registry.counter("a_total", "A").value() == 4000
    (known,) = registry.histogram("h", "A").distributions().values()
    assert sum(known.counts) == 4000
