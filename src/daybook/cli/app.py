"""The commands, put together. A new group is a module with a `register(app)`, listed here."""

import typer

from daybook.cli import consolidate, cost, platform, spool, version
from daybook.cli.console import complain
from daybook.errors import DaybookError

GROUPS = (platform, consolidate, spool, cost, version)

app = typer.Typer(
    name="daybook",
    help="The decision log and memory of autonomous agents, in your own AWS account.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in GROUPS:
    group.register(app)


def run() -> None:
    """Run a command. What Daybook refuses becomes a sentence on stderr and exit code 1."""
    try:
        app()
    except DaybookError as refusal:
        complain(str(refusal))
        raise SystemExit(1) from None
