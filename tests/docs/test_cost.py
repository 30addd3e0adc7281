"""What `docs/cost.md` shows as printed is what the command prints."""

import os
import shlex
import subprocess
import sys

import pytest

from tests.docs.test_documents import ROOT, blocks

SHOWN = [block.split("\n", 1) for block in blocks(ROOT / "docs" / "cost.md", "console")]


@pytest.mark.parametrize(("command", "printed"), SHOWN, ids=[command for command, _ in SHOWN])
def test_what_is_printed(command: str, printed: str) -> None:
    """The table, to the cent; what it assumes comes after that."""
    prompt, name, *arguments = shlex.split(command)
    assert (prompt, name) == ("$", "daybook")
    out = subprocess.run(
        [sys.executable, "-m", "daybook.cli", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "100"},
    ).stdout
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[: lines.index("")] == printed.rstrip("\n").split("\n")


def test_something_is_shown() -> None:
    """The control: the blocks are found."""
    assert len(SHOWN) == 2
