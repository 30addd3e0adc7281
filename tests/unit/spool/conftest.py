"""Fixtures of the spool's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daybook.spool import Spool, SpoolConfig
from tests.unit.spool.sinks import Sink

MakeSpool = Callable[..., Spool]


@pytest.fixture
def sink() -> Sink:
    """Give a sink."""
    return Sink()


@pytest.fixture
def make(tmp_path: Path, sink: Sink) -> Iterator[MakeSpool]:
    """Give a function that opens the test's spool; all are closed in the end."""
    made: list[Spool] = []

    def opened(**settings: Any) -> Spool:
        spool = Spool(SpoolConfig(path=tmp_path / "spool.db", **settings), sink)
        made.append(spool)
        return spool

    yield opened
    sink.open.set()
    for spool in made:
        spool.close(timeout=1)
