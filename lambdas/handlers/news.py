"""Follows the streams of the decision log and of states; notes which agents have something new.

A batch that fails is tried again whole, by parts, until it succeeds: noting an agent twice
does no harm. So nothing is reported as failed in part; a half-noted batch simply raises.
"""

from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook.models.identity import AGENT_ID
from daybook.models.state import LARGEST_VERSION
from daybook.progress.changed_states import note_states
from daybook.progress.watched_agents import note_news
from daybook.store.keys import ARRIVING, CURRENT_STATE
from lambdas.connection import client_manager

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Note every agent in whose log something has arrived, or whose state has changed."""
    del context
    agents: set[str] = set()
    versions: dict[str, int] = {}
    for agent_id, sort_key, record in ours(event):
        if sort_key.startswith(ARRIVING):
            agents.add(agent_id)
        elif (version := new_version(record)) is not None:
            versions[agent_id] = max(version, versions.get(agent_id, 0))
    store = client_manager().store
    note_news(store, agents)
    metrics.add_metric("AgentsWithNews", MetricUnit.Count, len(agents))
    note_states(store, versions)
    metrics.add_metric("AgentsWithNewState", MetricUnit.Count, len(versions))


def ours(event: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield agent, sort key and content of each decision, outcome, late mark and state.

    Anything else in the tables is not Daybook's, and would fail however often it was tried.
    """
    for record in event["Records"]:
        keys = record["dynamodb"]["Keys"]
        agent_id, sort_key = keys["pk"].get("S", ""), keys["sk"].get("S", "")
        known = sort_key.startswith(ARRIVING) or sort_key == CURRENT_STATE
        if AGENT_ID.fullmatch(agent_id) and known:
            yield agent_id, sort_key, record["dynamodb"]
        else:
            logger.warning("a record that is not Daybook's", extra={"keys": keys})


def new_version(record: dict[str, Any]) -> int | None:
    """Return the version that a state has come to, or None if only a checkpoint was taken.

    None, too, for what is no version: an agent may write its own items, and a batch must not
    fail for ever over one of them.
    """
    before, after = (
        record.get(image, {}).get("version", {}).get("N") for image in ("OldImage", "NewImage")
    )
    if after in {None, before}:
        return None
    if not (after.isdecimal() and 1 <= int(after) <= LARGEST_VERSION):
        logger.warning("a record that is not Daybook's", extra={"keys": record["Keys"]})
        return None
    return int(after)
