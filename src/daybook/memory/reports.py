"""What a consolidation run did, for people and for metrics."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from daybook.memory.runs import Change, ChangeKind
from daybook.models.base import ListOf, Record
from daybook.models.identity import AgentId, Moment

Count = Annotated[int, Field(ge=0)]


class ReportedChange(Record):
    """One pattern that a run changed, and why."""

    pattern_id: str
    kind: ChangeKind
    version: int
    reason: str


class ConsolidationReport(Record):
    """A run of consolidation over one agent; of a dry run, what it would have done.

    `outcomes_learned` counts outcomes that arrived since the run before; of these
    `outcomes_left_out` chose something beyond the eight choices that are learned about.
    `outcomes_damaged` came to a decision that cannot be read: nothing was learned from them.
    `patterns_updated` counts patterns that were refreshed or that turned. Of the archived days,
    `days_damaged` hold something that cannot be read; they are tried again daily. `more` says
    that work is left for another run. Whatever arrived before `caught_up_to` has been dealt
    with, but for days of the archive to be written anew, the first of them at `look_again_at`.
    """

    run_id: str
    agent_id: AgentId
    dry_run: bool = False
    outcomes_learned: Count = 0
    outcomes_damaged: Count = 0
    outcomes_left_out: Count = 0
    days_archived: Count = 0
    days_damaged: Count = 0
    patterns_created: Count = 0
    patterns_updated: Count = 0
    patterns_retired: Count = 0
    changes: ListOf[ReportedChange] = Field(default_factory=list)
    more: bool = False
    caught_up_to: Moment
    look_again_at: Moment | None = None


def report(
    agent_id: str, run_id: str, *, changes: Sequence[Change] = (), **figures: Any
) -> ConsolidationReport:
    """Return the report of a run that made these changes."""
    kinds = [change.kind for change in changes]
    return ConsolidationReport(
        agent_id=agent_id,
        run_id=run_id,
        patterns_created=kinds.count("created"),
        patterns_updated=kinds.count("refreshed") + kinds.count("turned"),
        patterns_retired=kinds.count("retired"),
        changes=[
            ReportedChange(
                pattern_id=change.after.pattern_id,
                kind=change.kind,
                version=change.after.version,
                reason=change.reason,
            )
            for change in changes
        ],
        **figures,
    )
