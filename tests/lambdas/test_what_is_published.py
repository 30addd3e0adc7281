"""The metrics that the cost model prices are those that the functions send, and no others."""

import ast
from collections.abc import Iterator
from pathlib import Path

from daybook.costs.deployment import METRICS, Fn

LAMBDAS = Path(__file__).parent.parent.parent / "lambdas"
ADDERS = {"add_metric", "_count"}
KEYWORDS = {"count", "lag", "failures"}


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts of a node that look like a metric's name."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            text = each.value
            if text.isalpha() and text[0].isupper():
                yield text


def published(source: str) -> set[str]:
    """Return the metrics that a file names: where it adds one, or hands a name on."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else None
            called = node.func.id if isinstance(node.func, ast.Name) else called
            if called in ADDERS:
                found |= set(texts(node.args[0]))
            for keyword in node.keywords:
                if keyword.arg in KEYWORDS:
                    found |= set(texts(keyword.value))
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "COUNTED" for target in node.targets
        ):
            found |= set(texts(node.value))
    return found


def test_every_metric_has_a_price() -> None:
    """Each function sends what the model says that it sends."""
    found = {path.stem: published(path.read_text()) for path in LAMBDAS.rglob("*.py")}
    for function in Fn:
        priced = {name for name, metric in METRICS.items() if metric.function is function}
        assert found.pop(function.value.replace("-", "_")) == priced, function
    assert not any(found.values()), found


def test_a_new_metric_would_be_seen() -> None:
    """The control: however it is added."""
    assert published("metrics.add_metric('NewOne', unit, 1)") == {"NewOne"}
    assert published("def f(name): _count('NewOne' if name else 'Other')") == {"NewOne", "Other"}
    assert published("plan(due, count='NewOne', lag='Late')") == {"NewOne", "Late"}
    assert published("COUNTED = {'NewOne': 'attribute'}") == {"NewOne"}


def test_names_have_one_dimension() -> None:
    """A dimension more would make several metrics of a name."""
    for path in LAMBDAS.rglob("*.py"):
        text = path.read_text()
        for adder in ("add_dimension", "set_default_dimensions", "capture_cold_start_metric"):
            assert adder not in text, path
