"""Training says which extra it needs, and takes no more of them than it uses."""

import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules[{missing!r}] = None
import daybook
try:
    daybook.QLearner
except daybook.MissingExtraError as error:
    print(error)
"""
LOADED = """
import sys
import daybook
daybook.QLearner
print([name for name in ("arro3.core", "minari", "gymnasium", "torch") if name in sys.modules])
"""


def run(program: str) -> str:
    """Run a program and return what it prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("missing", ["numpy", "sortedcontainers"])
def test_the_extra_is_named(missing: str) -> None:
    """Daybook imports without it, and only the learner asks for it."""
    said = run(WITHOUT.format(missing=missing))
    assert f"needs {missing}: pip install 'daybook-aws[replay]'" in said


def test_a_learner_loads_no_other_libraries() -> None:
    """Parquet, Minari and torch are imported by those who export to them."""
    assert run(LOADED).strip() == "[]"
