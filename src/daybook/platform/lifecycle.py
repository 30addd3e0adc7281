"""`up`, `down` and `status`: what a person asks of the platform."""

import fcntl
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import IO

from daybook.errors import PlatformError
from daybook.models.identity import check_role_name
from daybook.platform import server
from daybook.platform.config import PlatformConfig, check_tools
from daybook.platform.connection import Connection, connection_to
from daybook.platform.deployment import Report, deploy, fingerprint
from daybook.platform.stack import DeployedStack, describe, missing_tables

LOCK_SECONDS = 300.0


class State(StrEnum):
    """How far a platform is."""

    DOWN = "down"
    SILENT = "silent"
    """The server runs and does not answer."""
    EMPTY = "empty"
    """The server answers, and no complete stack is deployed to it."""
    DAMAGED = "damaged"
    """A table was deleted behind CloudFormation's back."""
    OUTDATED = "outdated"
    """It works, with other code than the checkout has now."""
    UP = "up"


@dataclass(frozen=True, kw_only=True)
class Status:
    """What is found: the state, and where the parts are. `connection` is there once deployed."""

    state: State
    config: PlatformConfig
    pid: int | None = None
    stack_status: str | None = None
    connection: Connection | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What `up` did, and how to connect.

    `crashed`: the server had ended without being stopped, so what was written since its last
    orderly stop is lost.
    """

    connection: Connection
    started: bool
    crashed: bool
    deployed: bool
    seconds: float


def quiet(_: str) -> None:
    """Report nothing."""


def up(
    config: PlatformConfig,
    *,
    agents: Sequence[str] = (),
    redeploy: bool = False,
    report: Report = quiet,
) -> Outcome:
    """Bring the platform up, from whatever state it is in; return what was done.

    Starts the server unless it runs, and deploys the stack unless the same code is deployed
    and complete. Each of `agents` gets a role, besides those who already have one;
    InvalidInputError, before anything is begun, for one that cannot have any. PlatformError if
    it cannot be done; what was done until then stays, and another `up` goes on from there.
    """
    began = time.monotonic()
    check_tools(config)
    for agent in agents:
        check_role_name(config.agent_role_prefix, agent)
    with _locked(config, report):
        crashed = server.was_killed(config)
        started = _ensure_server(config, report)
        found = describe(config, config.stack_name)
        wanted_agents = tuple(dict.fromkeys((*(found.agents if found else ()), *agents)))
        wanted = fingerprint(config, wanted_agents)
        deployed = redeploy or not _matches(found, wanted)
        if deployed:
            deploy(config, agents=wanted_agents, fingerprint=wanted, report=report, anew=redeploy)
            found = describe(config, config.stack_name)
        if found is None or not found.complete:
            raise PlatformError(
                f"The stack {config.stack_name} was deployed, and the platform on port "
                f"{config.port} now says {found.status if found else 'that there is none'}. Run "
                "`daybook down --wipe` and `daybook up` to start afresh."
            )
        if gone := missing_tables(config):
            raise PlatformError(
                f"The stack {config.stack_name} is deployed, but somebody has deleted "
                f"{', '.join(gone)}, and CloudFormation does not look. Create the tables again "
                "with get_client_manager().create_all_tables(), or start afresh with `daybook "
                "down --wipe` and `daybook up`."
            )
        connection = connection_to(config, found)
        connection.write(config.env_file)
    return Outcome(
        connection=connection,
        started=started,
        crashed=crashed,
        deployed=deployed,
        seconds=time.monotonic() - began,
    )


def down(config: PlatformConfig, *, wipe: bool = False, report: Report = quiet) -> bool:
    """Stop the platform, which saves its state; False if it was not running.

    With `wipe` all that it kept is removed. PlatformError if the server does not end.
    """
    if not config.folder.is_dir():
        return False
    with _locked(config, report):
        if server.running(config):
            report("Stopping the server; it saves its state")
        stopped = server.stop(config)
        config.env_file.unlink(missing_ok=True)
        shutil.rmtree(config.scratch, ignore_errors=True)
        if wipe:
            report("Removing the state")
            for entry in config.folder.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry)
                elif entry != config.lock_file:
                    entry.unlink()
    return stopped


def status(config: PlatformConfig) -> Status:
    """Look at the platform, at whatever port it runs, and change nothing."""
    process = server.running(config)
    if process is None:
        return Status(state=State.DOWN, config=config)
    config = replace(config, port=process.port)
    here = Status(state=State.SILENT, config=config, pid=process.pid)
    if not server.healthy(config):
        return here
    found = describe(config, config.stack_name)
    if found is None or not found.complete:
        return replace(here, state=State.EMPTY, stack_status=found.status if found else None)
    if missing_tables(config):
        return replace(here, state=State.DAMAGED, stack_status=found.status)
    current = _matches(found, fingerprint(config, found.agents))
    return replace(
        here,
        state=State.UP if current else State.OUTDATED,
        stack_status=found.status,
        connection=connection_to(config, found),
    )


def connect(config: PlatformConfig) -> Connection:
    """Return how to reach the platform. PlatformError unless it is up."""
    found = status(config)
    if found.connection is None:
        raise PlatformError(
            f"The local platform of {config.folder} is {found.state}. Run `daybook up` first."
        )
    return found.connection


def _ensure_server(config: PlatformConfig, report: Report) -> bool:
    """Start the server unless it runs; True if it was started."""
    found = server.running(config)
    if found and found.port != config.port:
        raise PlatformError(
            f"The platform of {config.folder} runs on port {found.port}, and port {config.port} "
            f"was asked for. Use it there, or run `daybook down` first; its state moves along."
        )
    if found and server.healthy(config):
        return False
    if found:
        report("The server does not answer; starting it anew")
        server.stop(config)
    report(f"Starting the server on port {config.port}")
    server.start(config)
    return True


def _matches(found: DeployedStack | None, wanted: str) -> bool:
    """Whether what is deployed is complete and made from the same code."""
    return found is not None and found.complete and found.fingerprint == wanted


@contextmanager
def _locked(config: PlatformConfig, report: Report) -> Iterator[None]:
    """Keep other `up`s and `down`s of this platform waiting. PlatformError after five minutes."""
    config.folder.mkdir(parents=True, exist_ok=True)
    with config.lock_file.open("w") as handle:
        _acquire(handle, config, report)
        yield


def _acquire(handle: IO[str], config: PlatformConfig, report: Report) -> None:
    """Take the lock; the system gives it back when the process ends, however it ends."""
    deadline = time.monotonic() + LOCK_SECONDS
    waiting = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not waiting:
                report("Another `daybook up` or `down` is at work; waiting for it")
                waiting = True
            if time.monotonic() > deadline:
                raise PlatformError(
                    f"Another `daybook up` or `down` has held {config.lock_file} for "
                    f"{LOCK_SECONDS:.0f} seconds. See whether it hangs, stop it, and try again."
                ) from None
            time.sleep(0.2)
        else:
            return
