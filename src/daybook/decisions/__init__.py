"""The decision log: what agents decided, and what came of it."""

from daybook.decisions.handle import DecisionVerbs
from daybook.decisions.queries import DecisionPage, DecisionQuery, iterate, over_pages, page
from daybook.decisions.reading import chain, children, get
from daybook.decisions.recording import record, record_outcome

__all__ = [
    "DecisionPage",
    "DecisionQuery",
    "DecisionVerbs",
    "chain",
    "children",
    "get",
    "iterate",
    "over_pages",
    "page",
    "record",
    "record_outcome",
]
