"""An AWS connection: clients for one region and endpoint, and the store that uses them."""

import threading
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from daybook.doors import Api
from daybook.models.base import checked_kind
from daybook.settings import Settings, read_settings
from daybook.settings import region as usual_region
from daybook.store import Store
from daybook.store.clients import Clients, Session
from daybook.store.forking import part_at_fork
from daybook.store.provisioning import create_tables, delete_tables
from daybook.store.signing import SignedHttp
from daybook.store.table import utc_now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


class AWSClientManager:
    """Clients for one region and endpoint, made when first used and shared by all threads.

    `region` is, unless it is given, that of the `session`, or else the one that AWS_REGION,
    AWS_DEFAULT_REGION or the profile names; us-east-1 when nothing does. `endpoint_url` points
    at a local platform; None is AWS (or what `AWS_ENDPOINT_URL` says). `dynamodb` may be
    any client with boto3's interface, such as DAX. `settings` default to the environment's.
    """

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        *,
        session: Session | None = None,
        dynamodb: "DynamoDBClient | None" = None,
        settings: Settings | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.endpoint_url = endpoint_url
        self.settings = settings or read_settings()
        self._clients = Clients(region, endpoint_url, session, usual_region())
        self.region = self._clients.region
        self._lock = threading.RLock()
        self._dynamodb = dynamodb
        part_at_fork(dynamodb)
        self._s3: S3Client | None = None
        self.clock = clock

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """The DynamoDB client."""
        with self._lock:
            if self._dynamodb is None:
                self._dynamodb = self._clients.dynamodb()
            return self._dynamodb

    def s3(self) -> "S3Client":
        """Return the S3 client."""
        with self._lock:
            if self._s3 is None:
                self._s3 = self._clients.s3()
            return self._s3

    @cached_property
    def store(self) -> Store:
        """The tables and the bucket, as the rooms see them."""
        return Store(
            dynamodb=self.dynamodb,
            s3=self.s3,
            prefix=self.settings.table_prefix,
            bucket=self.settings.payload_bucket,
            retention=self.settings.retention,
            clock=self.clock,
        )

    def api(self, url: str, agent_id: str) -> Api:
        """Return the deployed API at this URL, as an agent whose role signs the requests."""
        return Api(url=url, agent_id=agent_id, http=self._signed_http)

    @cached_property
    def _signed_http(self) -> SignedHttp:
        return self._clients.signed_http()

    def create_all_tables(self, *, streams: bool = True) -> None:
        """Create the tables that are missing and wait until all can be used.

        In an AWS account `cdk deploy` does this; here it is for tests and local databases. Those
        slow down by the write with `streams`, which only deployed functions follow.
        Raises SchemaMismatchError when a table of the name has another layout.
        """
        create_tables(self.dynamodb, self.settings.table_prefix, streams=streams)

    def delete_all_tables(self) -> None:
        """Delete the tables with all they hold, and wait until they are gone."""
        delete_tables(self.dynamodb, self.settings.table_prefix)


_managers: dict[tuple[str | None, str | None], AWSClientManager] = {}
_managers_lock = threading.Lock()


def get_client_manager(
    region: str | None = None, endpoint_url: str | None = None
) -> AWSClientManager:
    """Return the client manager of this region and endpoint; the same one each time.

    Without a region it is the one that AWS_REGION, AWS_DEFAULT_REGION or the profile names, or
    else us-east-1.
    """
    with _managers_lock:
        key = (region or usual_region(), endpoint_url)
        if key not in _managers:
            _managers[key] = AWSClientManager(region, endpoint_url)
        return _managers[key]


def client_manager_or_usual(given: AWSClientManager | None) -> AWSClientManager:
    """Return the client manager given, or that of `get_client_manager()` for None.

    Raises InvalidInputError for anything else.
    """
    if given is None:
        return get_client_manager()
    return checked_kind(given, AWSClientManager, "get_client_manager(region=…)")


def forget_client_managers() -> None:
    """Make `get_client_manager` start afresh, after the environment has changed."""
    with _managers_lock:
        _managers.clear()
