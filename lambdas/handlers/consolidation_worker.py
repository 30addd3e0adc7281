"""Behind the consolidation queue: consolidates one agent for each message.

The job itself makes sure that each outcome is learned from once, whoever else is at it. A
message that fails is tried again and, after its last try, goes to the dead-letter queue.
"""

import time
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.errors import ConsolidationBusyError, OvertakenError
from daybook.memory import ConsolidationReport, consolidate
from daybook.models.identity import EPOCH
from daybook.progress.watched_agents import note_caught_up
from daybook.store import Store
from lambdas import agent_messages
from lambdas.connection import client_manager
from lambdas.queued import take_each

ALLOWANCE = 2.0
"""A further run is begun if it may take this many times as long as the one before it."""

COUNTED = {
    "OutcomesLearned": "outcomes_learned",
    "OutcomesDamaged": "outcomes_damaged",
    "PatternsCreated": "patterns_created",
    "PatternsUpdated": "patterns_updated",
    "PatternsRetired": "patterns_retired",
    "DaysArchived": "days_archived",
    "DaysDamaged": "days_damaged",
}

logger = Logger()
metrics = Metrics()
tracer = Tracer()


def look_after(body: str, context: LambdaContext) -> None:
    """Consolidate the agent of one message, as far as the time allows.

    If work is left after that, another message goes to the queue. An agent whom somebody else
    is consolidating stays due in the watch list, so this message has nothing more to do.
    """
    agent_id = agent_messages.parse(body).agent_id
    try:
        more = catch_up(client_manager().store, agent_id, context)
    except (ConsolidationBusyError, OvertakenError) as standing_back:
        metrics.add_metric("RunsBusy", MetricUnit.Count, 1)
        logger.info("left to another worker", extra={"why": str(standing_back)})
        return
    if more:
        agent_messages.send([agent_id])
        metrics.add_metric("RunsContinued", MetricUnit.Count, 1)


def catch_up(store: Store, agent_id: str, context: LambdaContext) -> bool:
    """Consolidate until nothing is left or the time is up; return whether to go on at once.

    The watch list is told when nothing is left. A run that gets no further although something
    is left waits for the clock, and so for the planner's next message.
    """
    reached = EPOCH
    while True:
        began = time.monotonic()
        report = consolidate(store, agent_id)
        _publish(report)
        if not report.more:
            note_caught_up(store, agent_id, report.caught_up_to, report.look_again_at)
            return False
        if report.caught_up_to <= reached:
            return False
        reached = report.caught_up_to
        took = time.monotonic() - began
        if context.get_remaining_time_in_millis() / 1000 < took * ALLOWANCE:
            return True


def _publish(report: ConsolidationReport) -> None:
    """Count what a run did, and write it to the log."""
    metrics.add_metric("Runs", MetricUnit.Count, 1)
    for name, attribute in COUNTED.items():
        metrics.add_metric(name, MetricUnit.Count, getattr(report, attribute))
    logger.info(
        "consolidated", extra={"report": report.model_dump(mode="json", exclude={"changes"})}
    )


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look after each message's agent, and report the messages that failed."""
    take = partial(look_after, context=context)
    return take_each(event, context, take, metrics=metrics, failures="RunsFailed")
