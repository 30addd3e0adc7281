"""Decisions that log themselves: a block of code is a decision, and blocks nest."""

from daybook.deciding.arguments import recorded_arguments
from daybook.deciding.blocks import DecisionBlock
from daybook.deciding.drafting import BlockDetails, Context, decision_draft, plain
from daybook.deciding.scopes import active, carrying, current_decision, current_memory

__all__ = [
    "BlockDetails",
    "Context",
    "DecisionBlock",
    "active",
    "carrying",
    "current_decision",
    "current_memory",
    "decision_draft",
    "plain",
    "recorded_arguments",
]
