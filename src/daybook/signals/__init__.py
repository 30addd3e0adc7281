"""Signals: what agents tell each other, and the registry of who is there.

A signal is written into its sender's partition, and a delivery into that of each target, who
claims it for a while, deals with it, and acknowledges it.
"""

from daybook.signals.claims import Claim
from daybook.signals.handle import SignalVerbs
from daybook.signals.inbox import claim, pending
from daybook.signals.publishing import publish, publish_draft
from daybook.signals.registry import Directory, agents, heartbeat, register, unregister
from daybook.signals.routing import route, stored_signal
from daybook.signals.settling import acknowledge, extend, release
from daybook.signals.status import signal_status

__all__ = [
    "Claim",
    "Directory",
    "SignalVerbs",
    "acknowledge",
    "agents",
    "claim",
    "extend",
    "heartbeat",
    "pending",
    "publish",
    "publish_draft",
    "register",
    "release",
    "route",
    "signal_status",
    "stored_signal",
    "unregister",
]
