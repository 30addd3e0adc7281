"""What the environment decides: the only reader of it.

| variable | default | meaning |
| --- | --- | --- |
| `DAYBOOK_TABLE_PREFIX` | none | put before every table's name |
| `DAYBOOK_PAYLOAD_BUCKET` | none | takes bodies too large for an item |
| `DAYBOOK_RETENTION_DAYS` | 365 | how long decisions live; 0 keeps them for ever |
| `DAYBOOK_AGENT_ROLE_PREFIX` | `daybook-agent-` | the API: roles of this name are agents |
| `DAYBOOK_DOOR` | `tables` | how the SDK reaches its tables: `tables` (directly) or `api` |
| `DAYBOOK_API_URL` | none | the deployed API, for the door `api` |
| `DAYBOOK_SIGNALS_ROUTED` | false | a deployed router delivers signals, not their sender |
| `DAYBOOK_SIGNAL_BUS` | none | the router: the event bus that it tells of signals |
| `DAYBOOK_SIGNAL_DEAD_LETTERS_URL` | none | the router: the queue of signals that failed |
| `DAYBOOK_WORK_QUEUE_URL` | none | the functions: the queue from a planner to its workers |
| `DAYBOOK_CHECKPOINTS_KEPT` | 50 | checkpoints without a label that an agent keeps; 0 keeps all |

AWS's own variables (`AWS_ENDPOINT_URL`, credentials, …) are read by boto3.
"""

import os
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from daybook.errors import InvalidInputError
from daybook.models.base import as_invalid_input


class Settings(BaseSettings):
    """Daybook's settings, from variables that start with `DAYBOOK_`."""

    model_config = SettingsConfigDict(env_prefix="DAYBOOK_", frozen=True, env_ignore_empty=True)

    table_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,100}$")] = ""
    payload_bucket: str | None = None
    retention_days: Annotated[int, Field(ge=0, le=36500)] = 365
    agent_role_prefix: str = "daybook-agent-"
    door: Literal["tables", "api"] = "tables"
    api_url: str | None = None
    signals_routed: bool = False
    signal_bus: str | None = None
    signal_dead_letters_url: str | None = None
    work_queue_url: str | None = None
    checkpoints_kept: Annotated[int, Field(ge=0)] = 50

    @property
    def retention(self) -> timedelta | None:
        """How long a decision lives; None for ever."""
        return timedelta(days=self.retention_days) if self.retention_days else None


def read_settings() -> Settings:
    """Read the settings. Raises InvalidInputError that names the faulty variables."""
    try:
        return Settings()
    except ValidationError as fault:
        problems = as_invalid_input(fault, "Settings").problems
        listed = "; ".join(f"DAYBOOK_{where.upper()}: {reason}" for where, reason in problems)
        raise InvalidInputError(f"the environment is not valid. {listed}", problems) from None


def process_environment() -> dict[str, str]:
    """Return a copy of the environment, to start another program with."""
    return dict(os.environ)


def region() -> str | None:
    """Return the region that AWS's own variables name, if they do."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
