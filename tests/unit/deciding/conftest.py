"""A log on moto, shared by a module; each test is an agent of its own."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.testing import local_aws


@pytest.fixture(scope="module")
def tables() -> Iterator[AWSClientManager]:
    """Give tables on moto."""
    with local_aws() as manager:
        yield manager


@pytest.fixture
def log(tables: AWSClientManager) -> DecisionLogger:
    """Give the logger of an agent that nobody else uses."""
    return DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", tables))
