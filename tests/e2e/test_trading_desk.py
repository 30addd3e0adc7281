"""The demo, on the platform of this run: three agents, three doors, real prices."""

import re
import subprocess
import sys

import pytest

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.platform import PlatformConfig
from tests.conftest import AGENTS, ROOT

ALL_HOURS = 24 * 365 * 40


def trade(config: PlatformConfig) -> str:
    """Run the demo over twelve trading days as a user would; return what it printed."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "examples.trading_desk", "--days", "12"),
            *("--port", str(config.port), "--home", str(config.folder)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("platform")
def test_the_desk_trades(platform_config: PlatformConfig, deployed: AWSClientManager) -> None:
    """Every decision is in the log with its outcome; running it again counts nothing twice."""
    logs = [DecisionLogger(MemoryManager(agent, deployed)) for agent in AGENTS]
    before = [log.get_decision_stats(ALL_HOURS)["total_decisions"] for log in logs]
    printed = trade(platform_config)
    after = [log.get_decision_stats(ALL_HOURS)["total_decisions"] for log in logs]
    made = [now - then for now, then in zip(after, before, strict=True)]
    assert min(made[:2]) >= 10
    assert re.search(r"buy.and.hold", printed, re.IGNORECASE)
    trade(platform_config)
    assert [log.get_decision_stats(ALL_HOURS)["total_decisions"] for log in logs] == after
    newest = next(iter(logs[2].query_decisions(tier="ltm")))
    assert newest.outcome is not None
    chain = logs[2].get_decision_chain(newest.decision_id)
    assert [decision.agent_id for decision in chain] == list(AGENTS)
