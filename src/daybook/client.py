"""The composition root: an AWS connection, and an agent's handle on it."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from daybook import decisions, memory, state
from daybook.analytics import DecisionStats, decision_stats
from daybook.decisions import DecisionPage, DecisionQuery
from daybook.memory import Acquaintances, Recollection
from daybook.models import (
    AgentState,
    Checkpoint,
    DecisionContext,
    DecisionOutcome,
    DecisionRecord,
    DecisionType,
    MemoryPattern,
)
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.models.identity import checked_agent_id
from daybook.settings import Settings, read_settings, region
from daybook.store import Store
from daybook.store.clients import Clients, Session
from daybook.store.provisioning import create_tables, delete_tables
from daybook.store.table import utc_now

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

DEFAULT_REGION = "us-east-1"


class AWSClientManager:
    """Clients for one region and endpoint, made when first used and shared by all threads.

    `endpoint_url` points at a local platform; None is AWS (or what `AWS_ENDPOINT_URL` says).
    `dynamodb` may be any client with boto3's interface, such as DAX. `settings` default to
    the environment's.
    """

    def __init__(
        self,
        region: str = DEFAULT_REGION,
        endpoint_url: str | None = None,
        *,
        session: Session | None = None,
        dynamodb: "DynamoDBClient | None" = None,
        settings: Settings | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.region = region
        self.endpoint_url = endpoint_url
        self.settings = settings or read_settings()
        self._clients = Clients(region, endpoint_url, session)
        self._lock = threading.RLock()
        self._dynamodb = dynamodb
        self._s3: S3Client | None = None
        self._clock = clock

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """The DynamoDB client."""
        with self._lock:
            if self._dynamodb is None:
                self._dynamodb = self._clients.dynamodb()
            return self._dynamodb

    def s3(self) -> "S3Client":
        """Return the S3 client."""
        with self._lock:
            if self._s3 is None:
                self._s3 = self._clients.s3()
            return self._s3

    @cached_property
    def store(self) -> Store:
        """The tables and the bucket, as the rooms see them."""
        return Store(
            dynamodb=self.dynamodb,
            s3=self.s3,
            prefix=self.settings.table_prefix,
            bucket=self.settings.payload_bucket,
            retention=self.settings.retention,
            clock=self._clock,
        )

    def create_all_tables(self) -> None:
        """Create the tables that are missing and wait until all can be used.

        In an AWS account `cdk deploy` does this; here it is for tests and local databases.
        Raises SchemaMismatchError when a table of the name has another layout.
        """
        create_tables(self.dynamodb, self.settings.table_prefix)

    def delete_all_tables(self) -> None:
        """Delete the tables with all they hold, and wait until they are gone."""
        delete_tables(self.dynamodb, self.settings.table_prefix)


_managers: dict[tuple[str, str | None], AWSClientManager] = {}
_managers_lock = threading.Lock()


def get_client_manager(
    region: str = DEFAULT_REGION, endpoint_url: str | None = None
) -> AWSClientManager:
    """Return the client manager of this region and endpoint; the same one each time."""
    with _managers_lock:
        key = (region, endpoint_url)
        if key not in _managers:
            _managers[key] = AWSClientManager(region, endpoint_url)
        return _managers[key]


def forget_client_managers() -> None:
    """Make `get_client_manager` start afresh, after the environment has changed."""
    with _managers_lock:
        _managers.clear()


class MemoryManager:
    """An agent's handle: its decisions, and the way to every other room.

    Without a client manager it uses the one of the region that AWS's variables name. Raises
    InvalidAgentIdError unless the id is 1 to 128 characters of `A-Z a-z 0-9 . _ : @ -`.
    """

    def __init__(self, agent_id: str, client_manager: AWSClientManager | None = None) -> None:
        self.agent_id = checked_agent_id(agent_id)
        self.client_manager = client_manager or get_client_manager(region())
        self.store = self.client_manager.store
        self._acquaintances = Acquaintances()

    def record_decision(self, draft: DecisionDraft) -> DecisionRecord:
        """Write a decision into this agent's log; return it as it stands there.

        Raises InvalidInputError or DecisionConflictError. `DecisionLogger` is the comfortable
        way to call this.
        """
        return decisions.record(self.store, draft.to_record(self.agent_id, self.store.clock()))

    def record_outcome(self, draft: OutcomeDraft) -> DecisionOutcome:
        """Write what came of one of this agent's decisions; return it as it stands.

        Raises DecisionNotFoundError, WrongDecisionTypeError, ForeignDecisionError or
        OutcomeConflictError.
        """
        outcome = draft.to_outcome(self.agent_id, self.store.clock())
        return decisions.record_outcome(self.store, outcome)

    def get_decision(self, decision_id: str) -> DecisionRecord:
        """Return a decision of any agent, with its outcome. Raises DecisionNotFoundError."""
        return decisions.get(self.store, decision_id)

    def get_decision_chain(self, decision_id: str) -> list[DecisionRecord]:
        """Return the decisions that led to this one, the root first. Raises ChainError."""
        return decisions.chain(self.store, decision_id)

    def get_children(self, decision_id: str) -> list[DecisionRecord]:
        """Return the decisions of any agent that this one is the parent of, oldest first."""
        return decisions.children(self.store, decision_id)

    def query_decisions(
        self, query: DecisionQuery, limit: int | None = None
    ) -> Iterator[DecisionRecord]:
        """Iterate the decisions of a query, newest first."""
        return decisions.iterate(self.store, query, limit)

    def page_decisions(
        self, query: DecisionQuery, limit: int, cursor: str | None = None
    ) -> DecisionPage:
        """Return one page of a query, newest first, and the cursor of the next."""
        return decisions.page(self.store, query, limit, cursor)

    def get_decision_stats(
        self, time_window_hours: float = 24, decision_type: DecisionType | None = None
    ) -> DecisionStats:
        """Return the statistics of this agent's decisions of the last hours."""
        return decision_stats(self.store, self.agent_id, time_window_hours, decision_type)

    def store_pattern(self, pattern: MemoryPattern) -> MemoryPattern:
        """Store a pattern of this agent's, new or as the next version; return it as it stands.

        Raises PatternConflictError when it has changed since it was read.
        """
        return memory.store_pattern(self.store, self.agent_id, pattern)

    def get_pattern(self, pattern_id: str) -> MemoryPattern:
        """Return one of this agent's patterns, also a retired one.

        Raises PatternNotFoundError.
        """
        return memory.get_pattern(self.store, self.agent_id, pattern_id)

    def list_patterns(
        self, min_confidence: float = 0.0, decision_type: DecisionType | str | None = None
    ) -> list[MemoryPattern]:
        """Return this agent's live patterns, the most confident first."""
        return memory.list_patterns(self.store, self.agent_id, min_confidence, decision_type)

    def retire_pattern(self, pattern_id: str) -> MemoryPattern:
        """Take a pattern out of use, for good. Its history stays."""
        return memory.retire_pattern(self.store, self.agent_id, pattern_id)

    def pattern_history(self, pattern_id: str) -> list[MemoryPattern]:
        """Return every version of a pattern, the oldest first."""
        return memory.pattern_history(self.store, self.agent_id, pattern_id)

    def share_pattern(self, pattern_id: str, agents: Sequence[str]) -> MemoryPattern:
        """Let these agents find one of this agent's patterns. Raises PatternNotFoundError."""
        return memory.share_pattern(self.store, self.agent_id, pattern_id, agents)

    def unshare_pattern(self, pattern_id: str, agents: Sequence[str]) -> MemoryPattern:
        """Stop these agents from finding a pattern, at once. Raises PatternNotFoundError."""
        return memory.unshare_pattern(self.store, self.agent_id, pattern_id, agents)

    def shared_patterns(self) -> list[MemoryPattern]:
        """Return the patterns that other agents share with this one."""
        return memory.shared_patterns(self.store, self.agent_id)

    def recall(
        self,
        decision_type: DecisionType | str,
        context: Mapping[str, Any] | DecisionContext | None,
        limit: int = 5,
    ) -> list[Recollection]:
        """Return the patterns that apply to this context, best first.

        Each has `.pattern`, `.score` (its confidence, aged) and `.because`. One request; two
        when another agent's pattern was not read in the last minute.
        """
        return memory.recall(
            self.store, self.agent_id, decision_type, context, limit, self._acquaintances
        )

    def load_state(self, take_over: bool = False) -> AgentState | None:
        """Return this agent's state as it is now, or None if it has none yet.

        With `take_over` it becomes the next version, and whoever read it before gets a
        StaleStateError at its next write: for an agent that starts in the place of another.
        """
        return state.load(self.store, self.agent_id, take_over=take_over)

    def save_state(
        self, data: Mapping[str, Any], expected_version: int | None = None
    ) -> AgentState:
        """Write this agent's state as the version after the one that was read; return it.

        None says that none was. Raises StaleStateError, with the version in `.found`, when
        another one stands: nothing is ever overwritten unseen.
        """
        return state.save(self.store, self.agent_id, data, expected_version)

    def create_checkpoint(self, label: str | None = None) -> Checkpoint:
        """Keep this agent's state as it is now. Raises StateNotFoundError.

        One with a label is kept for good.
        """
        return state.create_checkpoint(self.store, self.agent_id, label, keep=self._kept)

    def list_checkpoints(self) -> list[Checkpoint]:
        """Return this agent's checkpoints without their data, the newest first."""
        return state.list_checkpoints(self.store, self.agent_id)

    def get_checkpoint(self, checkpoint_id: str) -> Checkpoint:
        """Return a checkpoint with its data. Raises CheckpointNotFoundError."""
        return state.get_checkpoint(self.store, self.agent_id, checkpoint_id)

    def rollback(
        self, checkpoint_id: str | None = None, expected_version: int | None = None
    ) -> AgentState:
        """Make what a checkpoint holds the next version of the state; None is the last one.

        What it replaces is kept as a checkpoint. Raises CheckpointNotFoundError, and
        StaleStateError when another version stands than the one expected.
        """
        return state.rollback(
            self.store, self.agent_id, checkpoint_id, expected_version, keep=self._kept
        )

    @property
    def _kept(self) -> int:
        return self.client_manager.settings.checkpoints_kept
