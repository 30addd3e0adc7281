"""The decision log over HTTP: parse, one call, return."""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import unquote

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, ValidationError

from daybook import DaybookError, InvalidInputError, MemoryManager
from daybook.decisions import DecisionQuery
from daybook.errors import BodyTooLargeError, NotFoundError
from daybook.models.base import as_invalid_input
from daybook.models.decisions import checked_decision_type
from daybook.models.drafts import DecisionDraft, OutcomeDraft, OutcomeFacts
from daybook.settings import read_settings
from lambdas.connection import client_manager
from lambdas.identity import calling_agent
from lambdas.statuses import refusal, status_of

LARGEST_ANSWER = 6_000_000
"""Bytes of an answer as Lambda hands it on, escaped; Lambda itself ends at 6 MB."""

FRAME = 10_000
"""Bytes kept free for a cursor and what is around the body."""

OUTLINE = ("decision_id", "agent_id", "decision_type", "decided_at", "arrived_at")

logger = Logger()
metrics = Metrics()
tracer = Tracer()
app = APIGatewayHttpResolver()

Parsed = TypeVar("Parsed", bound=BaseModel)


class _Parameters(BaseModel):
    """A query string: text, read as what it stands for."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ListParameters(_Parameters):
    """The query string of `GET /decisions`."""

    decision_type: str | None = None
    success: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    tier: str | None = None
    limit: int = 50
    cursor: str | None = None


class StatsParameters(_Parameters):
    """The query string of `GET /stats`."""

    time_window_hours: float = 24
    decision_type: str | None = None


@app.post("/decisions")
def log_decision() -> Response[str]:
    """Log the decision in the body; answer with its id."""
    decision = _memory().record_decision(_body(DecisionDraft))
    metrics.add_metric("DecisionsLogged", MetricUnit.Count, 1)
    told = {"decision_id", "decided_at", "arrived_at"}
    return _json(decision.model_dump(mode="json", include=told), HTTPStatus.CREATED)


@app.post("/decisions/<decision_id>/outcome")
def log_outcome(decision_id: str) -> Response[str]:
    """Log what came of a decision."""
    memory = _memory()
    facts = _body(OutcomeFacts)
    draft = OutcomeDraft.checked(**dict(facts), decision_id=unquote(decision_id))
    outcome = memory.record_outcome(draft)
    metrics.add_metric("OutcomesLogged", MetricUnit.Count, 1)
    return _json(outcome.model_dump(mode="json"), HTTPStatus.CREATED)


@app.get("/decisions/<decision_id>")
def get_decision(decision_id: str) -> Response[str]:
    """Answer with a decision and its outcome."""
    return _json(_memory().get_decision(unquote(decision_id)).model_dump(mode="json"))


@app.get("/decisions/<decision_id>/chain")
def get_chain(decision_id: str) -> Response[str]:
    """Answer with the decisions that led to this one, the root first."""
    chain = _memory().get_decision_chain(unquote(decision_id))
    return _json({"decisions": [decision.model_dump(mode="json") for decision in chain]})


@app.get("/decisions/<decision_id>/children")
def get_children(decision_id: str) -> Response[str]:
    """Answer with the decisions that this one is the parent of."""
    children = _memory().get_children(unquote(decision_id))
    return _json({"decisions": [decision.model_dump(mode="json") for decision in children]})


@app.get("/decisions")
def query_decisions() -> Response[str]:
    """Answer with a page of the agent's decisions, newest first."""
    memory = _memory()
    asked = _query_string(ListParameters)
    query = DecisionQuery.checked(
        agent_id=memory.agent_id, **asked.model_dump(exclude={"limit", "cursor"})
    )
    page = memory.page_decisions(query, asked.limit, asked.cursor)
    listed = _that_fit([decision.model_dump(mode="json") for decision in page.decisions])
    return _json({"decisions": listed, "cursor": page.first(len(listed), query).cursor})


@app.get("/stats")
def get_stats() -> Response[str]:
    """Answer with the statistics of the agent's decisions."""
    memory = _memory()
    asked = _query_string(StatsParameters)
    kind = checked_decision_type(asked.decision_type) if asked.decision_type else None
    return _json(memory.get_decision_stats(asked.time_window_hours, kind))


@app.not_found
def no_such_route(_: Exception) -> Response[str]:
    """Answer a path that leads nowhere."""
    event = app.current_event
    return refuse(NotFoundError(f"there is no {event.http_method} {event.path}"))


def refuse(error: DaybookError) -> Response[str]:
    """Answer with what went wrong, in the one form that clients know."""
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("the request failed", exc_info=error)
    else:
        logger.info("the request is refused", extra={"refusal": refusal(error)})
    metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
    return _json(refusal(error), status)


app.exception_handler(DaybookError)(refuse)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of API Gateway's HTTP API."""
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    return app.resolve(event, context)


def _memory() -> MemoryManager:
    agent_id = calling_agent(app.current_event.raw_event, read_settings().agent_role_prefix)
    return MemoryManager(agent_id, client_manager())


def _body(kind: type[Parsed]) -> Parsed:
    try:
        return kind.model_validate_json(app.current_event.decoded_body or "")
    except ValidationError as fault:
        raise as_invalid_input(fault, "the body") from None
    except ValueError as fault:
        raise InvalidInputError(f"the body is not text in UTF-8: {fault}") from None


def _query_string(kind: type[Parsed]) -> Parsed:
    try:
        return kind.model_validate(app.current_event.query_string_parameters or {})
    except ValidationError as fault:
        raise as_invalid_input(fault, "the query string") from None


def _that_fit(decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the decisions, from the first on, that one answer carries.

    One that no answer can carry is listed without its content, so that a client gets past it.
    """
    fitting: list[dict[str, Any]] = []
    room = LARGEST_ANSWER
    for decision in decisions:
        size = _carried(_text(decision))
        shown = decision
        if size > LARGEST_ANSWER - FRAME:
            shown = {name: decision[name] for name in OUTLINE} | {"too_large": True}
            size = _carried(_text(shown))
        room -= size
        if room < FRAME and fitting:
            break
        fitting.append(shown)
    return fitting


def _json(answer: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    text = _text(answer)
    if (size := _carried(text)) > LARGEST_ANSWER:
        raise BodyTooLargeError(
            f"the answer is {size:,} bytes, and the API carries {LARGEST_ANSWER:,}: "
            "read this with the SDK, straight from the tables"
        )
    return Response(status, content_types.APPLICATION_JSON, text)


def _text(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False)


def _carried(text: str) -> int:
    """Return the bytes that a body takes within Lambda's own answer, as text inside JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode())
