"""What the documents say is so: their commands exist, their JSON is accepted, their items real."""

import json
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daybook import DecisionLogger, DecisionType, InvalidInputError, MemoryManager
from daybook.decisions import messages
from daybook.models.drafts import DecisionDraft, OutcomeFacts
from daybook.models.signals import SignalDraft
from daybook.store import DECISIONS, keys
from daybook.store.expressions import begins_with, equals

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(document: Path, language: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL
    )


def commands() -> list[str]:
    """Return every shell command that the documents show."""
    lines = [line for d in DOCUMENTS for block in blocks(d, "bash") for line in block.split("\n")]
    return sorted({line.split("#")[0].strip() for line in lines} - {""})


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("make ")])
def test_make_targets_exist(command: str) -> None:
    """Every `make x` that a reader is told to type is a target."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command.split()[1] in targets


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("daybook ")])
def test_daybook_commands_exist(command: str) -> None:
    """Every `daybook x --y` is a command with that option."""
    name, *options = command.split()[1:]
    shown = subprocess.run(
        [sys.executable, "-m", "daybook.cli", name, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": ""},
    ).stdout
    for option in options:
        if option.startswith("--"):
            assert option in shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link is to a file, and its anchor to a heading."""
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            linked = (document.parent / path) if path else document
            assert linked.exists(), target
            if anchor:
                headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
                slugs = [re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings]
                assert anchor in slugs, target


def test_the_json_of_the_doors_is_accepted() -> None:
    """The examples of bodies and messages are what the functions take."""
    _, decision, outcome, signal, refusal, *both = blocks(ROOT / "docs" / "doors.md", "json")
    draft = DecisionDraft.model_validate_json(decision)
    assert draft.to_record("a", datetime(2026, 3, 1, 13, tzinfo=UTC)).tags == ["example"]
    assert OutcomeFacts.model_validate_json(outcome).success
    assert SignalDraft.model_validate_json(signal).targets == ["risk"]
    for message in both:
        assert messages.parse(message).agent_id == "risk"
    with pytest.raises(InvalidInputError) as caught:
        DecisionDraft.checked(decision_type="other", confidence=2)
    shown = json.loads(refusal)
    assert shown["problems"] == [list(problem) for problem in caught.value.problems]
    assert shown["error"] == type(caught.value).__name__


def test_the_items_of_the_data_model_are_real(daybook_memory: MemoryManager) -> None:
    """The items shown have the attributes, and the bodies, of items as they are stored."""
    log = DecisionLogger(daybook_memory)
    own = log.log_source_selection(
        ["coinglass", "cryptoquant"],
        {"coinglass": 0.95, "cryptoquant": 0.88},
        ["coinglass", "cryptoquant"],
        {"market": {"btc_price": 45000.00}, "cycle": 1},
        0.92,
    )
    log.log_outcome(own, DecisionType.SOURCE_SELECTION, True, 0.89, 250.5)
    mine = equals("pk", "test-agent") & begins_with("sk", "D#")
    stored = list(daybook_memory.store.query(DECISIONS, mine))
    shown: list[dict[str, Any]] = [
        json.loads(block) for block in blocks(ROOT / "docs" / "data-model.md", "json")
    ]
    assert [set(item) for item in shown] == [set(item) for item in stored]
    for ours, theirs in zip(shown, stored, strict=True):
        assert (ours["body"], ours["digest"]) == (theirs["body"], theirs["digest"])
        assert keys.is_outcome(ours["sk"]) == keys.is_outcome(str(theirs["sk"]))


def test_the_layers_are_those_that_are_enforced() -> None:
    """CONTRIBUTING draws the layers as import-linter has them."""
    (drawn,) = blocks(ROOT / "CONTRIBUTING.md", "text")
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert drawn.splitlines() == contracts["contracts"][0]["layers"]


def test_the_arrows_are_those_that_are_held() -> None:
    """What CONTRIBUTING draws is what import-linter checks."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = (each["layers"] for each in settings["contracts"] if each["type"] == "layers")
    (drawn,) = blocks(ROOT / "CONTRIBUTING.md", "text")
    assert drawn.split("\n")[:-1] == layers
