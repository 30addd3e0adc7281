"""The store: DynamoDB and S3 behind one seam. Only this room imports boto3."""

from daybook.store.bodies import pack, unpack
from daybook.store.capacity import CapacityMeter
from daybook.store.codec import Codec
from daybook.store.schema import DECISIONS, MEMORY, REPLAY, SIGNALS, STATE, TABLES
from daybook.store.table import Store

__all__ = [
    "DECISIONS",
    "MEMORY",
    "REPLAY",
    "SIGNALS",
    "STATE",
    "TABLES",
    "CapacityMeter",
    "Codec",
    "Store",
    "pack",
    "unpack",
]
