"""Daybook on moto: every table and the bucket, in memory, in this process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from daybook.client import AWSClientManager
from daybook.settings import Settings
from daybook.store.clients import sealed_session
from daybook.store.table import utc_now

REGION = "us-east-1"
BUCKET = "daybook-payloads"


@contextmanager
def local_aws(
    *,
    settings: Settings | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[AWSClientManager]:
    """Give a client manager whose tables and bucket live in moto until the block ends.

    No request leaves the process and no credentials are needed. moto is not atomic under
    threads, so its requests are answered one at a time here; conditional writes then behave
    as they do in DynamoDB. moto does not enforce DynamoDB's limits nor remove expired items;
    the tables have no streams, which moto copies whole with each transaction. The environment
    plays no part: neither AWS's variables nor Daybook's are read. A block inside another shares
    its tables.
    """
    # here, so that pytest can look for the fixtures in projects that have no moto
    from moto import mock_aws  # noqa: PLC0415

    settings = settings or Settings(table_prefix="", payload_bucket=BUCKET, retention_days=365)
    with mock_aws(), _one_request_at_a_time():
        session = sealed_session(REGION)
        manager = AWSClientManager(REGION, session=session, settings=settings, clock=clock)
        manager.create_all_tables(streams=False)
        if settings.payload_bucket:
            manager.s3().create_bucket(Bucket=settings.payload_bucket)
        yield manager


@contextmanager
def _one_request_at_a_time() -> Iterator[None]:
    from moto.core.botocore_stubber import BotocoreStubber  # noqa: PLC0415

    lock = threading.RLock()
    answer = BotocoreStubber.__call__

    def answer_alone(stubber: BotocoreStubber, *args: Any, **kwargs: Any) -> Any:
        with lock:
            return answer(stubber, *args, **kwargs)

    with patch.object(BotocoreStubber, "__call__", answer_alone):
        yield
