"""Behind the checkpoint queue: keeps the state of one agent for each message.

A version that has a checkpoint gets no other, so a message that comes twice does nothing the
second time. One that fails is tried again and, after its last try, goes to the dead letters.
"""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.errors import StorageError
from daybook.progress.changed_states import note_checkpointed
from daybook.state import create_if_changed, sweep
from daybook.store import Store
from lambdas import agent_messages
from lambdas.connection import client_manager
from lambdas.queued import take_each

logger = Logger()
metrics = Metrics()
tracer = Tracer()


def look_after(body: str) -> None:
    """Take a checkpoint for the agent of one message, unless its version has one."""
    agent_id = agent_messages.parse(body).agent_id
    manager = client_manager()
    keep = manager.settings.checkpoints_kept
    taken = create_if_changed(manager.store, agent_id, keep=keep)
    note_checkpointed(manager.store, agent_id, taken.version)
    metrics.add_metric("CheckpointsTaken", MetricUnit.Count, taken.checkpoint is not None)
    if taken.checkpoint is not None:
        clean_up(manager.store, agent_id)


def clean_up(store: Store, agent_id: str) -> None:
    """Take away what no version needs; what fails here is made up for after the next one."""
    try:
        metrics.add_metric("StateBodiesRemoved", MetricUnit.Count, sweep(store, agent_id))
    except StorageError:
        logger.warning("nothing was cleaned up", extra={"agent_id": agent_id}, exc_info=True)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look after each message's agent, and report the messages that failed."""
    return take_each(event, context, look_after, metrics=metrics, failures="CheckpointsFailed")
