"""The spool: a durable queue on a local disk, and the threads that deliver what waits in it."""

from daybook.spool.config import SpoolConfig, SpoolStatus
from daybook.spool.entries import Deliver, Delivery, Entry, Kept, Refusal
from daybook.spool.inspection import Contents, look, take_back
from daybook.spool.queue import Spool
from daybook.spool.registry import acquire, release

__all__ = [
    "Contents",
    "Deliver",
    "Delivery",
    "Entry",
    "Kept",
    "Refusal",
    "Spool",
    "SpoolConfig",
    "SpoolStatus",
    "acquire",
    "look",
    "release",
    "take_back",
]
