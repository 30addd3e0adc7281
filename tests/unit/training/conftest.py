"""What the tests of training share."""

import pytest

from tests.clocks import Clock


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands at noon on the first of March 2026."""
    return Clock()
