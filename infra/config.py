"""The stages, and what differs between them.

Chosen on the command line: `cdk deploy -c stage=prod -c agents=btc-agent-001,eth-agent-001`.
"""

import platform
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from daybook.models.identity import check_role_name

PREFIX = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]{0,31})?")
LONGEST_RETENTION = 36_500
DOORS = ("api", "tables")
"""The ways in that an agent's role can be given."""
MOST_CHECKPOINTS = 100_000


@dataclass(frozen=True, kw_only=True)
class LayerTarget:
    """What the layers are built for: a Python version and a Lambda architecture.

    `native` means the Python and machine that run the synthesis, as the local platform
    needs it.
    """

    python: str
    architecture: str
    native: bool = False

    @property
    def name(self) -> str:
        """A name for the folder that holds the layers."""
        stage = "local" if self.native else "lambda"
        # a dot would look like a file's suffix to the CDK
        return f"{stage}-py{self.python.replace('.', '')}-{self.architecture}"


LAMBDA = LayerTarget(python="3.13", architecture="arm64")
"""Graviton: the same work for a fifth less than on x86."""

HERE = LayerTarget(
    python=f"{sys.version_info.major}.{sys.version_info.minor}",
    architecture="arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
    native=True,
)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a job that a schedule plans and a queue hands out is paced.

    `minutes` is how often it is planned, `workers` how many agents are looked after at once,
    `timeout_seconds` how long one may take, and `visibility_seconds` how long a message that
    failed waits for its next try.
    """

    minutes: int
    workers: int
    timeout_seconds: int
    visibility_seconds: int


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """Everything that a stage decides.

    `local` is for the local platform, which has no TLS and no roles to deploy with.
    `protected` keeps tables, bucket and logs when the stack is deleted, and refuses the
    deletion of a table. `tracing` sends traces to X-Ray. `rate` and `burst` are requests
    a second at the HTTP API. `queue_window_seconds` is how long Lambda may gather messages
    for a fuller batch, `queue_timeout_seconds` how long it may work on one, and
    `queue_visibility_seconds` how long a message that failed waits for its next try: six times
    as long, as AWS advises, since Lambda may retry a throttled batch within. Nothing is
    throttled locally, and nobody there wants to wait. `consolidation` and `checkpoints` are the
    paces of these jobs; an agent keeps `checkpoints_kept` checkpoints without a label (0: all).
    `news_window_seconds` is how long Lambda may gather what arrives before the agents are noted
    as having news. `doors` are the ways in of the agents' roles: the API, the tables (their own
    partitions), or both. `fingerprint` is whatever the deployer wants to find in the outputs
    later; the local platform tells by it whether the code has changed.
    """

    name: str
    prefix: str = ""
    local: bool = False
    protected: bool = False
    tracing: bool = True
    layer_target: LayerTarget = LAMBDA
    log_retention_days: int = 30
    log_level: str = "INFO"
    retention_days: int = 365
    rate: int = 1_000
    burst: int = 2_000
    queue_window_seconds: int = 5
    queue_timeout_seconds: int = 30
    queue_visibility_seconds: int = 180
    consolidation: Pace = Pace(
        minutes=15, workers=10, timeout_seconds=300, visibility_seconds=1_800
    )
    checkpoints: Pace = Pace(minutes=60, workers=10, timeout_seconds=60, visibility_seconds=360)
    checkpoints_kept: int = 50
    news_window_seconds: int = 60
    agents: tuple[str, ...] = ()
    doors: tuple[str, ...] = DOORS
    alarm_email: str | None = None
    fingerprint: str = "-"

    @property
    def stack_id(self) -> str:
        """The name of the CloudFormation stack, which may hold no underscore."""
        return f"{self.prefix}daybook-{self.name}".replace("_", "-")

    @property
    def agent_role_prefix(self) -> str:
        """What the name of every agent's role starts with; the agent's id follows."""
        return f"{self.prefix}daybook-agent-"

    def resource(self, name: str) -> str:
        """Return the physical name of a function, queue or log group."""
        return f"{self.prefix}daybook-{name}"


STAGES = {
    stage.name: stage
    for stage in (
        StageConfig(
            name="local",
            local=True,
            tracing=False,
            layer_target=HERE,
            log_retention_days=1,
            queue_window_seconds=0,
            queue_timeout_seconds=20,
            queue_visibility_seconds=20,
            consolidation=Pace(minutes=1, workers=2, timeout_seconds=60, visibility_seconds=60),
            checkpoints=Pace(minutes=1, workers=2, timeout_seconds=30, visibility_seconds=30),
            news_window_seconds=1,
        ),
        StageConfig(name="dev"),
        StageConfig(name="prod", protected=True, log_retention_days=365),
    )
}


def stage_config(context: Callable[[str], Any]) -> StageConfig:
    """Read the stage and its overrides from the CDK context.

    Raises ValueError, saying what is wrong, for an unknown stage, a prefix that AWS would
    refuse, or an agent id that cannot be part of a role's name.
    """
    name = str(context("stage") or "dev")
    if name not in STAGES:
        raise ValueError(
            f"There is no stage {name!r}. Choose one of {', '.join(STAGES)}: -c stage=dev"
        )
    prefix = str(context("prefix") or "")
    if not PREFIX.fullmatch(prefix):
        raise ValueError(
            f"The prefix {prefix!r} cannot start the names of AWS resources: use a letter, then "
            "at most 31 letters, digits, '-' or '_'."
        )
    agents = tuple(a.strip() for a in str(context("agents") or "").split(",") if a.strip())
    config = replace(
        STAGES[name],
        prefix=prefix,
        agents=tuple(dict.fromkeys(agents)),
        retention_days=_number(
            context, "retention_days", STAGES[name].retention_days, LONGEST_RETENTION
        ),
        checkpoints_kept=_number(
            context, "checkpoints_kept", STAGES[name].checkpoints_kept, MOST_CHECKPOINTS
        ),
        doors=_doors(context("doors")),
        fingerprint=str(context("fingerprint") or "-"),
        alarm_email=context("alarm_email") or None,
    )
    if len({agent.lower() for agent in config.agents}) < len(config.agents):
        raise ValueError(
            f"Two of the agents {', '.join(config.agents)} differ only in upper and lower case, "
            "and IAM takes the names of their roles for the same. Rename one."
        )
    for agent in config.agents:
        check_role_name(config.agent_role_prefix, agent)
    return config


def _doors(given: Any) -> tuple[str, ...]:
    """Read the doors of the agents' roles; ValueError for one that does not exist."""
    if given is None:
        return DOORS
    doors = tuple(door.strip() for door in str(given).split(",") if door.strip())
    if not doors or set(doors) - set(DOORS):
        raise ValueError(f"doors is {given!r}; give {' or '.join(DOORS)}, or both with a comma.")
    return doors


def _number(context: Callable[[str], Any], name: str, default: int, most: int) -> int:
    """Read a whole number from 0 to `most`, 0 meaning no end; ValueError if it is not one."""
    given = context(name)
    if given is None:
        return default
    text = str(given)
    if not text.isdecimal() or int(text) > most:
        raise ValueError(
            f"{name} is {text!r}; give a whole number from 1 to {most}, or 0 to keep everything "
            "for ever."
        )
    return int(text)
