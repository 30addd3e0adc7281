"""The functions' connections, made when a container starts and kept while it is warm.

Beside Daybook's own there are the queues and the bus: the package knows neither, so their clients
are made here and nowhere else.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from daybook.client import AWSClientManager, get_client_manager
from daybook.store.clients import CONFIG

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@cache
def client_manager() -> AWSClientManager:
    """Return the client manager of the region in which the function runs."""
    return get_client_manager()


@cache
def sqs() -> "SQSClient":
    """Return the queues' client."""
    return boto3.client("sqs", region_name=client_manager().region, config=CONFIG)


@cache
def events() -> Any:
    """Return the bus's client."""
    return boto3.client("events", region_name=client_manager().region, config=CONFIG)
