"""`daybook up`, `down` and `status`: the local platform."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from daybook.cli.console import out, progress
from daybook.platform import (
    Connection,
    PlatformConfig,
    State,
    Status,
    down,
    find_checkout,
    server,
    status,
    up,
)
from daybook.platform.config import DEFAULT_PORT

Root = Annotated[
    Path | None,
    typer.Option(help="The checkout of Daybook to deploy; the one around you by default."),
]
Home = Annotated[
    Path | None,
    typer.Option(help="The folder that keeps the platform's state; .daybook/platform by default."),
]
Prefix = Annotated[str, typer.Option(help="Put before the name of every table.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(bring_up)
    app.command("down")(bring_down)
    app.command("status")(show_status)


def bring_up(
    *,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help=f"The port on 127.0.0.1; {DEFAULT_PORT} by default."),
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help="An agent that gets a role; repeat for more.")
    ] = None,
    redeploy: Annotated[bool, typer.Option(help="Deploy although nothing changed.")] = False,
    prefix: Prefix = "",
    root: Root = None,
    home: Home = None,
) -> None:
    """Start the local platform and deploy the stack to it."""
    config = _config(root, home, prefix, port)
    with progress("Looking at the platform") as report:
        done = up(config, agents=agent or (), redeploy=redeploy, report=report)
    if done.crashed:
        out.print(
            "The server had ended without `daybook down`. What was written since it was last "
            "stopped in order is lost.\n"
        )
    if done.deployed:
        out.print(f"Up on port {config.port}, deployed in {done.seconds:.0f} s.\n")
    elif done.started:
        out.print(f"Up again on port {config.port}, with the state it had.\n")
    else:
        out.print(f"Already up on port {config.port}; nothing has changed.\n")
    _print_connection(done.connection, config)


def bring_down(
    *,
    wipe: Annotated[bool, typer.Option(help="Also remove everything it keeps.")] = False,
    prefix: Prefix = "",
    root: Root = None,
    home: Home = None,
) -> None:
    """Stop the local platform; its state is kept unless --wipe is given."""
    config = _config(root, home, prefix, None)
    with progress("Looking at the platform") as report:
        stopped = down(config, wipe=wipe, report=report)
    kept = "Its state is removed." if wipe else f"Its state is kept in {config.folder}."
    out.print(f"Stopped. {kept}" if stopped else f"It was not running. {kept}")


def show_status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    prefix: Prefix = "",
    root: Root = None,
    home: Home = None,
) -> None:
    """Say whether the local platform runs and how to connect. Exit code 3 if it is not up."""
    found = status(_config(root, home, prefix, None))
    if as_json:
        out.print_json(json.dumps(_as_json(found)))
    else:
        _print_status(found)
    if found.connection is None:
        raise typer.Exit(3)


def _config(root: Path | None, home: Path | None, prefix: str, port: int | None) -> PlatformConfig:
    """Make the platform's configuration; where no port is given, that of a running platform."""
    config = PlatformConfig(
        root=find_checkout((root or Path.cwd()).resolve()), home=home, table_prefix=prefix
    )
    running = server.running(config)
    return replace(config, port=port or (running.port if running else DEFAULT_PORT))


def _print_status(found: Status) -> None:
    """Print a status for a person."""
    advice = {
        State.DOWN: "Run `daybook up`.",
        State.SILENT: "Run `daybook up` to start it anew.",
        State.EMPTY: "Run `daybook up` to finish the deployment.",
        State.DAMAGED: "Tables are missing; `daybook up` says which.",
        State.OUTDATED: "The code has changed since; run `daybook up` to deploy it.",
        State.UP: "",
    }
    where = f" on port {found.config.port} (process {found.pid})" if found.pid else ""
    out.print(f"The local platform is {found.state}{where}. {advice[found.state]}".rstrip())
    if found.connection:
        out.print()
        _print_connection(found.connection, found.config)


def _print_connection(connection: Connection, config: PlatformConfig) -> None:
    """Print how to connect."""
    out.print("\n".join(connection.exports()), markup=False)
    out.print(f"\nor: source {config.env_file}\n", markup=False)
    if connection.agents:
        table = Table("agent", "role to assume", box=None, pad_edge=False)
        for agent in connection.agents:
            table.add_row(agent, connection.role_arn(agent))
        out.print(table)


def _as_json(found: Status) -> dict[str, object]:
    """Return a status as JSON's types."""
    connection = found.connection
    return {
        "state": found.state.value,
        "port": found.config.port,
        "pid": found.pid,
        "folder": str(found.config.folder),
        "log": str(found.config.log_file),
        "stack": found.config.stack_name,
        "stack_status": found.stack_status,
        "environment": connection.environment() if connection else None,
        "dead_letter_queue_url": connection.dead_letter_queue_url if connection else None,
        "agents": {agent: connection.role_arn(agent) for agent in connection.agents}
        if connection
        else {},
    }
