"""A role may do all that its verbs ask for: an agent's own, and that of the API's function."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest.mock import patch

import pytest

from daybook import (
    AWSClientManager,
    DecisionLogger,
    MemoryManager,
    MultiAgentCoordinator,
    PatternLearner,
)
from daybook.doors import VERBS, Api, Verb
from daybook.settings import Settings
from daybook.testing import local_aws
from daybook.workflows.memory import WorkflowMemory
from lambdas.handlers import agent_api
from tests.gateway import AgentClientManager, gateway
from tests.infra.conftest import Synthesized
from tests.infra.policies import ConfinedClient, confined, statements_of
from tests.infra.test_isolation import OWN, ROLE, make_pattern
from tests.lambdas.conftest import Context


@pytest.fixture
def manager() -> Iterator[AWSClientManager]:
    """Give a client manager that may do everything, on moto."""
    with local_aws() as made:
        yield made


def decide(memory: MemoryManager) -> None:
    """Do with decisions whatever an agent can do."""
    log = DecisionLogger(memory)
    with log.deciding("other", selected="a", confidence=0.5) as block:
        child = log.log_decision("other", confidence=0.5)
    assert log.get_decision(block.decision_id).outcome
    assert len(log.get_children(block.decision_id)) == 1
    assert len(log.get_decision_chain(child)) == 2
    assert len(list(log.query_decisions(success=True))) == 1
    assert len(list(log.query_decisions(decision_type="other"))) == 2
    assert log.get_decision_stats()["total_decisions"] == 2


def learn(memory: MemoryManager) -> None:
    """Do with patterns whatever an agent can do."""
    made = memory.store_pattern(make_pattern(memory.agent_id))
    memory.share_pattern(made.pattern_id, ["risk@desk"])
    memory.unshare_pattern(made.pattern_id, ["risk@desk"])
    assert memory.recall(made.decision_type, {})
    assert memory.list_patterns()
    assert memory.shared_patterns() == []
    assert memory.get_pattern(made.pattern_id)
    assert memory.pattern_history(made.pattern_id)
    memory.retire_pattern(made.pattern_id)
    learner = PatternLearner(memory)
    report = learner.consolidate()
    assert learner.undoable() == [report.run_id]
    learner.undo(report.run_id)


def remember(memory: MemoryManager) -> None:
    """Do with its state whatever an agent can do."""
    memory.save_state({"n": 1})
    kept = memory.create_checkpoint()
    assert memory.get_checkpoint(kept.checkpoint_id).data
    memory.rollback()
    assert memory.load_state()
    assert memory.load_state(take_over=True)
    assert memory.list_checkpoints()


def work(memory: MemoryManager) -> None:
    """Do with workflows and sessions whatever an agent can do."""
    workflows = WorkflowMemory(memory)
    long = ["a step that takes long to say " * 30]
    workflows.store_workflow("testing", long, True, 1.0, "s", run_id="run 1")
    assert workflows.retrieve_workflow_patterns("testing")[0].workflow_steps == long
    assert workflows.get_task_success_metrics("testing").total == 1
    workflows.remember("s", {"n": 1})
    workflows.close_session("s")
    assert memory.compact_session("s").memories == 1
    assert memory.compact_closed().settled
    assert workflows.list_sessions()
    assert len(workflows.read_session("s")) == 1


def talk(memory: MemoryManager, deliver: Callable[[str], object]) -> None:
    """Do with signals whatever an agent can do; `deliver` is the router's part."""
    memory.register(["trading"], ["news"])
    memory.heartbeat()
    assert [card.agent_id for card in memory.agents()] == [memory.agent_id]
    sent = [memory.publish_signal("request", {"n": n}, [memory.agent_id]) for n in range(2)]
    for signal_id in sent:
        deliver(signal_id)
    assert memory.pending_signals()
    first, second = memory.claim_signals()
    first.release()
    (first,) = memory.claim_signals()
    first.extend(60)
    first.ack(state={"n": 2}, expected_version=3)
    second.ack()
    assert memory.signal_status(sent[0]).deliveries
    memory.unregister()


def live(memory: MemoryManager, deliver: Callable[[str], object]) -> None:
    """Do everything that an agent does for itself."""
    for part in (decide, learn, remember, work):
        part(memory)
    talk(memory, deliver)


def tables_of(client: ConfinedClient) -> set[str]:
    """Return the tables that were asked for anything."""
    return {each.resource.partition("/")[0] for each in client.asked}


ALL = {"agent_decisions", "agent_memory_ltm", "agent_state", "agent_signals"}


def test_an_agent_lives_within_its_role(prod: Synthesized, manager: AWSClientManager) -> None:
    """Everything that the SDK asks for on an agent's behalf is allowed to its role."""
    client = ConfinedClient(manager.dynamodb, statements_of(prod, ROLE))
    within = confined(manager, client)
    live(MemoryManager(OWN, within), MultiAgentCoordinator(within).route)
    assert tables_of(client) == ALL


def test_every_verb_of_the_api_is_within_its_role(
    prod: Synthesized, manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function's role suffices for each of the verbs, and `live` leaves out none."""
    client = ConfinedClient(manager.dynamodb, statements_of(prod, "httpagentapirole"))
    spoken = set()
    call = Api.call

    def heard(api: Api, verb: Verb, given: Mapping[str, Any]) -> Any:
        spoken.add(verb.name)
        return call(api, verb, given)

    monkeypatch.setattr(Api, "call", heard)
    with (
        patch.object(agent_api, "client_manager", lambda: confined(manager, client)),
        gateway(agent_api.handler, Context()) as url,
    ):
        through = AgentClientManager(settings=Settings(door="api", api_url=url))
        live(MemoryManager(OWN, through), MultiAgentCoordinator(manager).route)
    assert spoken == set(VERBS)
    assert tables_of(client) == ALL
