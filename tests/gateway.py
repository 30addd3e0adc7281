"""API Gateway's part, on the loopback: checks signatures, and calls the function with events.

It knows one secret for each agent, and, as API Gateway does, tells the function the role of
whoever signed. A request that is not signed, or whose signature does not match what arrived,
is answered with 403 and reaches no function.
"""

import base64
import hmac
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from boto3 import Session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from daybook import AWSClientManager
from daybook.doors import Api
from daybook.store.signing import SERVICE, SignedHttp

REGION = "us-east-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/daybook-agent-{{agent}}/session"

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), "
    r"SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def secret_of(agent_id: str) -> str:
    """Return the secret with which an agent's role signs; its access key is the agent's id."""
    return f"secret-of-{agent_id}"


class AgentClientManager(AWSClientManager):
    """A client manager each of whose agents signs with a role of its own."""

    def api(self, url: str, agent_id: str) -> Api:
        """Return the API as this agent sees it."""
        session = Session(agent_id, secret_of(agent_id), region_name=REGION)
        return Api(url=url, agent_id=agent_id, http=SignedHttp(session, REGION))


@contextmanager
def gateway(handler: Handler, context: Any) -> Iterator[str]:
    """Serve a function behind an HTTP API; give the API's URL."""

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # or each answer waits 40 ms for the client to acknowledge its headers
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            agent = _signer(self.command, self.path, headers, body)
            if agent is None:
                self._send(403, {"content-type": "application/json"}, b'{"message":"Forbidden"}')
                return
            event = event_of(self.command, self.path, headers, body, ROLE.format(agent=agent))
            try:
                answer = handler(event, context)
            except Exception:  # noqa: BLE001 - as API Gateway does with a function that raises
                told = b'{"message":"Internal Server Error"}'
                self._send(500, {"content-type": "application/json"}, told)
                return
            sent = answer["body"].encode()
            if answer.get("isBase64Encoded"):
                sent = base64.b64decode(sent)
            self._send(answer["statusCode"], answer["headers"], sent)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the base class's names

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def event_of(
    method: str, path: str, headers: dict[str, str], body: bytes, arn: str | None
) -> dict[str, Any]:
    """Make the event of API Gateway's HTTP API, payload version 2.0."""
    parts = urlsplit(path)
    # what says that it is text is handed on as such, even if it is not; all else in base64
    kind = headers.get("content-type", "").partition(";")[0]
    encoded = bool(body) and kind != "application/json" and not kind.startswith("text/")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "queryStringParameters": dict(parse_qsl(parts.query, keep_blank_values=True)) or None,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "api",
            "authorizer": {"iam": {"userArn": arn}} if arn else {},
            "http": {"method": method, "path": parts.path, "sourceIp": "127.0.0.1"},
            "requestId": "id",
            "stage": "$default",
            "time": "01/Mar/2026:12:00:00 +0000",
        },
        "body": base64.b64encode(body).decode() if encoded else body.decode(errors="replace"),
        "isBase64Encoded": encoded,
    }


def _signer(method: str, path: str, headers: dict[str, str], body: bytes) -> str | None:
    """Return the agent whose secret signed a request, or None."""
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        return None
    signed = {name: headers[name] for name in found["headers"].split(";") if name in headers}
    request = AWSRequest(method, f"http://{headers['host']}{path}", signed, body)
    request.context["timestamp"] = headers.get("x-amz-date", "")
    auth = SigV4Auth(Credentials(found["key"], secret_of(found["key"])), SERVICE, REGION)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    return found["key"] if hmac.compare_digest(signature, found["signature"]) else None
