"""`daybook cost`: the table, the JSON, and what is said to wrong numbers."""

import inspect
import json
import subprocess
import sys
from functools import partial

import pytest

from daybook.cli.cost import show_cost
from daybook.costs import Workload, bill
from tests.unit.cli.conftest import Run

EXAMPLE = ("--agents", "5", "--cycles-per-day", "144", "--decisions-per-cycle", "4")


@pytest.fixture
def run(daybook: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs `daybook cost`, in a wide window."""
    monkeypatch.setenv("COLUMNS", "160")
    return partial(daybook, "cost")


def test_a_table(run: Run) -> None:
    """Each part has its requests and its dollars; the sum, the prices' day and the rest follow."""
    code, out, _ = run(*EXAMPLE)
    assert code == 0
    made = bill(Workload(agents=5, cycles_per_day=144, decisions_per_cycle=4))
    shown = {line.split("  ")[0]: line for line in out.splitlines() if "  " in line}
    for line in made.lines:
        assert (line.part in shown) is bool(line.amounts)
        if line.amounts:
            assert f"{line.dollars:,.2f}" in shown[line.part]
    assert f"{made.dollars:,.2f}" in shown["a month"]
    assert f"{made.requests:,.0f}" in shown["a month"]
    assert "us-east-1" in shown["a month"]
    assert "730 hours" in out
    assert "Not counted: data transfer" in out


def test_json(run: Run) -> None:
    """Programs get the same, not rounded, with what it was asked."""
    code, out, _ = run(*EXAMPLE, "--json")
    assert code == 0
    told = json.loads(out)
    assert told["dollars"] == pytest.approx(sum(p["dollars"] for p in told["parts"].values()))
    assert told["region"] == "us-east-1"
    assert told["workload"]["agents"] == 5
    assert told["parts"]["alarms"]["amounts"] == {"alarms": 33}
    assert told["assumptions"]


def test_no_free_tier(run: Run) -> None:
    """The full price is what is to be paid."""
    told = json.loads(run(*EXAMPLE, "--json", "--no-free-tier")[1])
    assert told["dollars"] == pytest.approx(told["list_price"])
    other = json.loads(run(*EXAMPLE, "--json")[1])
    assert other["dollars"] < told["dollars"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--agents", "0"), "--agents is 0, and should be greater than or equal to 1"),
        (("--agents", "-3"), "--agents is -3"),
        (("--cycles-per-day", "nan"), "--cycles-per-day is nan, and should be a finite number"),
        (("--decision-kb", "1e12"), "should be less than or equal to 1000"),
        (("--outcomes", "40"), "--outcomes is 40.0, and should be less than or equal to 1"),
        (("--door", "queue"), "--door is queue, and should be 'tables' or 'api'"),
    ],
)
def test_wrong_numbers(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """A sentence that names the option, and exit code 1."""
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert said in err


def test_costs_load_no_boto3() -> None:
    """The room is arithmetic: it works where AWS is out of reach."""
    probe = "import sys, daybook.costs; print({'boto3', 'numpy', 'typer'} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "set()\n"


def test_the_defaults_are_those_of_a_workload() -> None:
    """Said in two places, for the command's help shows them."""
    options = inspect.signature(show_cost).parameters
    for name, field in Workload.model_fields.items():
        if not field.is_required():
            assert options[name].default == field.default, name
