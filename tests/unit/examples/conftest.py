"""A desk on moto: all three agents go through direct doors, and nobody else consolidates."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.settings import Settings
from daybook.testing import local_aws
from examples.trading_desk.agents import AGENTS
from examples.trading_desk.doors import DirectDoor
from examples.trading_desk.wiring import Wiring


class StandInDoor(DirectDoor):
    """Stands in for the HTTP API and for the queue."""

    requests = messages = 0

    def __init__(self, agent_id: str, client_manager: AWSClientManager) -> None:
        super().__init__(agent_id, client_manager)
        self._reader = DecisionLogger(MemoryManager(agent_id, client_manager))

    def stats(self, time_window_hours: float) -> Mapping[str, Any]:
        """Answer as the API does."""
        return cast("dict[str, Any]", self._reader.get_decision_stats(time_window_hours))


def desk_on(manager: AWSClientManager) -> Wiring:
    """Give the three agents their doors, logs and memories."""
    scout, strategist, risk = (StandInDoor(agent, manager) for agent in AGENTS)
    return Wiring(
        scout_door=cast("Any", scout),
        strategist_door=strategist,
        risk_door=cast("Any", risk),
        metered=manager,
        remembering=manager,
        logs={agent: DecisionLogger(MemoryManager(agent, manager)) for agent in AGENTS},
    )


@pytest.fixture
def wiring() -> Iterator[Wiring]:
    """Give a desk with empty tables and no bucket, so that no day is archived."""
    with local_aws(settings=Settings(payload_bucket=None)) as manager:
        yield desk_on(manager)
