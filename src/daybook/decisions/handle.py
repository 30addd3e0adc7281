"""The verbs of the log on an agent's handle: thin, over the functions of this room."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from daybook.decisions import queries, reading, recording, workflow_runs
from daybook.decisions.batches import PreparedDecision, record_all
from daybook.decisions.queries import DecisionPage, DecisionQuery
from daybook.decisions.spooling import kept_draft, kept_prepared
from daybook.doors import Handle, verb
from daybook.errors import DaybookError, ForeignDecisionError, InvalidInputError, StorageError
from daybook.models import (
    DecisionId,
    DecisionOutcome,
    DecisionRecord,
    DecisionType,
    MemoryTier,
    new_decision_id,
)
from daybook.models.drafts import DecisionDraft, DecisionReceipt, OutcomeDraft, OutcomeReceipt
from daybook.models.identity import ascending_bits
from daybook.models.workflows import TaskMetrics, TaskType, WorkflowRun
from daybook.spool import Kept, Spool


class DecisionVerbs(Handle):
    """What an agent does with its log."""

    def record_decision(self, draft: DecisionDraft, *, is_new: bool = False) -> DecisionRecord:
        """Write a decision into this agent's log; return it as it stands there.

        `is_new` says that its id was made for it and never handed in before.
        Raises InvalidInputError, DecisionConflictError, or StorageError, which carries the
        decision's id. `DecisionLogger` is the comfortable way to call this.
        """
        if self.spool is not None:
            decision_id = draft.identified(self.agent_id, now := self.clock())
            try:
                self._keep(self.spool, [(decision_id, draft)], is_new=is_new)
            except StorageError as fault:
                fault.decision_id = decision_id
                raise
            return draft.named(decision_id).to_record(self.agent_id, now)
        if self.api is not None:
            return self._sent(draft.named(self._new_id(draft)))
        return self._recorded(draft)

    def record_decisions(self, drafts: Sequence[DecisionDraft]) -> list[str]:
        """Write many decisions; return their ids, in the same order.

        Ids that are made for them sort in this order, too, where they are of one moment. By way
        of a spool all are kept, or none; in the tables those without an id of their own are
        written 25 to a request; through the API each is a request. Raises what `record_decision`
        raises, about `decisions.<place>` where it is one that is wrong; what is raised once some
        may be written carries the ids of all.
        """
        now = self.clock()
        ids = []
        for place, (draft, bits) in enumerate(
            zip(drafts, ascending_bits(len(drafts)), strict=True)
        ):
            try:
                ids.append(draft.identified(self.agent_id, now, random_bits=bits))
            except InvalidInputError as fault:
                raise fault.at(f"decisions.{place}") from None
        decisions = list(zip(ids, drafts, strict=True))
        try:
            if self.spool is not None:
                self._keep(self.spool, decisions)
            elif self.api is None:
                record_all(self.store, self.agent_id, decisions)
            else:
                for decision_id, draft in decisions:
                    self._sent(draft.named(decision_id))
        except DaybookError as fault:
            fault.decision_ids = ids
            raise
        return ids

    def _new_id(self, draft: DecisionDraft) -> str:
        return new_decision_id(self.agent_id, draft.decided_at or self.clock())

    def _sent(self, draft: DecisionDraft) -> DecisionRecord:
        try:
            made_there = self._log_decision(draft)
        except StorageError as fault:
            fault.decision_id = draft.decision_id
            raise
        return draft.to_record(self.agent_id, made_there.arrived_at)

    def _keep(
        self, spool: Spool, decisions: Sequence[tuple[str, DecisionDraft]], *, is_new: bool = False
    ) -> None:
        kept: list[Kept] = []
        for decision_id, draft in decisions:
            if self.api is None:
                ready = PreparedDecision.of(self.store, decision_id, draft)
                kept.append(kept_prepared(ready, is_new=is_new or draft.decision_id is None))
            else:
                kept.append(kept_draft(draft.named(decision_id)))
        spool.append(self.agent_id, kept)

    def _recorded(self, draft: DecisionDraft) -> DecisionRecord:
        return recording.record(self.store, draft.to_record(self.agent_id, self.store.clock()))

    @verb("POST", "/decisions", creates=True)
    def _log_decision(self, draft: DecisionDraft) -> DecisionReceipt:
        made = self._recorded(draft)
        return DecisionReceipt(
            decision_id=made.decision_id, decided_at=made.decided_at, arrived_at=made.arrived_at
        )

    def record_outcome(self, draft: OutcomeDraft) -> DecisionOutcome:
        """Write what came of one of this agent's decisions; return it as it stands.

        Raises DecisionNotFoundError, WrongDecisionTypeError, ForeignDecisionError or
        OutcomeConflictError. By way of a spool these are found when it is delivered, which sets
        it aside.
        """
        if self.spool is not None:
            made = draft.to_outcome(self.agent_id, self.clock())
            self.spool.append(self.agent_id, [kept_draft(draft)])
            return made
        if self.api is not None:
            return draft.to_outcome(self.agent_id, self._log_outcome(draft).arrived_at)
        outcome = draft.to_outcome(self.agent_id, self.store.clock())
        return recording.record_outcome(self.store, outcome)

    @verb("POST", "/decisions/{decision_id}/outcome", creates=True)
    def _log_outcome(self, draft: OutcomeDraft) -> OutcomeReceipt:
        made = self.record_outcome(draft)
        return OutcomeReceipt(
            decision_id=made.decision_id, success=made.success, arrived_at=made.arrived_at
        )

    @verb("GET", "/decisions/{decision_id}")
    def get_decision(self, decision_id: str) -> DecisionRecord:
        """Return a decision, with its outcome. Raises DecisionNotFoundError.

        Of any agent; through the API only of this one, or ForeignDecisionError.
        """
        return reading.get(self.store, decision_id, self._reader)

    @verb("GET", "/decisions/{decision_id}/chain", lists="decisions")
    def get_decision_chain(self, decision_id: str) -> list[DecisionRecord]:
        """Return the decisions that led to this one, the root first.

        Raises ChainError; through the API a ForeignChainError where the chain goes on in the
        log of another agent.
        """
        return reading.chain(self.store, decision_id, self._reader)

    @verb("GET", "/decisions/{decision_id}/children", lists="decisions")
    def get_children(self, decision_id: str) -> list[DecisionRecord]:
        """Return the decisions that this one is the parent of, oldest first.

        Of any agent; through the API only this agent's own.
        """
        return reading.children(self.store, decision_id, self._reader)

    def query_decisions(
        self, query: DecisionQuery, limit: int | None = None
    ) -> Iterator[DecisionRecord]:
        """Iterate the decisions of a query, newest first."""
        if self.api is None:
            return queries.iterate(self.store, query, limit)
        return queries.over_pages(self.page_decisions, query, limit)

    def page_decisions(
        self, query: DecisionQuery, limit: int, cursor: str | None = None
    ) -> DecisionPage:
        """Return one page of a query, newest first, and the cursor of the next."""
        if self.api is None:
            return queries.page(self.store, query, limit, cursor)
        if query.agent_id != self.agent_id:
            raise ForeignDecisionError(
                f"the query is for the log of {query.agent_id!r}, and this is {self.agent_id!r}: "
                "through the API an agent reads its own log only",
                [("agent_id", "is another agent")],
            )
        asked = {name: getattr(query, name) for name in DecisionQuery.model_fields}
        del asked["agent_id"]
        return self._page(**asked, limit=limit, cursor=cursor)

    @verb("GET", "/decisions")
    def _page(
        self,
        decision_type: DecisionType | None = None,
        success: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        tier: MemoryTier | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> DecisionPage:
        query = DecisionQuery.checked(
            agent_id=self.agent_id,
            decision_type=decision_type,
            success=success,
            since=since,
            until=until,
            tier=tier,
        )
        return queries.page(self.store, query, limit, cursor)

    @verb("GET", "/workflows/runs", lists="runs")
    def workflow_runs(self, task_type: TaskType | str, limit: int = 500) -> list[WorkflowRun]:
        """Return the newest runs of workflows on a type of task, newest first. One request.

        `MemoryTool` is the comfortable way to call this.
        """
        return workflow_runs.recent(self.store, self.agent_id, task_type, limit)

    @verb("GET", "/workflows/metrics")
    def workflow_metrics(self, task_type: TaskType | str) -> TaskMetrics:
        """Return what all of this agent's runs on a type of task add up to."""
        return workflow_runs.metrics(self.store, self.agent_id, task_type)

    @verb("POST", "/workflows/steps")
    def steps_of_runs(self, decision_ids: Sequence[str]) -> dict[str, list[Any]]:
        """Return the steps of these runs of this agent's, by decision. A request for a hundred."""
        own = [each for each in decision_ids if DecisionId.parse(each).agent_id == self.agent_id]
        return workflow_runs.steps_of(self.store, own)

    @verb("POST", "/workflows/run-ids")
    def decision_of_run(self, run_id: str) -> str:
        """Return the id of the decision that the run of this id is to be; the same each time."""
        return workflow_runs.claim_run_id(self.store, self.agent_id, run_id)
