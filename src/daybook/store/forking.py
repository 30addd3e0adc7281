"""Connections belong to the process that opened them.

A child made by fork holds the sockets of its parent too, and two processes on one connection
read each other's answers. So before a request the child drops what it has inherited. Closing a
socket there leaves the parent's as it is, and sends nothing, with TLS or without.
"""

import os
import threading
from collections.abc import Callable

from botocore.client import BaseClient


class OwnConnections:
    """Called before each request: `drop` is called first if a fork has made another process.

    At the request and not at the fork itself, where a lock of the connection pool may be held
    by a thread that the child does not have.
    """

    def __init__(self, drop: Callable[[], None]) -> None:
        self._drop = drop
        self._process = os.getpid()
        self._lock = threading.Lock()

    def __call__(self, **_: object) -> None:
        """Drop inherited connections, once in each process."""
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._drop()
                    self._process = os.getpid()


def part_at_fork(client: object) -> None:
    """Make a client of boto3's open connections of its own after a fork; leave others alone."""
    if isinstance(client, BaseClient):
        # boto3 opens new ones after `close`
        client.meta.events.register(
            "before-send", OwnConnections(client.close), unique_id="daybook-fork"
        )
