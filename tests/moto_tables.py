"""Tables in moto that a module's tests share: they take longer to make than most tests to run."""

from collections.abc import Callable
from copy import copy
from datetime import datetime

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from daybook import AWSClientManager


def emptied(manager: AWSClientManager, clock: Callable[[], datetime]) -> AWSClientManager:
    """Remove all that moto's tables hold; give the same clients by another clock.

    Each query there looks at all of a table, and a transaction copies it.
    """
    for table in dynamodb_backends[DEFAULT_ACCOUNT_ID][manager.region].tables.values():
        table.items.clear()
    made = copy(manager)
    made.clock = clock
    return made
