"""From what an agent says in Python to a draft: one name is a list of one, None is empty."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from daybook.models import DecisionContext
from daybook.models.drafts import DecisionDraft

Context = Mapping[str, Any] | DecisionContext | None

_LISTS = {"options", "selected", "patterns_applied", "tags"}
_MAPPINGS = {"scores", "context"}


class BlockDetails(TypedDict, total=False):
    """What a decision may carry besides the choice itself.

    A `parent_decision_id` of None makes the decision a root; left out, the block around it is
    its parent.
    """

    parent_decision_id: str | None
    patterns_applied: Sequence[str]
    rationale: str | None
    session_id: str | None
    tags: Sequence[str]
    agent_version: str | None
    propensity: float | None


def decision_draft(said: Mapping[str, Any]) -> DecisionDraft:
    """Make a draft, or raise InvalidInputError that names every faulty field."""
    return DecisionDraft.checked(**{name: _ordinary(name, value) for name, value in said.items()})


def plain(value: object) -> object:
    """Take None for an empty mapping, and any mapping for a dict."""
    if isinstance(value, DecisionContext):
        return value.as_dict()
    if value is None:
        return {}
    return dict(value) if isinstance(value, Mapping) else value


def _ordinary(name: str, value: object) -> object:
    if name in _LISTS:
        return _listed(value)
    return plain(value) if name in _MAPPINGS else value


def _listed(value: object) -> object:
    """Take one name for a list of one, and any other sequence for a list."""
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, Sequence) else value
