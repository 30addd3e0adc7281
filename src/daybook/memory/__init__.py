"""Long-term memory: patterns, learned and by hand, and the job that learns them."""

from daybook.memory.consolidation import consolidate
from daybook.memory.handle import MemoryVerbs
from daybook.memory.patterns import (
    get_pattern,
    list_patterns,
    pattern_history,
    retire_pattern,
    share_pattern,
    store_pattern,
    unshare_pattern,
)
from daybook.memory.ranking import Recollection
from daybook.memory.recall import Acquaintances, recall, shared_patterns
from daybook.memory.reports import ConsolidationReport
from daybook.memory.undoing import undo, undoable

__all__ = [
    "Acquaintances",
    "ConsolidationReport",
    "MemoryVerbs",
    "Recollection",
    "consolidate",
    "get_pattern",
    "list_patterns",
    "pattern_history",
    "recall",
    "retire_pattern",
    "share_pattern",
    "shared_patterns",
    "store_pattern",
    "undo",
    "undoable",
    "unshare_pattern",
]
