"""The decision log: what agents decided, and what came of it."""

from daybook.decisions.queries import DecisionPage, DecisionQuery, iterate, page
from daybook.decisions.reading import chain, children, get
from daybook.decisions.recording import record, record_outcome

__all__ = [
    "DecisionPage",
    "DecisionQuery",
    "chain",
    "children",
    "get",
    "iterate",
    "page",
    "record",
    "record_outcome",
]
