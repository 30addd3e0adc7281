"""What users import into their own tests."""

import threading
from collections import Counter
from uuid import uuid4

import pytest

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    OutcomeConflictError,
)
from daybook.testing import local_aws

KIND = DecisionType.OTHER
pytest_plugins = ["pytester"]


def test_the_fixture_is_a_working_daybook(daybook_memory: MemoryManager) -> None:
    """Log and read, with no credentials and no server."""
    log = DecisionLogger(daybook_memory)
    assert log.get_decision(log.log_decision(KIND, confidence=0.5)).agent_id == "test-agent"


@pytest.mark.parametrize("run", [1, 2])
def test_each_test_starts_empty(daybook_memory: MemoryManager, run: int) -> None:
    """Nothing is left from the run before."""
    log = DecisionLogger(daybook_memory)
    assert list(log.query_decisions()) == []
    log.log_decision(KIND, confidence=run / 2)


def test_threads_are_safe(daybook_client_manager: AWSClientManager) -> None:
    """Of 8 threads with different outcomes one wins, as in DynamoDB; bare moto lets more."""
    log = DecisionLogger(MemoryManager("a", daybook_client_manager))
    for _ in range(10):
        decision_id = log.log_decision(KIND, confidence=0.5)
        ended: Counter[str] = Counter()

        def write(
            number: int, decision_id: str = decision_id, ended: Counter[str] = ended
        ) -> None:
            try:
                log.log_outcome(decision_id, KIND, True, 0.5, float(number))
                ended["won"] += 1
            except OutcomeConflictError:
                ended["told"] += 1

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ended == {"won": 1, "told": 7}


def test_the_environment_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that name an endpoint, a profile, a prefix or a bucket do not reach it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("DAYBOOK_TABLE_PREFIX", "elsewhere-")
    monkeypatch.setenv("DAYBOOK_RETENTION_DAYS", "1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with local_aws() as manager:
        assert manager.settings.table_prefix == ""
        assert manager.settings.retention_days == 365
        log = DecisionLogger(MemoryManager("a", manager))
        large = {"noise": "".join(uuid4().hex for _ in range(30_000))}
        own = log.log_decision(KIND, confidence=0.5, context=large)
        assert log.get_decision(own).context.as_dict() == large


def test_pytest_runs_without_moto(pytester: pytest.Pytester) -> None:
    """A project that uses Daybook and not its fixtures needs no moto."""
    pytester.makepyfile(sitecustomize="import sys; sys.modules['moto'] = None")
    pytester.makepyfile(test_own="def test_it(): pass")
    pytester.syspathinsert()
    pytester.runpytest_subprocess("-p", "sitecustomize", "test_own.py").assert_outcomes(passed=1)


def test_pytest_finds_the_fixtures_by_itself(pytester: pytest.Pytester) -> None:
    """A project that installs the extra imports nothing."""
    pytester.makepyfile(
        """
        def test_it(daybook_memory):
            assert daybook_memory.agent_id == "test-agent"
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
