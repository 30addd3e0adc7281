"""How far jobs have followed what arrives: arrivals, positions, heads and the lease."""

from daybook.progress.arrivals import Arrival, read_arrivals
from daybook.progress.heads import Head, commit, read_heads
from daybook.progress.leases import Lease, leased
from daybook.progress.positions import LAG, LONGEST_TAIL, Position

__all__ = [
    "LAG",
    "LONGEST_TAIL",
    "Arrival",
    "Head",
    "Lease",
    "Position",
    "commit",
    "leased",
    "read_arrivals",
    "read_heads",
]
