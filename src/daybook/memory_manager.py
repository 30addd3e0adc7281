"""`MemoryManager`: an agent's handle, and every verb of it, through either door.

Each verb is a method here, over a plain function of its room. The decorator says the HTTP
request that stands for it: with `door="tables"` the method runs, with `door="api"` the request
is sent, and the function behind the API runs this same method.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from daybook import decisions, memory
from daybook.analytics import DecisionStats, decision_stats
from daybook.client import AWSClientManager, get_client_manager
from daybook.decisions import DecisionPage, DecisionQuery
from daybook.doors import Api, verb
from daybook.errors import (
    ClaimExpiredError,
    ConflictError,
    ForeignDecisionError,
    InvalidInputError,
    StorageError,
)
from daybook.memory import Acquaintances, ConsolidationReport, Recollection
from daybook.models import (
    AgentState,
    DecisionContext,
    DecisionOutcome,
    DecisionRecord,
    DecisionType,
    MemoryPattern,
    MemoryTier,
    new_decision_id,
)
from daybook.models.drafts import DecisionDraft, DecisionReceipt, OutcomeDraft, OutcomeReceipt
from daybook.models.identity import checked_agent_id
from daybook.models.state import StateReceipt
from daybook.settings import region
from daybook.signals import SignalVerbs, acknowledge
from daybook.state import StateVerbs, saving
from daybook.state.current import check_data, standing_item
from daybook.state.state_items import moved_on, new_token, version_of
from daybook.store import Store

PATIENCE = timedelta(seconds=90)
"""How long another consolidation of the agent is waited for: a dead one's lease ends sooner."""

PATIENCE_BEHIND_API = timedelta(seconds=10)
"""The same where a request must be answered within half a minute."""

Door = Literal["tables", "api"]


class MemoryManager(StateVerbs, SignalVerbs):
    """An agent's handle: its decisions, and the way to every other room.

    `door` is how it reaches them: `tables` goes straight to DynamoDB and S3, `api` through the
    deployed API at `api_url`, which takes the agent from the role that signs. The verbs and
    their errors are the same. Defaults come from the settings of the client manager, which is
    the one of the region that AWS's variables name unless another is given. Raises
    InvalidAgentIdError unless the id is 1 to 128 characters of `A-Z a-z 0-9 . _ : @ -`, and
    InvalidInputError for a door that cannot be.
    """

    def __init__(
        self,
        agent_id: str,
        client_manager: AWSClientManager | None = None,
        *,
        door: Door | None = None,
        api_url: str | None = None,
    ) -> None:
        self.agent_id = checked_agent_id(agent_id)
        self.client_manager = client_manager or get_client_manager(region())
        self.clock = self.client_manager.clock
        self.api = self._opened(door, api_url)
        # now, so that a region or an endpoint that cannot be is told here
        self._store = None if self.api else self.client_manager.store
        self.patience = PATIENCE
        self.signals_routed = self.client_manager.settings.signals_routed
        self.checkpoints_kept = self.client_manager.settings.checkpoints_kept
        self._reader: str | None = None
        self._acquaintances = Acquaintances()

    def _opened(self, door: Door | None, api_url: str | None) -> Api | None:
        settings = self.client_manager.settings
        door = door or ("api" if api_url else settings.door)
        if door == "tables":
            if api_url:
                raise InvalidInputError("api_url is for door='api', and the door is 'tables'")
            return None
        if door != "api":
            raise InvalidInputError(f"there is no door {door!r:.40}: use 'tables' or 'api'")
        url = api_url or settings.api_url
        if not url or urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
            raise InvalidInputError(
                f"the door 'api' leads to {url!r:.200}, which is no URL: pass api_url, or set "
                "DAYBOOK_API_URL, to the stack's output ApiUrl"
            )
        return self.client_manager.api(url, self.agent_id)

    @classmethod
    def serving(
        cls, agent_id: str, client_manager: AWSClientManager, known: Acquaintances
    ) -> Self:
        """Return the handle with which the API acts for an agent.

        It reads the agent's own log only: whoever calls has no other right. `known` outlives
        the request.
        """
        handle = cls(agent_id, client_manager, door="tables")
        handle._acquaintances = known
        handle.patience = PATIENCE_BEHIND_API
        handle._reader = handle.agent_id
        return handle

    @property
    def store(self) -> Store:
        """The tables and the bucket. Raises InvalidInputError behind the door `api`."""
        if self._store is None:
            raise InvalidInputError(
                "this handle goes through the API and has no tables: use one with door='tables'"
            )
        return self._store

    # decisions

    def record_decision(self, draft: DecisionDraft) -> DecisionRecord:
        """Write a decision into this agent's log; return it as it stands there.

        Raises InvalidInputError, DecisionConflictError, or StorageError, which carries the
        decision's id. `DecisionLogger` is the comfortable
        way to call this.
        """
        if self.api is None:
            return self._recorded(draft)
        if draft.decision_id is None:
            # so that a request whose answer is lost can be sent again
            decided_at = draft.decided_at or self.clock()
            made = new_decision_id(self.agent_id, decided_at)
            draft = draft.model_copy(update={"decision_id": made, "decided_at": None})
        try:
            made_there = self._log_decision(draft)
        except StorageError as fault:
            fault.decision_id = draft.decision_id
            raise
        return draft.to_record(self.agent_id, made_there.arrived_at)

    def _recorded(self, draft: DecisionDraft) -> DecisionRecord:
        return decisions.record(self.store, draft.to_record(self.agent_id, self.store.clock()))

    @verb("POST", "/decisions", creates=True)
    def _log_decision(self, draft: DecisionDraft) -> DecisionReceipt:
        made = self._recorded(draft)
        return DecisionReceipt(
            decision_id=made.decision_id, decided_at=made.decided_at, arrived_at=made.arrived_at
        )

    def record_outcome(self, draft: OutcomeDraft) -> DecisionOutcome:
        """Write what came of one of this agent's decisions; return it as it stands.

        Raises DecisionNotFoundError, WrongDecisionTypeError, ForeignDecisionError or
        OutcomeConflictError.
        """
        if self.api is not None:
            return draft.to_outcome(self.agent_id, self._log_outcome(draft).arrived_at)
        outcome = draft.to_outcome(self.agent_id, self.store.clock())
        return decisions.record_outcome(self.store, outcome)

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
        return decisions.get(self.store, decision_id, self._reader)

    @verb("GET", "/decisions/{decision_id}/chain", lists="decisions")
    def get_decision_chain(self, decision_id: str) -> list[DecisionRecord]:
        """Return the decisions that led to this one, the root first.

        Raises ChainError; through the API a ForeignChainError where the chain goes on in the
        log of another agent.
        """
        return decisions.chain(self.store, decision_id, self._reader)

    @verb("GET", "/decisions/{decision_id}/children", lists="decisions")
    def get_children(self, decision_id: str) -> list[DecisionRecord]:
        """Return the decisions that this one is the parent of, oldest first.

        Of any agent; through the API only this agent's own.
        """
        return decisions.children(self.store, decision_id, self._reader)

    def query_decisions(
        self, query: DecisionQuery, limit: int | None = None
    ) -> Iterator[DecisionRecord]:
        """Iterate the decisions of a query, newest first."""
        if self.api is None:
            return decisions.iterate(self.store, query, limit)
        return decisions.over_pages(self.page_decisions, query, limit)

    def page_decisions(
        self, query: DecisionQuery, limit: int, cursor: str | None = None
    ) -> DecisionPage:
        """Return one page of a query, newest first, and the cursor of the next."""
        if self.api is None:
            return decisions.page(self.store, query, limit, cursor)
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
        return decisions.page(self.store, query, limit, cursor)

    @verb("GET", "/stats")
    def get_decision_stats(
        self, time_window_hours: float = 24, decision_type: DecisionType | None = None
    ) -> DecisionStats:
        """Return the statistics of this agent's decisions of the last hours."""
        return decision_stats(self.store, self.agent_id, time_window_hours, decision_type)

    # memory

    @verb("POST", "/patterns", creates=True)
    def store_pattern(self, pattern: MemoryPattern) -> MemoryPattern:
        """Store a pattern of this agent's, new or as the next version; return it as it stands.

        Raises PatternConflictError when it has changed since it was read.
        """
        return memory.store_pattern(self.store, self.agent_id, pattern)

    @verb("GET", "/patterns/one")
    def get_pattern(self, pattern_id: str) -> MemoryPattern:
        """Return one of this agent's patterns, also a retired one.

        Raises PatternNotFoundError.
        """
        return memory.get_pattern(self.store, self.agent_id, pattern_id)

    @verb("GET", "/patterns", lists="patterns")
    def list_patterns(
        self, min_confidence: float = 0.0, decision_type: DecisionType | str | None = None
    ) -> list[MemoryPattern]:
        """Return this agent's live patterns, the most confident first."""
        return memory.list_patterns(self.store, self.agent_id, min_confidence, decision_type)

    @verb("POST", "/patterns/retire")
    def retire_pattern(self, pattern_id: str) -> MemoryPattern:
        """Take a pattern out of use, for good. Its history stays."""
        return memory.retire_pattern(self.store, self.agent_id, pattern_id)

    @verb("GET", "/patterns/history", lists="patterns")
    def pattern_history(self, pattern_id: str) -> list[MemoryPattern]:
        """Return every version of a pattern, the oldest first."""
        return memory.pattern_history(self.store, self.agent_id, pattern_id)

    @verb("POST", "/patterns/share")
    def share_pattern(self, pattern_id: str, agents: Sequence[str]) -> MemoryPattern:
        """Let these agents find one of this agent's patterns. Raises PatternNotFoundError."""
        return memory.share_pattern(self.store, self.agent_id, pattern_id, agents)

    @verb("POST", "/patterns/unshare")
    def unshare_pattern(self, pattern_id: str, agents: Sequence[str]) -> MemoryPattern:
        """Stop these agents from finding a pattern, at once. Raises PatternNotFoundError."""
        return memory.unshare_pattern(self.store, self.agent_id, pattern_id, agents)

    @verb("GET", "/patterns/shared", lists="patterns")
    def shared_patterns(self) -> list[MemoryPattern]:
        """Return the patterns that other agents share with this one."""
        return memory.shared_patterns(self.store, self.agent_id)

    @verb("POST", "/recall", lists="recollections")
    def recall(
        self,
        decision_type: DecisionType | str,
        context: Mapping[str, Any] | DecisionContext | None,
        limit: int = 5,
    ) -> list[Recollection]:
        """Return the patterns that apply to this context, best first.

        Each has `.pattern`, `.score` (its confidence, aged) and `.because`. One request; two
        when another agent's pattern was not read in the last minute. Raises InvalidInputError.
        """
        return memory.recall(
            self.store, self.agent_id, decision_type, context, limit, self._acquaintances
        )

    @verb("POST", "/consolidations")
    def consolidate(
        self, now: datetime | None = None, dry_run: bool = False
    ) -> ConsolidationReport:
        """Learn from what has arrived. `PatternLearner` is the comfortable way to call this.

        Raises ConsolidationBusyError, OvertakenError, InvalidInputError for a moment that has not
        come, and MissingExtraError without numpy.
        """
        return memory.consolidate(
            self.store, self.agent_id, now=now, dry_run=dry_run, wait=self.patience
        )

    @verb("GET", "/consolidations", lists="run_ids")
    def undoable_runs(self) -> list[str]:
        """Return the ids of the consolidation runs that can be undone, the latest first."""
        return memory.undoable(self.store, self.agent_id)

    @verb("POST", "/consolidations/undo", repeatable=False)
    def undo_run(self, run_id: str) -> None:
        """Make it as if a consolidation run had learned nothing.

        Raises RunNotFoundError, UndoRefusedError when it is not the latest that can be undone,
        ConsolidationBusyError, and OvertakenError.
        """
        memory.undo(self.store, self.agent_id, run_id, wait=self.patience)

    # a signal's effect on the state

    def _ack_with_state(
        self, signal_id: str, fence: int, state: Mapping[str, Any], expected_version: int | None
    ) -> AgentState:
        check_data(self.agent_id, state)
        made = self._ack_and_save(signal_id, fence, state, expected_version, new_token())
        return made.state(self.agent_id, state)

    @verb("POST", "/signals/{signal_id}/ack-with-state")
    def _ack_and_save(
        self,
        signal_id: str,
        fence: int,
        state: Mapping[str, Any],
        expected_version: int | None = None,
        token: str | None = None,
    ) -> StateReceipt:
        made = saving(self.store, self.agent_id, state, expected_version, token)
        try:
            is_first = acknowledge(self.store, self.agent_id, signal_id, fence, also=[made.write])
        except ClaimExpiredError:
            raise
        except ConflictError:
            # the claim is held, so it is the state that is another one
            found = version_of(standing_item(self.store, self.agent_id))
            raise moved_on(self.agent_id, made.state.version - 1, found) from None
        if not is_first and not made.has_made(standing_item(self.store, self.agent_id)):
            raise ClaimExpiredError(
                f"this claim has acknowledged {signal_id} before, and what was written with that "
                "stands; nothing was changed now: go on with the next signal"
            )
        return StateReceipt.of(made.state)
