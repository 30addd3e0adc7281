"""The local platform: the real stack, deployed and running on this machine.

`ministack` stands in for AWS on one port of the loopback interface, and the CDK CLI deploys
the stack to it. ::

    from daybook.platform import PlatformConfig, up, down

    connection = up(PlatformConfig(root=checkout), agents=["btc-agent-001"])
    ...
    down(PlatformConfig(root=checkout))

What cannot be done raises `daybook.errors.PlatformError`, which says what to do.
"""

from daybook.platform.config import PlatformConfig, find_checkout
from daybook.platform.connection import Connection
from daybook.platform.lifecycle import Outcome, State, Status, connect, down, status, up

__all__ = [
    "Connection",
    "Outcome",
    "PlatformConfig",
    "State",
    "Status",
    "connect",
    "down",
    "find_checkout",
    "status",
    "up",
]
