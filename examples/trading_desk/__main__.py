"""`python -m examples.trading_desk`: three agents trade on the real stack, run locally."""

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from daybook import DaybookError
from daybook.cli.console import progress
from daybook.platform import Connection, PlatformConfig, find_checkout, server, up
from examples.trading_desk.agents import AGENTS
from examples.trading_desk.demo import run
from examples.trading_desk.plan import DeskError, Plan
from examples.trading_desk.prices import read_market
from examples.trading_desk.wiring import wire

INTERRUPTED = 130


def main(
    every: Annotated[int, typer.Option(min=1, help="Decide every so many trading days.")] = 5,
    days: Annotated[int | None, typer.Option(min=1, help="Take the last so many only.")] = None,
    seed: Annotated[int, typer.Option(help="Where chance starts from.")] = 7,
    port: Annotated[int | None, typer.Option(help="The port of the local platform.")] = None,
    home: Annotated[Path | None, typer.Option(help="The folder that keeps its state.")] = None,
) -> None:
    """Let three agents trade thirteen years of real prices, the second half with memory."""
    console = Console(highlight=False)
    began = perf_counter()
    try:
        market = read_market()
        connection = _platform(console, port, home)
        run(console, wire(connection), market, Plan(every=every, days=days, seed=seed))
    except (DaybookError, DeskError, BotoCoreError, ClientError) as fault:
        Console(stderr=True).print(f"The demo has stopped. {fault}", style="red", markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        console.print("\nStopped. Run it again: what is logged already counts once.")
        raise typer.Exit(INTERRUPTED) from None
    console.print(
        f"Done in {perf_counter() - began:.0f} s. The platform goes on running. To look further:\n"
        "  .venv/bin/daybook status       where it is and how to connect\n"
        "  .venv/bin/daybook down         stop it and keep what it holds (--wipe: forget it)",
        soft_wrap=True,
    )


def _platform(console: Console, port: int | None, home: Path | None) -> Connection:
    """Bring the platform up with a role for each agent; on the port where it runs already."""
    config = PlatformConfig(root=find_checkout(Path(__file__).resolve().parent), home=home)
    running = server.running(config)
    config = replace(config, port=port or (running.port if running else config.port))
    with progress("Looking at the local platform") as tell:
        done = up(config, agents=AGENTS, report=tell)
    was = "deployed" if done.deployed else "started" if done.started else "found running"
    console.print(f"Platform {was} on port {config.port} in {done.seconds:.0f} s.")
    return done.connection


if __name__ == "__main__":
    typer.run(main)
