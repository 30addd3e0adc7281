"""A handle goes on working after a fork: no process reads another one's answers."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from daybook import AWSClientManager, MemoryManager
from daybook.settings import Settings
from daybook.store.clients import Clients
from daybook.store.signing import SignedHttp

CHILDREN, READS, SECONDS = 4, 150, 60

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    # this process has threads, as a program that forks may have
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def all_went_well(read: Callable[[int], bool]) -> bool:
    """Read many times in forked children and here, all at once; say whether it was right."""
    children = []
    for number in range(CHILDREN):
        child = os.fork()
        if not child:
            signal.alarm(SECONDS)
            right = False
            try:
                right = all(read(number) for _ in range(READS))
            finally:
                os._exit(0 if right else 1)
        children.append(child)
    here = all(read(CHILDREN) for _ in range(READS))
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    return here and not failed


@pytest.mark.parametrize("given", [False, True], ids=["own client", "client handed in"])
def test_children_read_their_own(database: AWSClientManager, given: bool) -> None:
    """Agents of a warm client manager, each in a process of its own, load their own states."""
    # no second try, which may hide that the first got another one's answer
    once = Config(retries={"total_max_attempts": 1})
    url = database.endpoint_url
    client = boto3.client("dynamodb", endpoint_url=url, config=once) if given else None
    manager = AWSClientManager(endpoint_url=url, dynamodb=client, settings=Settings())
    agents = [MemoryManager(f"agent-{uuid4().hex}", manager) for _ in range(CHILDREN + 1)]
    for agent in agents:
        agent.save_state({"whose": agent.agent_id})

    def read(number: int) -> bool:
        state = agents[number].load_state()
        return state is not None and state.data == {"whose": agents[number].agent_id}

    assert all_went_well(read)


class Echo(BaseHTTPRequestHandler):
    """Answers with the path that was asked for."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer."""
        body = self.path.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    """Give the URL of a server that tells what it was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def http() -> SignedHttp:
    """Give a sender of signed requests."""
    return Clients("us-east-1", None).signed_http()


def test_children_ask_for_themselves(echo: str, http: SignedHttp) -> None:
    """The API's door: answers are those to the process's own requests."""
    asked: list[int] = []

    def read(number: int) -> bool:
        asked.append(number)
        path = f"/{number}/{len(asked)}"
        return http.send("GET", echo + path, {}, b"").body == path.encode()

    assert read(CHILDREN)
    assert all_went_well(read)
