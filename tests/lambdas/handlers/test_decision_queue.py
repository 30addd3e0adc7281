"""The queue's door: each message by itself, repeats counted once, failures kept."""

from typing import Any

from daybook import AWSClientManager, DecisionLogger, MemoryManager, new_decision_id
from lambdas.handlers.decision_queue import handler
from tests.lambdas.conftest import deliver


def decision_message(decision_id: str, **more: Any) -> dict[str, Any]:
    """Make the message that logs a decision."""
    decision = {"decision_type": "other", "confidence": 0.5, "decision_id": decision_id}
    return {"verb": "log_decision", "agent_id": "risk", "decision": decision | more}


def outcome_message(decision_id: str, *, success: bool = True) -> dict[str, Any]:
    """Make the message that logs an outcome."""
    outcome = {"decision_id": decision_id, "decision_type": "other", "success": success}
    return {"verb": "log_outcome", "agent_id": "risk", "outcome": outcome}


def test_messages_are_carried_out(manager: AWSClientManager) -> None:
    """A decision and its outcome in one batch are in the log afterwards."""
    own = new_decision_id("risk")
    assert deliver(handler, decision_message(own), outcome_message(own)) == []
    read = DecisionLogger(MemoryManager("risk", manager)).get_decision(own)
    assert read.outcome is not None
    assert read.outcome.success


def test_repeats_count_once(manager: AWSClientManager) -> None:
    """A queue delivers at least once; the log has it once."""
    own = new_decision_id("risk")
    batch = [decision_message(own), outcome_message(own)]
    assert deliver(handler, *batch, *batch) == []
    assert deliver(handler, *batch) == []
    stats = DecisionLogger(MemoryManager("risk", manager)).get_decision_stats()
    assert (stats["total_decisions"], stats["with_outcome"]) == (1, 1)


def test_an_outcome_that_overtakes_is_tried_again(manager: AWSClientManager) -> None:
    """Before its decision it fails and stays on the queue; afterwards it is carried out."""
    del manager
    own = new_decision_id("risk")
    assert deliver(handler, outcome_message(own), decision_message(own)) == ["0"]
    assert deliver(handler, outcome_message(own)) == []


def test_bad_messages_fail_alone(manager: AWSClientManager) -> None:
    """Each bad message is reported; the good ones between them are carried out."""
    first, second = new_decision_id("risk"), new_decision_id("risk")
    failed = deliver(
        handler,
        decision_message(first),
        "not json",
        "[" * 100_000,
        {"verb": "drop_tables"},
        {"verb": "log_decision", "agent_id": "a#b", "decision": {}},
        decision_message(new_decision_id("somebody")),
        decision_message(first, confidence=0.9),
        {"verb": "log_decision", "agent_id": "risk", "decision": {"decision_type": "other"}},
        decision_message(second),
    )
    assert failed == ["1", "2", "3", "4", "5", "6", "7"]
    log = DecisionLogger(MemoryManager("risk", manager))
    assert {d.decision_id for d in log.query_decisions()} == {first, second}


def test_a_batch_of_nothing_but_bad_messages(manager: AWSClientManager) -> None:
    """All are reported, and the function itself does not fail."""
    del manager
    assert deliver(handler, "x", "y") == ["0", "1"]


def test_a_second_outcome_is_kept_for_a_person(manager: AWSClientManager) -> None:
    """A conflict is not dropped: it ends in the dead-letter queue, and the first stands."""
    own = new_decision_id("risk")
    assert deliver(handler, decision_message(own), outcome_message(own)) == []
    assert deliver(handler, outcome_message(own, success=False)) == ["0"]
    outcome = DecisionLogger(MemoryManager("risk", manager)).get_decision(own).outcome
    assert outcome is not None
    assert outcome.success
