"""Items that are not what they should be are an error of storage, not of the caller."""

import pytest

from daybook import DecisionLogger, DecisionType, MemoryManager
from daybook.errors import BodyCorruptError
from daybook.models import DecisionId
from daybook.store import DECISIONS, keys
from daybook.store.attributes import Item


@pytest.mark.parametrize(
    "damage",
    [
        {"written_at": "yesterday"},
        {"body": "{}"},
        {"body": "[1]"},
        {"body": '{"type":"guess","context":{},"reasoning":{"confidence":0.5}}'},
        {"body": '{"type":"other","context":{},"reasoning":{"confidence":7}}'},
        {"body": '{"type":"other","context":{},"reasoning":'},
        {"v": 99},
    ],
)
def test_a_damaged_decision_is_named(daybook_memory: MemoryManager, damage: Item) -> None:
    """The error says which item, and does not pass for a mistake in the question."""
    log = DecisionLogger(daybook_memory)
    own = log.log_decision(DecisionType.OTHER, confidence=0.5)
    store = daybook_memory.store
    stored = store.get(DECISIONS, keys.decision(DecisionId.parse(own)))
    assert stored is not None
    store.put(DECISIONS, stored | damage)
    with pytest.raises(BodyCorruptError):
        log.get_decision(own)


def test_a_missing_attribute_is_named(daybook_memory: MemoryManager) -> None:
    """An item written by hand, without what Daybook adds, is told so."""
    log = DecisionLogger(daybook_memory)
    own = log.log_decision(DecisionType.OTHER, confidence=0.5)
    store = daybook_memory.store
    stored = store.get(DECISIONS, keys.decision(DecisionId.parse(own)))
    assert stored is not None
    del stored["written_at"]
    store.put(DECISIONS, stored)
    with pytest.raises(BodyCorruptError, match="written_at"):
        log.get_decision(own)
