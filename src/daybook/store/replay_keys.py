"""The keys of a replay buffer: its directory, its chunks, its trajectories.

A buffer has the name of the agent whose it is, so that a role confined to the agent reaches it.
The directory is one partition, in which the parts that a strategy needs lie side by side: it
reads one range of it. Chunks are spread over partitions, and the trajectories of each chunk are
a partition of their own.
"""

from hashlib import sha256

from daybook.store.attributes import Item
from daybook.store.keys import REPLAY_BODIES
from daybook.store.thread_keys import token

SHARDS = 16
"""Partitions over which the chunks of a buffer are spread."""

TURNS, DOMAINS, SUMS, HEADS, COUNTS, OPENED = "a#", "b#", "c#", "d#", "e#", "f#"
"""What the sort keys of the directory's parts start with, in their order."""

_BUFFER = f"{HEADS}buffer"
_HEAD = f"{HEADS}head#"


def directory(buffer: str) -> str:
    """Return the partition of a buffer's directory."""
    return f"{buffer}#replay"


def buffer_item(buffer: str) -> Item:
    """Return the key of what holds for the whole buffer."""
    return {"pk": directory(buffer), "sk": _BUFFER}


def head(buffer: str, domain: str) -> Item:
    """Return the key of the item that says which chunk a domain fills."""
    return {"pk": directory(buffer), "sk": f"{_HEAD}{token(domain)}"}


def is_head(sort_key: str) -> bool:
    """Whether a sort key of the directory is a head's."""
    return sort_key.startswith(_HEAD)


def page(buffer: str, part: str, number: int) -> Item:
    """Return the key of a page of a part of the directory, of any but `HEADS`."""
    return {"pk": directory(buffer), "sk": f"{part}{number:06d}"}


def page_number(sort_key: str) -> int:
    """Return the number of a page from its sort key."""
    return int(sort_key[2:])


def parts(first: str, last: str) -> tuple[str, str]:
    """Return the first and last sort key of the parts from one to another."""
    return first, f"{last}~"


def shard(buffer: str, number: int) -> str:
    """Return the partition of the chunks of this shard."""
    return f"{buffer}#replay#C{number % SHARDS:02d}"


def chunk(buffer: str, number: int) -> Item:
    """Return the key of a chunk."""
    return {"pk": shard(buffer, number), "sk": f"{number:09d}"}


def trajectories(buffer: str, chunk_number: int) -> str:
    """Return the partition of the trajectories of a chunk."""
    return f"{buffer}#replay#P{chunk_number:09d}"


def trajectory(buffer: str, chunk_number: int, slot: int) -> Item:
    """Return the key of the trajectory in this slot."""
    return {"pk": trajectories(buffer, chunk_number), "sk": f"{slot:03d}"}


def pointer(buffer: str, trajectory_id: str) -> Item:
    """Return the key of the item that says where a trajectory is."""
    return {"pk": f"{buffer}#replay#T", "sk": token(trajectory_id)}


def outcome_key(buffer: str, outcome: str) -> str:
    """Return the partition of `OutcomeIndex`."""
    return f"{buffer}#replay#{outcome}"


def task_key(buffer: str, outcome: str, task: str) -> str:
    """Return the partition of `TaskIndex`; tasks are prose, of any length."""
    return f"{buffer}#replay#{outcome}#{sha256(task.encode()).hexdigest()[:32]}"


def bodies(buffer: str, place: str) -> str:
    """Return the folder of the object that holds the trajectory of a place, if it is large."""
    return f"{REPLAY_BODIES}{buffer}/{place}"
