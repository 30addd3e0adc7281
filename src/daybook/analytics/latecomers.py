"""Decisions that arrived late, found through the marks that they leave.

A decision is counted in one of two ways: by its hour when that closes, or by its mark when it
arrived more than a minute after it was made. `arrived_late` is the line between the two.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from daybook.decisions import digests
from daybook.decisions.digests import DecisionDigest
from daybook.decisions.recording import LATE_AFTER
from daybook.models import DecisionId
from daybook.models.identity import moment_of
from daybook.progress import Arrival
from daybook.store import DECISIONS, Store, keys
from daybook.store.batching import GET_LIMIT, cut


def decided_at(uuid: str) -> datetime:
    """Return when the decision of this UUID was made."""
    return DecisionId(uuid, "").decided_at


def arrived_late(decision: DecisionDigest) -> bool:
    """Whether a decision left a late mark when it was written."""
    return moment_of(decision.written_at) - decided_at(decision.uuid) > LATE_AFTER


def read_latecomers(
    store: Store, agent_id: str, marks: Sequence[Arrival]
) -> dict[str, DecisionDigest | None]:
    """Return what each mark counts, by the mark's sort key. One request for a hundred marks.

    None for one that a repeat has left: the decision stood already. No entry where there is no
    decision: its writer puts the mark first, and may be about to put the decision, or died.
    """
    return {
        mark.sort_key: digest if _is_of(mark, digest) else None
        for mark, digest in _found(store, agent_id, marks)
    }


def _is_of(mark: Arrival, decision: DecisionDigest) -> bool:
    return decision.written_at == mark.arrived_at and arrived_late(decision)


def _found(
    store: Store, agent_id: str, marks: Sequence[Arrival]
) -> Iterator[tuple[Arrival, DecisionDigest]]:
    # a hundred at a time, for the items come with their bodies
    for run in cut(marks, GET_LIMIT):
        wanted = {mark.uuid: keys.decision(mark.decision_id(agent_id)) for mark in run}
        decisions = map(digests.read_decision, store.fetch(DECISIONS, wanted.values()))
        found = {decision.uuid: decision for decision in decisions}
        yield from ((mark, found[mark.uuid]) for mark in run if mark.uuid in found)
