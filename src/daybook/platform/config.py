"""Where a platform lives: its checkout, its port, and the folder that holds its state."""

from dataclasses import dataclass
from pathlib import Path

from daybook.errors import PlatformError

DEFAULT_PORT = 4566
REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True, kw_only=True)
class PlatformConfig:
    """One platform. Two with another `port` and another `home` do not know of each other.

    `root` is the checkout of Daybook, `home` what the platform keeps (default:
    `.daybook/platform` in the checkout).
    """

    root: Path
    port: int = DEFAULT_PORT
    home: Path | None = None
    table_prefix: str = ""

    @property
    def folder(self) -> Path:
        """The folder of everything that this platform writes."""
        return (self.home or self.root / ".daybook" / "platform").resolve()

    @property
    def endpoint_url(self) -> str:
        """What an AWS client takes as its endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid_file(self) -> Path:
        """Written by the server; its path also identifies the server among processes."""
        return self.folder / "server.pid"

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    @property
    def state(self) -> Path:
        """Where the server keeps its state, written when it is stopped."""
        return self.folder / "state"

    @property
    def objects(self) -> Path:
        """Where the server keeps the objects of its buckets, written at once."""
        return self.folder / "s3"

    @property
    def scratch(self) -> Path:
        """Where the server unpacks the functions it runs; emptied when it starts and stops."""
        return self.folder / "tmp"

    @property
    def lock_file(self) -> Path:
        """Held by whoever starts or stops this platform."""
        return self.folder / "lock"

    @property
    def env_file(self) -> Path:
        """Lines for a shell to `source`."""
        return self.folder / "env"

    @property
    def python(self) -> Path:
        """The Python that has the CDK, and synthesizes."""
        return self.root / ".venv" / "bin" / "python"

    @property
    def server_python(self) -> Path:
        """The Python that has ministack."""
        return self.root / ".venv-platform" / "bin" / "python"

    @property
    def cdk(self) -> Path:
        """The CDK CLI."""
        return self.root / "node_modules" / ".bin" / "cdk"

    @property
    def stack_name(self) -> str:
        """The name of the deployed stack, as `infra.config` makes it."""
        return f"{self.table_prefix}daybook-local".replace("_", "-")

    @property
    def agent_role_prefix(self) -> str:
        """What the name of every agent's role starts with, as `infra.config` makes it."""
        return f"{self.table_prefix}daybook-agent-"


def find_checkout(start: Path) -> Path:
    """Return the checkout that a folder lies in. PlatformError if it lies in none."""
    for folder in (start, *start.parents):
        if (folder / "cdk.json").is_file() and (folder / "infra" / "stack.py").is_file():
            return folder
    raise PlatformError(
        f"The local platform deploys the stack from a checkout of Daybook, and {start} is not in "
        "one (no cdk.json with an infra/ beside it, here or above). Change into the checkout, or "
        "name it with --root."
    )


def check_tools(config: PlatformConfig) -> None:
    """PlatformError if `make setup` has not installed what the platform is made of."""
    tools = (config.python, config.server_python, config.cdk)
    missing = [str(tool.relative_to(config.root)) for tool in tools if not tool.exists()]
    if missing:
        raise PlatformError(
            f"The local platform needs {', '.join(missing)} in {config.root}, not found there. "
            "Run `make setup` in that folder."
        )
