"""Reading the log by id: one decision, its chain up to the root, its children."""

from collections.abc import Iterable, Iterator
from itertools import islice

from daybook.decisions import items
from daybook.errors import (
    AccessDeniedError,
    BrokenChainError,
    ChainTooLongError,
    CyclicChainError,
    DecisionNotFoundError,
    ForeignChainError,
    ForeignDecisionError,
)
from daybook.models import DecisionId, DecisionRecord
from daybook.store import DECISIONS, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import begins_with, equals

LONGEST_CHAIN = 1000
"""Links that are followed towards the root: each takes a request."""

RUN = 50
"""Decisions read at once: with their outcomes they fill one BatchGetItem."""


def get(store: Store, decision_id: str, reader: str | None = None) -> DecisionRecord:
    """Return a decision with its outcome, as they are now. One request.

    `reader` is the agent whose own log is all that may be read; None may read every log.
    Raises InvalidDecisionIdError, ForeignDecisionError or DecisionNotFoundError.
    """
    parsed = DecisionId.parse(decision_id)
    if reader not in {None, parsed.agent_id}:
        raise ForeignDecisionError(
            f"{decision_id} is in the log of {parsed.agent_id!r}, and this is {reader!r}: through "
            "the API an agent reads its own log only",
            [("decision_id", "belongs to another agent")],
        )
    key = keys.decision(parsed)
    together = equals("pk", key["pk"]) & begins_with("sk", str(key["sk"]))
    found = store.query(DECISIONS, together, consistent=True, newest_first=True)
    for decision in assembled(store, found):
        return decision
    raise DecisionNotFoundError(f"no decision {decision_id} is recorded, or it has expired")


def chain(store: Store, decision_id: str, reader: str | None = None) -> list[DecisionRecord]:
    """Return the decisions that led to this one, the root first. One request a decision.

    Crosses agents. Raises DecisionNotFoundError for the decision itself, BrokenChainError
    when an ancestor is missing, CyclicChainError when one repeats, ChainTooLongError after a
    thousand, and ForeignChainError when the next link is in a log that the `reader` may not
    read; these carry in `.chain` what could be read.
    """
    found = [get(store, decision_id, reader)]
    seen = {found[0].decision_id}
    while (parent := found[-1].parent_decision_id) is not None:
        if parent in seen:
            raise CyclicChainError(
                f"{found[-1].decision_id} names {parent} as its parent, which is its own "
                "descendant: the chain has no root",
                found[::-1],
            )
        if len(found) == LONGEST_CHAIN:
            raise ChainTooLongError(
                f"the chain of {decision_id} has more than {LONGEST_CHAIN:,} links; the nearest "
                "are in .chain. Go on from the first of them",
                found[::-1],
            )
        try:
            found.append(get(store, parent, reader))
        except (ForeignDecisionError, AccessDeniedError) as fault:
            if DecisionId.parse(parent).agent_id == found[0].agent_id:
                raise
            raise ForeignChainError(
                f"the chain of {decision_id} goes on with {parent}, in another agent's log, which "
                "cannot be read from here. What could be read is in .chain",
                found[::-1],
            ) from fault
        except DecisionNotFoundError as fault:
            raise BrokenChainError(
                f"{found[-1].decision_id} names the parent {parent}, which was never recorded "
                "or has expired. The rest of the chain is in .chain",
                found[::-1],
            ) from fault
        seen.add(parent)
    return found[::-1]


def children(store: Store, decision_id: str, reader: str | None = None) -> list[DecisionRecord]:
    """Return the decisions that name this one as their parent, of any agent, oldest first.

    A `reader` gets those of its own log; so does a role that may read no other. Two requests
    for up to 50 children.
    """
    own = DecisionId.parse(decision_id)
    parent = keys.parent_key(own)
    index = DECISIONS.index("ParentIndex")
    found = store.query(DECISIONS, equals("parent_key", parent), index=index)
    ids = [DecisionId(keys.uuid_of(str(item["sk"])), str(item["pk"])) for item in found]
    try:
        return list(hydrated(store, [each for each in ids if reader in {None, each.agent_id}]))
    except AccessDeniedError:
        mine = [each for each in ids if each.agent_id == own.agent_id]
        if len(mine) == len(ids):
            raise
        return list(hydrated(store, mine))


def hydrated(store: Store, ids: Iterable[DecisionId], run: int = RUN) -> Iterator[DecisionRecord]:
    """Iterate the decisions of these ids with their outcomes, in the order of the ids.

    Those that have expired meanwhile are left out. One request for every `run` ids, sent
    only when its decisions are asked for.
    """
    remaining = iter(ids)
    while together := list(islice(remaining, run)):
        yield from _fetched(store, together)


def assembled(store: Store, found: Iterable[Item]) -> Iterator[DecisionRecord]:
    """Pair decisions with outcomes in a stretch of the log that is read newest first.

    An outcome comes right before its decision there, so nothing is read ahead to find it. An
    outcome alone is left out: its decision has expired.
    """
    outcome: Item = {"sk": ""}
    for item in found:
        if keys.is_outcome(str(item["sk"])):
            outcome = item
        else:
            is_its_own = keys.uuid_of(str(outcome["sk"])) == keys.uuid_of(str(item["sk"]))
            yield items.read_decision(store, item, outcome if is_its_own else None)


def _fetched(store: Store, ids: list[DecisionId]) -> Iterator[DecisionRecord]:
    wanted = [key for each in ids for key in (keys.decision(each), keys.outcome(each))]
    found = {(item["pk"], item["sk"]): item for item in store.fetch(DECISIONS, wanted)}
    for decision_id in ids:
        decision, outcome = keys.decision(decision_id), keys.outcome(decision_id)
        item = found.get((decision["pk"], decision["sk"]))
        if item is not None:
            beside = found.get((outcome["pk"], outcome["sk"]))
            yield items.read_decision(store, item, beside)
