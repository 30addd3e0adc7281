"""The agents' verbs over HTTP: parse, one call, return.

Every verb of the handle (`daybook.doors.VERBS`) is a route here; the function runs the same
method that an agent with access to the tables runs by itself.
"""

import base64
import json
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from daybook import DaybookError, ForgedIdentityError, InvalidInputError, MemoryManager
from daybook.decisions import DecisionPage, DecisionQuery
from daybook.doors import VERBS, Verb
from daybook.doors.api import AGENT_HEADER, REQUEST_HEADER
from daybook.doors.compression import compressed, decompressed
from daybook.doors.refusals import briefly, refusal, status_of
from daybook.errors import BodyTooLargeError, NotFoundError
from daybook.memory import Acquaintances
from lambdas.connection import client_manager
from lambdas.identity import calling_agent

LARGEST_ANSWER = 6_000_000
"""Bytes of an answer as Lambda hands it on, escaped; Lambda itself ends at 6 MB."""

LONGEST_ID = 64
"""Characters of a client's own id for its request that are written to the log."""

OUTLINE = ("decision_id", "agent_id", "decision_type", "decided_at", "arrived_at")

Answer = Response[str]

COUNTED = {
    "POST /decisions": "DecisionsLogged",
    "POST /decisions/{decision_id}/outcome": "OutcomesLogged",
}

logger = Logger()
metrics = Metrics()
tracer = Tracer()
app = APIGatewayHttpResolver()


def _route(verb: Verb) -> Callable[..., Answer]:
    """Return the function that answers a verb's requests."""

    def answer(**path: str) -> Answer:
        memory = _memory()
        event = app.current_event
        given = verb.unpack(
            {name: unquote(value) for name, value in path.items()},
            event.query_string_parameters or {},
            _body(),
        )
        returned = verb.function(memory, **given)
        if counted := COUNTED.get(verb.request):
            metrics.add_metric(counted, MetricUnit.Count, 1)
        status = HTTPStatus.CREATED if verb.creates else HTTPStatus.OK
        if isinstance(returned, DecisionPage):
            return _page(verb, memory.agent_id, given, returned)
        return _json(verb.dump(returned), status)

    return answer


for each in VERBS.values():
    app.route(each.path.replace("{", "<").replace("}", ">"), each.method)(_route(each))


@app.not_found
def no_such_route(_: Exception) -> Answer:
    """Answer a path that leads nowhere."""
    event = app.current_event
    return refuse(NotFoundError(f"there is no {event.http_method} {event.path}"))


def refuse(error: DaybookError) -> Answer:
    """Answer with what went wrong, in the one form that clients know."""
    status = status_of(error)
    try:
        told = refusal(error)
        answer = _json(json.dumps(told).encode(), status)
    except Exception:  # noqa: BLE001 - a refusal that fails would hide what it refuses
        # the details: a chain that broke after very large decisions, or what JSON cannot say
        told = briefly(error)
        answer = _json(json.dumps(told).encode(), status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("the request failed", exc_info=error)
    else:
        logger.info("the request is refused", extra={"refusal": told | {"details": None}})
    metrics.add_metric("RequestsRefused", MetricUnit.Count, 1)
    return answer


app.exception_handler(DaybookError)(refuse)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of API Gateway's HTTP API."""
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    return app.resolve(event, context)


def _memory() -> MemoryManager:
    """Return the caller's handle. Whom it believes to be must be whom its signature says."""
    event = app.current_event
    logger.append_keys(client_request=event.headers.get(REQUEST_HEADER, "")[:LONGEST_ID])
    manager = client_manager()
    agent_id = calling_agent(event.raw_event, manager.settings.agent_role_prefix)
    claimed = event.headers.get(AGENT_HEADER, agent_id)
    if claimed != agent_id:
        raise ForgedIdentityError(
            f"the request says that it comes from {claimed!r:.140}, and the role of {agent_id!r} "
            "signed it: sign with the agent's own role"
        )
    return MemoryManager.serving(agent_id, manager, _known_to(agent_id))


@lru_cache(maxsize=256)
def _known_to(agent_id: str) -> Acquaintances:
    """Return what an agent need not read again while this container is warm."""
    del agent_id
    return Acquaintances()


def _body() -> bytes:
    event = app.current_event
    try:
        body = event.body or ""
        raw = base64.b64decode(body) if event.is_base64_encoded else body.encode()
    except ValueError as fault:
        raise InvalidInputError(f"the body is not base64: {fault}") from None
    plain = decompressed(raw, event.headers.get("content-encoding", ""))
    try:
        plain.decode()
    except UnicodeDecodeError as fault:
        raise InvalidInputError(f"the body is not text in UTF-8: {fault}") from None
    return plain


def _page(verb: Verb, agent_id: str, given: dict[str, Any], page: DecisionPage) -> Answer:
    """Answer with as much of a page as fits, and the cursor that goes on after that.

    A decision that no answer can carry is listed without its content, so that a client gets
    past it.
    """
    asked = {name: value for name, value in given.items() if name in DecisionQuery.model_fields}
    query = DecisionQuery.checked(agent_id=agent_id, **asked)
    while True:
        try:
            return _json(verb.dump(page))
        except BodyTooLargeError:
            if len(page.decisions) > 1:
                page = page.first(len(page.decisions) // 2, query)
                continue
            (alone,) = page.decisions
            outline = alone.model_dump(mode="json", include=set(OUTLINE)) | {"too_large": True}
            return _json(json.dumps({"decisions": [outline], "cursor": page.cursor}).encode())


def _json(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """Answer with JSON; compressed, if that pays and the client takes it."""
    headers: dict[str, str | list[str]] = {}
    accepts = "gzip" in app.current_event.headers.get("accept-encoding", "")
    packed = compressed(body) if accepts else None
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    # bytes travel in base64, and text as JSON within JSON
    text = base64.b64encode(packed).decode() if packed else body.decode()
    carried = len(json.dumps(text, ensure_ascii=False).encode())
    if carried > LARGEST_ANSWER:
        done = "" if app.current_event.http_method == "GET" else "what was asked is done, but "
        raise BodyTooLargeError(
            f"{done}the answer is {carried:,} bytes, and the API carries {LARGEST_ANSWER:,}: read "
            "it with door='tables'"
        )
    answer = Response(status, content_types.APPLICATION_JSON, text, headers)
    answer.base64_encoded = packed is not None
    return answer
