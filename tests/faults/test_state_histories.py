"""Many writers of one agent's state: what they were answered has an order."""

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from daybook import AWSClientManager, MemoryManager
from tests.faults.histories import CHANGES, Operation, order
from tests.faults.state_writers import history_of

NEW_VERSION = {"save", "take_over", "rollback"}


def check(database: AWSClientManager, steps: int) -> Counter[str]:
    """Let 24 writers work; check that their history has an order and that nothing is lost."""
    memory = MemoryManager(f"agent-{uuid4().hex}", database)
    history = history_of(str(database.endpoint_url), memory.agent_id, steps)
    verbs = Counter(operation.verb for operation in history)
    assert order(history) is not None
    state = memory.load_state()
    assert state is not None
    assert state.version == sum(verbs[verb] for verb in NEW_VERSION)
    assert len(memory.list_checkpoints()) == verbs["checkpoint"] + verbs["rollback"]
    return verbs


def test_24_writers(database: AWSClientManager) -> None:
    """Eight threads in each of three processes: an order for all that they were told."""
    verbs = check(database, 8)
    assert verbs["save"] > 0
    assert verbs["stale"] > 0


@pytest.mark.campaign
@pytest.mark.parametrize("_", range(3))
def test_a_thousand_operations(database: AWSClientManager, _: int) -> None:
    """The same with a thousand and more."""
    verbs = check(database, 42)
    assert verbs.total() >= 1_000
    assert min(verbs[verb] for verb in CHANGES) > 10


def test_writers_without_a_condition_are_caught(database: AWSClientManager) -> None:
    """The control: writes that overwrite what they have not seen have no order."""
    agent = f"agent-{uuid4().hex}"
    history = history_of(str(database.endpoint_url), agent, 8, careless=True)
    assert order(history) is None


def operation(began: int, ended: int, verb: str, asked: Any, answer: Any) -> Operation:
    """Make an operation."""
    return Operation(began, ended, verb, asked, answer)


FIRST = operation(0, 10, "save", (0, 1), 1)
SECOND = operation(20, 30, "save", (1, 2), 2)
CHECKPOINT = operation(12, 40, "checkpoint", None, ("0000000001-000000-a", 1, 1))


@pytest.mark.parametrize(
    ("history", "has_one"),
    [
        ([], True),
        ([FIRST, SECOND, operation(40, 50, "load", None, (2, 2, None))], True),
        ([FIRST, SECOND, operation(25, 50, "load", None, (1, 1, None))], True),
        ([FIRST, SECOND, operation(40, 50, "load", None, (1, 1, None))], False),
        ([FIRST, operation(5, 10, "save", (0, 2), 1)], False),
        ([FIRST, operation(5, 10, "stale", 0, 1)], True),
        ([FIRST, operation(11, 12, "stale", 1, 0)], False),
        ([FIRST, SECOND, CHECKPOINT], True),
        ([FIRST, SECOND, CHECKPOINT._replace(began=31)], False),
        ([FIRST, CHECKPOINT, operation(50, 60, "list", None, (set(), set()))], False),
        (
            [
                FIRST,
                SECOND,
                CHECKPOINT,
                operation(41, 50, "rollback", (None, None), (3, 1, "0000000001-000000-a")),
                operation(51, 60, "list", None, ({"0000000001-000000-a"}, {2})),
            ],
            True,
        ),
        (
            [
                FIRST,
                SECOND,
                CHECKPOINT,
                operation(41, 50, "rollback", (None, None), (3, 2, "0000000001-000000-a")),
            ],
            False,
        ),
    ],
)
def test_the_search(history: list[Operation], has_one: bool) -> None:
    """It finds an order where there is one, and only there."""
    assert (order(history) is not None) is has_one
