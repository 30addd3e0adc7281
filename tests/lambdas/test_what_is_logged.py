"""What a call writes to its log is about what the cost model says."""

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from aws_lambda_powertools import Logger

from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager
from daybook.costs.deployment import FUNCTIONS, Fn
from daybook.progress.changed_states import note_states
from daybook.store.table import utc_now
from lambdas.handlers import (
    agent_api,
    checkpoint_worker,
    consolidation_worker,
    decision_queue,
    news,
)
from tests.lambdas.conftest import ROLE, Context, deliver, http_event

PLATFORM = 600
"""Bytes of what Lambda itself writes: when a call starts, ends, and what it took."""

UUID = "01a1fc24-67b6-78c1-a534-9749b8abc2fe"
KIND = DecisionType.OTHER


def ask(manager: AWSClientManager) -> None:
    """Send a decision through the API."""
    del manager
    body = {"decision_type": KIND, "confidence": 0.5}
    event = http_event("POST", "/decisions", body, arn=ROLE.format(agent="scout"))
    assert agent_api.handler(event, Context())["statusCode"] == 201


def queue(manager: AWSClientManager) -> None:
    """Send a decision through the queue."""
    del manager
    decision = {"decision_type": KIND, "confidence": 0.5, "decision_id": f"{UUID}@scout"}
    message = {"verb": "log_decision", "agent_id": "scout", "decision": decision}
    assert deliver(decision_queue.handler, message) == []


def note(manager: AWSClientManager) -> None:
    """Hand over what has arrived."""
    del manager
    keys = {"pk": {"S": "scout"}, "sk": {"S": f"D#{UUID}"}}
    change = {"Keys": keys, "NewImage": keys, "SequenceNumber": "1"}
    record = {"eventID": "1", "eventName": "INSERT", "dynamodb": change}
    news.handler({"Records": [record]}, Context())


def consolidate(manager: AWSClientManager) -> None:
    """Consolidate an agent that has an outcome."""
    memory = MemoryManager("scout", manager)
    log = DecisionLogger(memory)
    made = log.log_decision(KIND, confidence=0.5, decided_at=utc_now() - timedelta(hours=3))
    log.log_outcome(made, KIND, True, 0.5, 1.0)
    assert deliver(consolidation_worker.handler, {"agent_id": "scout"}) == []


def keep(manager: AWSClientManager) -> None:
    """Keep a state that has changed."""
    MemoryManager("scout", manager).save_state({"n": 1})
    note_states(manager.store, {"scout": 1})
    assert deliver(checkpoint_worker.handler, {"agent_id": "scout"}) == []


@pytest.mark.parametrize(
    ("function", "logger", "call"),
    [
        (Fn.API, agent_api.logger, ask),
        (Fn.QUEUE, decision_queue.logger, queue),
        (Fn.NEWS, news.logger, note),
        (Fn.WORKER, consolidation_worker.logger, consolidate),
        (Fn.KEEPER, checkpoint_worker.logger, keep),
    ],
)
def test_log_bytes(
    manager: AWSClientManager,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    function: Fn,
    logger: Logger,
    call: Callable[[AWSClientManager], None],
) -> None:
    """Within a third of the figure, with what Lambda writes itself."""
    monkeypatch.setattr(logger.registered_handler, "stream", sys.stdout)
    call(manager)
    written = len(capsys.readouterr().out.encode()) + PLATFORM
    assert written == pytest.approx(FUNCTIONS[function].log_bytes, rel=1 / 3)
