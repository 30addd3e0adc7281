"""boto3 clients, made once for each service and shared by every thread."""

from typing import TYPE_CHECKING, Any

from boto3 import Session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

__all__ = ["Clients", "Session"]

CONFIG = Config(
    # standard mode: jittered exponential backoff on throttling and passing faults
    retries={"mode": "standard", "total_max_attempts": 6},
    connect_timeout=3,
    read_timeout=15,
    max_pool_connections=32,
    tcp_keepalive=True,
    user_agent_extra="daybook",
)


class Clients:
    """The clients of one region and endpoint; `session` defaults to a new boto3 session."""

    def __init__(
        self, region: str, endpoint_url: str | None, session: Session | None = None
    ) -> None:
        self._session = session or Session()
        self._where: dict[str, Any] = {"region_name": region, "endpoint_url": endpoint_url}

    def dynamodb(self) -> "DynamoDBClient":
        """Make a DynamoDB client. Sessions are not thread-safe: the caller makes each once."""
        return self._session.client("dynamodb", config=CONFIG, **self._where)

    def s3(self) -> "S3Client":
        """Make an S3 client; with an endpoint of its own it addresses buckets by path."""
        config = CONFIG
        if self._where["endpoint_url"]:
            config = CONFIG.merge(Config(s3={"addressing_style": "path"}))
        return self._session.client("s3", config=config, **self._where)
