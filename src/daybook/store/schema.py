"""Daybook's tables, as data.

`AWSClientManager.create_all_tables()` and the CDK stack both build from `TABLES`, so what
is tested locally is what is deployed. Every table has the string keys `pk` and `sk`, and
every partition key (also of an index) starts with an agent id, so that an IAM policy with
`dynamodb:LeadingKeys` can confine a role to one agent. Two do not, which no agent can be:
`#agents`, which no agent may write, and `#registry`, a partition of an index, which holds what
each agent says of itself in its own.
"""

from dataclasses import dataclass, field
from typing import Literal

PARTITION_KEY = "pk"
SORT_KEY = "sk"
TTL_ATTRIBUTE = "expires_at"
"""Epoch seconds after which an item no longer exists, whether or not DynamoDB removed it."""

AttributeType = Literal["S", "N"]


@dataclass(frozen=True, kw_only=True)
class Index:
    """A global secondary index: its keys, and the few attributes copied into it.

    An index that copies only what its query needs costs one write unit an item; one that
    copies everything costs as much as the table.
    """

    name: str
    partition_key: str
    sort_key: str
    sort_type: AttributeType = "S"
    include: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: its name without the prefix, what it is for, and its indexes."""

    name: str
    holds: str
    indexes: tuple[Index, ...] = field(default=())

    @property
    def key_attributes(self) -> dict[str, AttributeType]:
        """Every attribute that is a key of the table or of an index, with its type."""
        types: dict[str, AttributeType] = {PARTITION_KEY: "S", SORT_KEY: "S"}
        for index in self.indexes:
            types.setdefault(index.partition_key, "S")
            types.setdefault(index.sort_key, index.sort_type)
        return types

    def index(self, name: str) -> Index:
        """Return the index of this name; KeyError if there is none."""
        return {index.name: index for index in self.indexes}[name]


DIGEST = ("digest", TTL_ATTRIBUTE)

DECISIONS = Table(
    name="agent_decisions",
    holds="decisions and their outcomes: an append-only log for each agent",
    indexes=(
        Index(
            name="DecisionTypeIndex",
            partition_key="type_key",
            sort_key=SORT_KEY,
            include=(*DIGEST, "written_at"),
        ),
        Index(name="SuccessIndex", partition_key="success_key", sort_key=SORT_KEY, include=DIGEST),
        Index(
            name="STMIndex",
            partition_key=PARTITION_KEY,
            sort_key="arrived_at",
            sort_type="N",
            include=DIGEST,
        ),
        Index(
            name="ParentIndex",
            partition_key="parent_key",
            sort_key=SORT_KEY,
            include=(TTL_ATTRIBUTE,),
        ),
    ),
)
WHOLE = ("v", "body", "body_object", TTL_ATTRIBUTE)
"""A pattern is small, seldom written, and read before decisions: its indexes carry it whole."""

MEMORY = Table(
    name="agent_memory_ltm",
    holds="long-term memory: patterns, their history, shares and rollups",
    indexes=(
        Index(
            name="ConfidenceIndex",
            partition_key="confidence_key",
            sort_key="confidence",
            sort_type="N",
            include=WHOLE,
        ),
        Index(
            name="SharedPatternIndex",
            partition_key="recipient_key",
            sort_key="recall_key",
            include=WHOLE,
        ),
    ),
)
STATE = Table(
    name="agent_state",
    holds="an agent's current state, its checkpoints and its head version",
)
SIGNALS = Table(
    name="agent_signals",
    holds="signals, their deliveries, an item for each target, and the registry of agents",
    indexes=(
        Index(
            name="TargetAgentIndex",
            partition_key="target_key",
            sort_key="due_key",
            include=("visible_at", "attempts", "token", TTL_ATTRIBUTE),
        ),
        Index(
            name="SentIndex",
            partition_key="sent_key",
            sort_key=PARTITION_KEY,
            include=("status", "attempts", "visible_at", TTL_ATTRIBUTE),
        ),
        Index(
            name="RegistryIndex",
            partition_key="registry_key",
            sort_key=PARTITION_KEY,
            include=("v", "body", "registered_at", "heartbeat_at"),
        ),
    ),
)
REPLAY = Table(
    name="agent_replay",
    holds="trajectories, and the sum tree that samples them",
    indexes=(
        Index(
            name="OutcomeIndex",
            partition_key="outcome_key",
            sort_key="reward_key",
            include=("place",),
        ),
        Index(
            name="TaskIndex",
            partition_key="task_key",
            sort_key="reward_key",
            include=("place",),
        ),
    ),
)

TABLES = (DECISIONS, MEMORY, STATE, SIGNALS, REPLAY)
