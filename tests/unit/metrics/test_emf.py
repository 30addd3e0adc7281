"""CloudWatch's embedded metric format: by its specification, line by line."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from daybook import EmfWriter, InvalidInputError, Registry, emf_lines

NOW = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def filled() -> Registry:
    """Make one measure of each kind, by namespace."""
    registry = Registry()
    registry.counter("saved_total", "Bytes", ["namespace"], "Bytes").add(5, namespace="a")
    registry.gauge("ratio", "A share", ["namespace"]).set(0.5, namespace="a")
    took = registry.histogram("took_ms", "Milliseconds", ["namespace"])
    took.observe(1.5, namespace="a")
    took.observe(2.5, namespace="a")
    return registry


def checked(line: str) -> dict[str, Any]:
    """Check a line by the specification's schema, in words, and return it."""
    assert "\n" not in line
    document: dict[str, Any] = json.loads(line)
    meta = document["_aws"]
    assert set(meta) == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(meta["Timestamp"], int)
    for directive in meta["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(directive["Namespace"]) <= 1024
        assert 1 <= len(directive["Metrics"]) <= 100
        for names in directive["Dimensions"]:
            assert len(names) <= 30
            for name in names:
                assert isinstance(document[name], str)
                assert 1 <= len(document[name]) <= 1024
        for metric in directive["Metrics"]:
            assert set(metric) <= {"Name", "Unit", "StorageResolution"}
            value = document[metric["Name"]]
            assert isinstance(value, int | float) or 1 <= len(value) <= 100
    return document


def test_a_line_is_as_specified() -> None:
    """The measures of one set of labels are one line."""
    (line,) = emf_lines(filled(), NOW, "Mine")
    assert checked(line) == {
        "_aws": {
            "Timestamp": 1772366400500,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Mine",
                    "Dimensions": [["namespace"]],
                    "Metrics": [
                        {"Name": "ratio", "Unit": "None"},
                        {"Name": "saved_total", "Unit": "Bytes"},
                        {"Name": "took_ms", "Unit": "Milliseconds"},
                    ],
                }
            ],
        },
        "namespace": "a",
        "ratio": 0.5,
        "saved_total": 5.0,
        "took_ms": [1.5, 2.5],
    }


def test_a_writer_tells_growth() -> None:
    """A counter's growth, a histogram's new values; CloudWatch adds them up itself."""
    registry, writer = filled(), EmfWriter()
    writer.lines(registry, NOW)
    registry.counter("saved_total", "Bytes", ["namespace"], "Bytes").add(2, namespace="a")
    (line,) = writer.lines(registry, NOW)
    again = checked(line)
    assert (again["saved_total"], again["ratio"], "took_ms" in again) == (2.0, 0.5, False)


def test_many_values_and_metrics_are_several_lines() -> None:
    """A hundred of either to a line; other labels are other lines."""
    registry = Registry()
    for number in range(250):
        registry.histogram("took_ms", "Milliseconds", ["x"]).observe(number, x="1")
        registry.gauge(f"g{number}", "A number").set(number)
    registry.histogram("took_ms", "Milliseconds", ["x"]).observe(1.0, x="")
    lines = [checked(line) for line in emf_lines(registry, NOW)]
    values = [v for each in lines if each.get("x") == "1" for v in each["took_ms"]]
    assert sorted(values) == [float(n) for n in range(250)]
    assert [each["took_ms"] for each in lines if each.get("x") == "-"] == [[1.0]]
    assert sum(len(set(each) - {"_aws"}) for each in lines if "x" not in each) == 250


def test_nothing_is_no_line() -> None:
    """An empty registry says nothing; a bad namespace, or a moment without a zone, is refused."""
    assert emf_lines(Registry(), NOW) == []
    for bad in ("", " ", "x" * 1025):
        with pytest.raises(InvalidInputError):
            EmfWriter(bad)
    with pytest.raises(InvalidInputError):
        emf_lines(filled(), NOW.replace(tzinfo=None))
