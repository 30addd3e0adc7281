"""Without the extra `langgraph` an agent does all else; and with it, nothing loads it unasked."""

import subprocess
import sys

PROGRAM = """
import sys
import daybook
assert not any(name.startswith(("langgraph", "langchain")) for name in sys.modules)
for absent in ("langgraph", "langgraph.checkpoint"):
    sys.modules.pop("langgraph", None)
    sys.modules[absent] = None
    try:
        import daybook.adapters.langgraph
    except daybook.MissingExtraError as error:
        print(error)
"""


def test_daybook_imports_without_langgraph() -> None:
    """The package imports without it, and the adapter says what to install."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("pip install 'daybook-aws[langgraph]'") == 2
