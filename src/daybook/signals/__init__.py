"""Signals: what agents tell each other, and the registry of who is there.

A signal is written into its sender's partition, and a delivery into that of each target, who
claims it for a while, deals with it, and acknowledges it.
"""

from daybook.signals.claims import Claim
from daybook.signals.collaboration import read_collaboration
from daybook.signals.handle import SignalVerbs
from daybook.signals.inbox import claim, list_pending
from daybook.signals.publishing import publish, publish_draft
from daybook.signals.registry import Directory, heartbeat, list_agents, register, unregister
from daybook.signals.routing import get_signal, route
from daybook.signals.settling import acknowledge, extend, release
from daybook.signals.status import report_status

__all__ = [
    "Claim",
    "Directory",
    "SignalVerbs",
    "acknowledge",
    "claim",
    "extend",
    "get_signal",
    "heartbeat",
    "list_agents",
    "list_pending",
    "publish",
    "publish_draft",
    "read_collaboration",
    "register",
    "release",
    "report_status",
    "route",
    "unregister",
]
