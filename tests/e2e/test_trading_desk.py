"""The demo, on the platform of this run: three agents, three doors, real prices, memory."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager, MemoryPattern
from daybook.models.enums import PatternType
from daybook.platform import PlatformConfig
from tests.conftest import AGENTS, ROOT

ALL_HOURS = 24 * 365 * 40


def trade(config: PlatformConfig, days: int = 12) -> "subprocess.CompletedProcess[str]":
    """Run the demo over the last trading days as a user would."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "examples.trading_desk", "--days", str(days)),
            *("--port", str(config.port), "--home", str(config.folder)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def remembered(deployed: AWSClientManager) -> Iterator[str]:
    """Let the strategist remember that staying out is right; twelve days teach nothing yet."""
    memory = MemoryManager("strategist", deployed)
    now = datetime.now(UTC)
    pattern = MemoryPattern(
        pattern_id="by-hand.stay-out",
        agent_id=memory.agent_id,
        pattern_type=PatternType.SUCCESS,
        decision_type=DecisionType.STRATEGY_SELECTION,
        choice="stay_out",
        success_rate=0.9,
        baseline_rate=0.4,
        sample_size=100,
        confidence=0.8,
        created_at=now,
        updated_at=now,
    )
    yield memory.store_pattern(pattern).pattern_id
    memory.retire_pattern(pattern.pattern_id)


@pytest.mark.usefixtures("platform")
def test_the_desk_trades(
    platform_config: PlatformConfig, deployed: AWSClientManager, remembered: str
) -> None:
    """Both halves are in the log, the second with recall; running it again changes nothing."""
    logs = [DecisionLogger(MemoryManager(agent, deployed)) for agent in AGENTS]

    def counts() -> list[int]:
        return [log.get_decision_stats(ALL_HOURS)["total_decisions"] for log in logs]

    before = counts()
    first = trade(platform_config)
    assert first.returncode == 0, first.stderr
    after = counts()
    assert [now - then for now, then in zip(after, before, strict=True)][:2] == [12, 12]
    assert re.search(r"buy.and.hold", first.stdout, re.IGNORECASE)
    assert "made no difference beyond chance" in first.stdout

    mine = list(logs[1].query_decisions(until=datetime(2013, 3, 1, tzinfo=UTC)))
    applied = [record.reasoning.patterns_applied for record in reversed(mine[:12])]
    assert applied == [[]] * 6 + [[remembered]] * 6
    assert sum(record.reasoning.selected == ["stay_out"] for record in mine[:6]) >= 4

    again = trade(platform_config)
    assert again.returncode == 0, again.stderr
    assert "traded 6 of the second half's 6 days" in again.stdout
    assert counts() == after
    (newest,) = logs[2].query_decisions(until=datetime(2013, 3, 1, tzinfo=UTC), limit=1)
    assert newest.outcome is not None
    chain = logs[2].get_decision_chain(newest.decision_id)
    assert [decision.agent_id for decision in chain] == list(AGENTS)

    longer = trade(platform_config, days=20)
    assert longer.returncode == 1
    assert "recalling would be hindsight" in longer.stderr
    assert counts() == after
