"""An agent's role reaches its own partitions, of every table and every index, and no others."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from daybook import (
    AccessDeniedError,
    AWSClientManager,
    DecisionLogger,
    ForeignChainError,
    MemoryManager,
    MemoryPattern,
    PatternLearner,
)
from daybook.models.identity import AGENT_ID
from daybook.store import TABLES
from daybook.testing import local_aws
from tests.infra.conftest import Synthesize, Synthesized
from tests.infra.policies import ACTIONS, Asked, ConfinedClient, allowed, confined, statements_of

OWN = "btc-agent-001"
ROLE = f"daybook-agent-{OWN}"
OTHERS = ["btc-agent-002", "btc-agent-0011", "btc-agent-00", "BTC-AGENT-001", "risk@desk", "x"]
RESOURCES = [table.name for table in TABLES] + [
    f"{table.name}/index/{index.name}" for table in TABLES for index in table.indexes
]
VERBS = sorted({*ACTIONS.values(), "BatchGetItem", "BatchWriteItem", "ConditionCheckItem"})


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("action", VERBS)
def test_no_other_partition(prod: Synthesized, resource: str, action: str) -> None:
    """Nothing is allowed at another agent's keys, nor at them together with its own."""
    role = statements_of(prod, ROLE)
    for other in OTHERS:
        for key in (other, f"{other}#risk_assessment", f"{other}#{OWN}", "#agents", ""):
            for keys in ({key}, {key, OWN}):
                assert not allowed(role, Asked(action, resource, frozenset(keys)))


@given(other=st.from_regex(AGENT_ID, fullmatch=True), rest=st.text(max_size=9))
def test_no_id_looks_like_another(prod: Synthesized, other: str, rest: str) -> None:
    """Whatever an agent is called, the keys that it can have are not this agent's."""
    role = statements_of(prod, ROLE)
    is_own = other == OWN
    for key in (other, f"{other}#{rest}"):
        for table in ("agent_decisions", "agent_state"):
            assert allowed(role, Asked("GetItem", table, frozenset([key]))) is is_own


def test_a_request_without_keys_is_refused(prod: Synthesized) -> None:
    """`ForAllValues` lets it pass; the null guard does not. Without the guard it would."""
    role = statements_of(prod, ROLE)
    guarded = [each for each in role if "dynamodb" in str(each["Action"])]
    assert guarded
    for statement in guarded:
        assert statement["Condition"]["Null"] == {"dynamodb:LeadingKeys": "false"}
        for resource in statement["Resource"]:
            for action in statement["Action"] if isinstance(statement["Action"], list) else []:
                asked = Asked(action.partition(":")[2], resource, frozenset())
                assert not allowed([statement], asked)
                open_to_all = {k: v for k, v in statement["Condition"].items() if k != "Null"}
                assert allowed([{**statement, "Condition": open_to_all}], asked)


def test_the_log_is_append_only(prod: Synthesized) -> None:
    """An agent adds to its log; it neither changes nor deletes what is there, nor scans."""
    role = statements_of(prod, ROLE)
    may = {
        action
        for action in VERBS
        if allowed(role, Asked(action, "agent_decisions", frozenset([OWN])))
    }
    assert may == {"BatchGetItem", "GetItem", "PutItem", "Query"}
    for name in ("agent_memory_ltm", "agent_state", "agent_signals"):
        assert not allowed(role, Asked("Scan", name, frozenset([OWN])))


def test_own_objects_only(prod: Synthesized) -> None:
    """In the bucket, too, it reaches its own folders, and lists nothing."""
    role = [each for each in statements_of(prod, ROLE) if "s3:" in str(each["Action"])]
    assert {action for each in role for action in each["Action"]} == {
        "s3:GetObject",
        "s3:PutObject",
    }
    for each in role:
        (resource,) = each["Resource"]
        assert resource.endswith(f"{OWN}/*")
        assert "**" not in resource


def test_who_is_there_can_be_asked(prod: Synthesized) -> None:
    """The one partition that is nobody's: an index of what agents say of themselves."""
    role = statements_of(prod, ROLE)
    index = "agent_signals/index/RegistryIndex"
    assert allowed(role, Asked("Query", index, frozenset(["#registry"])))
    assert not allowed(role, Asked("Query", "agent_signals", frozenset(["#registry"])))
    assert not allowed(role, Asked("PutItem", "agent_signals", frozenset(["#registry"])))


class Confined:
    """Two agents: one with a role of its own, and another one whose things are there."""

    def __init__(self, manager: AWSClientManager, stage: Synthesized) -> None:
        self.manager = manager
        self.client = ConfinedClient(manager.dynamodb, statements_of(stage, ROLE))
        self.confined = confined(manager, self.client)

    def handle(self, agent_id: str) -> MemoryManager:
        """Return an agent's handle, with the one agent's role."""
        return MemoryManager(agent_id, self.confined)


@pytest.fixture
def world(prod: Synthesized) -> Iterator[Confined]:
    """Give both on moto."""
    with local_aws() as manager:
        yield Confined(manager, prod)


def make_pattern(agent_id: str, pattern_id: str = "p", **more: Any) -> MemoryPattern:
    """Make a pattern that applies to every context."""
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "pattern_id": pattern_id,
        "agent_id": agent_id,
        "pattern_type": "success",
        "decision_type": "other",
        "choice": "a",
        "conditions": [],
        "success_rate": 0.7,
        "baseline_rate": 0.5,
        "sample_size": 300,
        "confidence": 0.64,
        "created_at": now,
        "updated_at": now,
    }
    return MemoryPattern.checked(**fields | more)


def test_an_agent_cannot_live_as_another(world: Confined) -> None:
    """Under another's name, no verb gets through, and nothing of the other's is seen."""
    other = MemoryManager("btc-agent-002", world.manager)
    other.save_state({"secret": 1})
    kept = other.create_checkpoint()
    other.register()
    own = DecisionLogger(other).log_decision("other", confidence=0.5)
    pattern = other.store_pattern(make_pattern(other.agent_id))
    sid = other.publish_signal("request", {}, [other.agent_id])
    forged = world.handle("btc-agent-002")
    log = DecisionLogger(forged)
    attempts: list[Any] = [
        lambda: log.log_decision("other", confidence=0.5),
        lambda: log.log_outcome(own, "other", True),
        lambda: log.get_decision(own),
        lambda: log.get_decision_chain(own),
        lambda: log.get_children(own),
        lambda: list(log.query_decisions()),
        lambda: list(log.query_decisions(success=True)),
        lambda: list(log.query_decisions(decision_type="other")),
        log.get_decision_stats,
        lambda: forged.store_pattern(make_pattern(other.agent_id)),
        lambda: forged.get_pattern(pattern.pattern_id),
        forged.list_patterns,
        lambda: forged.pattern_history(pattern.pattern_id),
        lambda: forged.share_pattern(pattern.pattern_id, [OWN]),
        lambda: forged.retire_pattern(pattern.pattern_id),
        lambda: forged.recall("other", {}),
        forged.shared_patterns,
        lambda: PatternLearner(forged).consolidate(),
        forged.load_state,
        lambda: forged.load_state(take_over=True),
        lambda: forged.save_state({}, 1),
        forged.create_checkpoint,
        forged.list_checkpoints,
        lambda: forged.get_checkpoint(kept.checkpoint_id),
        forged.rollback,
        forged.register,
        forged.heartbeat,
        forged.unregister,
        lambda: forged.publish_signal("request", {}),
        forged.pending_signals,
        forged.claim_signals,
        lambda: forged.signal_status(sid),
    ]
    before = everything(world.manager)
    for attempt in attempts:
        with pytest.raises(AccessDeniedError):
            attempt()
    assert everything(world.manager) == before


def test_reading_by_another_name_is_refused(world: Confined) -> None:
    """Nor does its own handle read another's log, however it asks."""
    other = DecisionLogger(MemoryManager("btc-agent-002", world.manager))
    theirs = other.log_decision("other", confidence=0.5)
    log = DecisionLogger(world.handle(OWN))
    own = log.log_decision("other", confidence=0.5, parent_decision_id=theirs)
    child = log.log_decision("other", confidence=0.5, parent_decision_id=own)
    other.log_decision("other", confidence=0.5, parent_decision_id=own)
    for attempt in (log.get_decision, log.get_decision_chain, log.get_children):
        with pytest.raises(AccessDeniedError):
            attempt(theirs)
    with pytest.raises(ForeignChainError) as ended:
        log.get_decision_chain(child)
    assert [each.decision_id for each in ended.value.chain] == [own, child]
    assert [each.decision_id for each in log.get_children(own)] == [child]


def test_shares_do_not_stop_recall(world: Confined) -> None:
    """What others share is in their memory, out of the role's reach: recall does without."""
    other = MemoryManager("btc-agent-002", world.manager)
    other.store_pattern(make_pattern(other.agent_id, "theirs", shared_with=[OWN]))
    memory = world.handle(OWN)
    own = memory.store_pattern(make_pattern(OWN, "own"))
    assert [each.pattern for each in memory.recall(own.decision_type, {})] == [own]
    unconfined = MemoryManager(OWN, world.manager).recall(own.decision_type, {})
    assert len(unconfined) == 2


def test_the_client_refuses_what_the_role_may_not(world: Confined) -> None:
    """A control: the confined client does refuse, and scans above all."""
    with pytest.raises(ClientError, match="AccessDenied"):
        world.client.scan(TableName="agent_state")


@pytest.mark.parametrize(("doors", "reaches"), [("api", False), ("tables", True)])
def test_doors(synthesize: Synthesize, doors: str, reaches: bool) -> None:
    """`-c doors=…` says which ways in the roles have."""
    stage = synthesize("prod", doors=doors)
    acting = str([each["Action"] for each in statements_of(stage, ROLE)])
    assert ("dynamodb:" in acting) is reaches
    assert ("s3:" in acting) is reaches
    assert ("execute-api:" in acting) is not reaches


def everything(manager: AWSClientManager) -> list[Any]:
    """Return all items of all tables."""
    found = []
    for table in TABLES:
        found += manager.dynamodb.scan(TableName=table.name)["Items"]
    return sorted(found, key=str)
