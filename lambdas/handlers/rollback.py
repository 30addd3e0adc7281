"""For operators, invoked by hand: takes an agent's state back to a checkpoint.

The event is `{"agent_id": …, "checkpoint_id": …, "expected_version": …}`; the last two may be
left out, or null. Whoever may invoke the function may do so for any agent.
"""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from daybook import MemoryManager
from daybook.models.base import Record, as_invalid_input
from daybook.models.identity import AgentId
from lambdas.connection import client_manager

logger = Logger()
metrics = Metrics()
tracer = Tracer()


class Order(Record):
    """What the operator asks for; without a checkpoint it is the last one."""

    agent_id: AgentId
    checkpoint_id: str | None = None
    expected_version: int | None = None


def parse(event: object) -> Order:
    """Read an event. Raises InvalidInputError that says what is wrong with it."""
    try:
        return Order.model_validate(event)
    except ValidationError as fault:
        raise as_invalid_input(fault, "the event") from None


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Roll back; say which version that made, and from which checkpoint.

    Raises Daybook's errors as they are, for Lambda to show.
    """
    del context
    metrics.add_metric("RollbacksAsked", MetricUnit.Count, 1)
    order = parse(event)
    memory = MemoryManager(order.agent_id, client_manager())
    state = memory.rollback(order.checkpoint_id, order.expected_version)
    metrics.add_metric("Rollbacks", MetricUnit.Count, 1)
    told: dict[str, Any] = {"version": state.version, "restored_from": state.restored_from}
    logger.info("rolled back", extra={"agent_id": order.agent_id, **told})
    return told
