"""boto3 clients, made once for each service and shared by every thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
import botocore
from boto3 import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session as CoreSession

from daybook.errors import InvalidInputError
from daybook.store.forking import part_at_fork
from daybook.store.prepared import accept_prepared
from daybook.store.signing import SignedHttp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

__all__ = ["Clients", "Session", "sealed_session"]

CONFIG = Config(
    # standard mode: jittered exponential backoff on throttling and passing faults
    retries={"mode": "standard", "total_max_attempts": 4},
    # all tries together end within half a minute: well inside the two minutes by which jobs
    # stay behind the clock, so that nothing arrives after a job has passed its time
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=32,
    tcp_keepalive=True,
    # written down once; botocore does it anew, twice for each request: a sixth of its time
    user_agent=f"Boto3/{boto3.__version__} Botocore/{botocore.__version__} daybook",
    # requests are well formed, for `requests` makes them; looking again takes a third of the time
    parameter_validation=False,
)

DEFAULT_REGION = "us-east-1"

# sessions are not thread-safe, and one may serve several threads' client managers
_MAKING = threading.Lock()


@cache
def sealed_session(region: str) -> Session:
    """Return the session that no variable or file can send elsewhere: dummy keys, no endpoints.

    One for each region: what it reads of the services' models, a fifth of a second, it keeps.
    """
    # each: name in the file, variables of the environment, value without either, conversion
    core = CoreSession(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, "/dev/null", None),
            "credentials_file": (None, None, "/dev/null", None),
            "ignore_configured_endpoint_urls": (None, None, True, None),
        }
    )
    core.set_credentials("testing", "testing")
    return Session(botocore_session=core, region_name=region)


class Clients:
    """The clients of one region and endpoint; `session` defaults to a new boto3 session.

    The region is the first of: the one given, that of a session given, `usual_region`, what
    boto3 finds (the profile's), us-east-1.

    Raises InvalidInputError, here or when a client is made, for a region, an endpoint or an
    AWS profile that cannot be.
    """

    def __init__(
        self,
        region: str | None,
        endpoint_url: str | None,
        session: Session | None = None,
        usual_region: str | None = None,
    ) -> None:
        self._where: dict[str, Any] = {"region_name": region, "endpoint_url": endpoint_url}
        with self._connecting():
            self._session = session or Session()
            named = session.region_name if session else None
            self.region = (
                region or named or usual_region or self._session.region_name or DEFAULT_REGION
            )
        self._where["region_name"] = self.region

    def dynamodb(self) -> "DynamoDBClient":
        """Make a DynamoDB client."""
        with self._connecting():
            client = self._session.client("dynamodb", config=CONFIG, **self._where)
        part_at_fork(client)
        accept_prepared(client)
        return client

    def s3(self) -> "S3Client":
        """Make an S3 client; with an endpoint of its own it addresses buckets by path."""
        config = CONFIG
        if self._where["endpoint_url"]:
            config = CONFIG.merge(Config(s3={"addressing_style": "path"}))
        with self._connecting():
            client = self._session.client("s3", config=config, **self._where)
        part_at_fork(client)
        return client

    def signed_http(self) -> SignedHttp:
        """Make a sender of requests that are signed with the session's credentials."""
        return SignedHttp(self._session, self.region)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a client manager has connections, and neither it nor a handle made of it can be "
            "pickled: make the handle in the process that uses it"
        )

    @contextmanager
    def _connecting(self) -> Iterator[None]:
        try:
            with _MAKING:
                yield
        except (BotoCoreError, ValueError) as fault:
            where = ", ".join(f"{name}={value!r}" for name, value in self._where.items())
            raise InvalidInputError(f"no client can be made for {where}: {fault}") from fault
