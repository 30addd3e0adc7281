"""Without the extra `learning` an agent logs and recalls; only learning asks for it."""

import subprocess
import sys

PROGRAM = """
import sys
sys.modules["numpy"] = None
import daybook
from daybook.memory.classroom import engine
assert "arro3.core" not in sys.modules
try:
    engine()
except daybook.MissingExtraError as error:
    print(error)
"""


def test_daybook_imports_without_numpy() -> None:
    """The package imports, and learning says what to install."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert "pip install 'daybook-aws[learning]'" in done.stdout
