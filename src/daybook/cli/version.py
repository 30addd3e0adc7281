"""`daybook version`."""

from importlib import metadata

import typer

from daybook.cli.console import out


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(version)


def version() -> None:
    """Print the installed version."""
    out.print(metadata.version("daybook-aws"))
