"""The command `daybook`. A group of commands is a module of its own; see `daybook.cli.app`."""

import importlib.util
import sys


def main() -> None:
    """Run the command line, or say how to install it."""
    if importlib.util.find_spec("typer") is None or importlib.util.find_spec("rich") is None:
        sys.stderr.write("daybook: the command line needs: pip install 'daybook-aws[cli]'\n")
        raise SystemExit(1)
    from daybook.cli.app import run  # noqa: PLC0415 - typer may be missing

    run()
