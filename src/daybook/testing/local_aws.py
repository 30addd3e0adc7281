"""Daybook on moto: every table and the bucket, in memory, in this process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from daybook.client import AWSClientManager
from daybook.settings import Settings
from daybook.store.clients import Session
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
    as they do in DynamoDB. moto does not enforce DynamoDB's limits nor remove expired items.
    """
    settings = settings or Settings(payload_bucket=BUCKET)
    with mock_aws(), _one_request_at_a_time():
        session = Session("testing", "testing", region_name=REGION)
        manager = AWSClientManager(REGION, session=session, settings=settings, clock=clock)
        manager.create_all_tables()
        if settings.payload_bucket:
            manager.s3().create_bucket(Bucket=settings.payload_bucket)
        yield manager


@contextmanager
def _one_request_at_a_time() -> Iterator[None]:
    lock = threading.RLock()
    answer = BotocoreStubber.__call__

    def answer_alone(stubber: BotocoreStubber, *args: Any, **kwargs: Any) -> Any:
        with lock:
            return answer(stubber, *args, **kwargs)

    with patch.object(BotocoreStubber, "__call__", answer_alone):
        yield
