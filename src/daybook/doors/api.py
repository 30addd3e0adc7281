"""The API as a door: a verb becomes a signed request, and the answer what the verb returns."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from daybook.doors import refusals
from daybook.doors.compression import compressed, decompressed
from daybook.doors.verbs import Verb
from daybook.errors import BodyTooLargeError, InvalidInputError, StorageError, UnreachableError
from daybook.store.batching import Backoff
from daybook.store.signing import HttpAnswer, SignedHttp

AGENT_HEADER = "daybook-agent"
"""Who the client believes to be. The API takes the agent from the signature, and refuses a
request whose signature says another one."""

REQUEST_HEADER = "daybook-request"
"""The request's own id, the same in every try: it joins them in the function's log."""

BINARY = "application/octet-stream"

TRIES = 5

LARGEST_REQUEST = 5_900_000
"""Bytes of a body as Lambda takes it, in base64 if compressed; Lambda itself ends at 6 MB."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """The deployed API, as one agent sees it. Safe to use from several threads."""

    url: str
    agent_id: str
    http: SignedHttp
    backoff: Backoff = field(default_factory=lambda: Backoff(tries=TRIES))

    @property
    def _base(self) -> str:
        return self.url.rstrip("/")

    def call(self, verb: Verb, given: Mapping[str, Any]) -> Any:
        """Send a verb with its arguments and return its answer, or raise its error.

        What fails in passing is tried again, as far as the verb can be repeated.
        """
        wire = verb.pack(given)
        query = f"?{wire.query}" if wire.query else ""
        answer = self._sent(verb, f"{wire.path}{query}", wire.body)
        body = _plain(verb, answer)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            answer = HttpAnswer(status=answer.status, headers=answer.headers, body=body)
            raise refusals.error_of(f"{verb.method} {self._base}{wire.path}", answer)
        return _read(verb, body)

    def _sent(self, verb: Verb, path: str, body: bytes | None) -> HttpAnswer:
        headers = {
            "accept-encoding": "gzip",
            AGENT_HEADER: self.agent_id,
            REQUEST_HEADER: secrets.token_hex(8),
        }
        if body is not None:
            headers["content-type"] = "application/json"
            packed = compressed(body)
            if packed is not None:
                # API Gateway would take JSON for text, and make gzip unreadable
                headers |= {"content-type": BINARY, "content-encoding": "gzip"}
                body = packed
            _check_size(verb, body, encoded=packed is not None)
        url = self._base + path
        attempt = 0
        while True:
            last = attempt + 1 >= self.backoff.tries
            try:
                answer = self.http.send(verb.method, url, headers, body or b"")
            except UnreachableError:
                if last or not verb.repeatable:
                    raise
            else:
                if last or not _may_pass(verb, answer):
                    return answer
            self.backoff.pause(attempt)
            attempt += 1


def _may_pass(verb: Verb, answer: HttpAnswer) -> bool:
    """Whether sending the request again may help, and does no harm."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS and not _is_the_functions(answer):
        # the gateway throttled it before the function; the function's own 429 may come half way
        return True
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and _is_the_functions(answer):
        # it names a fault that is the same next time; the gateway's says that the function crashed
        return False
    return verb.repeatable and answer.status in refusals.PASSING


def _is_the_functions(answer: HttpAnswer) -> bool:
    """Whether Daybook's function has answered, and not the gateway in front of it."""
    if "content-encoding" in answer.headers:
        return True
    try:
        told = from_json(answer.body)
    except ValueError:
        return False
    return isinstance(told, dict) and "error" in told


def _check_size(verb: Verb, body: bytes, *, encoded: bool) -> None:
    """Raise BodyTooLargeError for what Lambda would not take: its answer would not say so."""
    carried = len(body) * 4 // 3 if encoded else len(body)
    if carried > LARGEST_REQUEST:
        raise BodyTooLargeError(
            f"the request {verb.request} takes {carried:,} bytes, compressed, and the API carries "
            f"{LARGEST_REQUEST:,}: use a MemoryManager with door='tables'"
        )


def _plain(verb: Verb, answer: HttpAnswer) -> bytes:
    """Return an answer's body as it was before it was encoded."""
    try:
        return decompressed(answer.body, answer.headers.get("content-encoding", ""))
    except BodyTooLargeError:
        raise
    except InvalidInputError as fault:
        if answer.status >= HTTPStatus.BAD_REQUEST:
            return answer.body  # somebody else's, and its status says enough
        raise StorageError(
            f"the answer to {verb.request} cannot be read: {fault}. Is that Daybook's API, and "
            "does nothing on the way change what it says?"
        ) from fault


def _read(verb: Verb, body: bytes) -> Any:
    """Read what a verb answered."""
    try:
        return verb.read(body)
    except (ValidationError, KeyError) as fault:
        _refuse_outline(body)
        raise StorageError(
            f"the answer to {verb.request} cannot be read: {fault}. Are the API and this SDK of "
            "the same version?"
        ) from fault


def _refuse_outline(body: bytes) -> None:
    """Raise BodyTooLargeError if a page lists a decision without its content."""
    outlines: list[str] = []
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        listed = from_json(body)["decisions"]
        outlines = [each["decision_id"] for each in listed if each.get("too_large")]
    if outlines:
        raise BodyTooLargeError(
            f"{outlines[0]} is larger than the API carries: read it, and what is older, with "
            "door='tables'"
        )
