"""What users import into their own tests."""

import threading
from collections import Counter

import pytest

from daybook import (
    AWSClientManager,
    DecisionLogger,
    DecisionType,
    MemoryManager,
    OutcomeConflictError,
)

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


def test_pytest_finds_the_fixtures_by_itself(pytester: pytest.Pytester) -> None:
    """A project that installs the extra imports nothing."""
    pytester.makepyfile(
        """
        def test_it(daybook_memory):
            assert daybook_memory.agent_id == "test-agent"
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
