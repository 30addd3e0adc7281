"""pytest fixtures, found by pytest itself once `daybook-aws[testing]` is installed."""

from collections.abc import Iterator

import pytest

from daybook.client import AWSClientManager
from daybook.memory_manager import MemoryManager
from daybook.testing.local_aws import local_aws


@pytest.fixture
def daybook_client_manager() -> Iterator[AWSClientManager]:
    """Give a client manager on moto: empty tables, and a bucket for large bodies."""
    with local_aws() as client_manager:
        yield client_manager


@pytest.fixture
def daybook_memory(daybook_client_manager: AWSClientManager) -> MemoryManager:
    """Give the handle of an agent named `test-agent`, on empty tables."""
    return MemoryManager("test-agent", daybook_client_manager)
