"""Channels of which a checkpoint holds only what was added: their values' histories."""

from collections.abc import Iterator, Sequence

from langgraph.checkpoint.base import CheckpointTuple, DeltaChannelHistory, PendingWrite

from daybook.adapters.langgraph.positions import Position, position_of
from daybook.adapters.langgraph.reading import find, newest_first
from daybook.adapters.langgraph.threads import Threads


def history(
    threads: Threads, position: Position, channels: Sequence[str]
) -> dict[str, DeltaChannelHistory]:
    """Return what was written to channels since the last checkpoint that holds their values.

    By channel: `writes`, the oldest first, and that value as `seed` if there is one. Reads the
    ancestors of the checkpoint at `position` as a list, fifty at a time.
    """
    written: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
    found: dict[str, DeltaChannelHistory] = {}
    for ancestor in _ancestors(threads, position) if channels else ():
        values = ancestor.checkpoint["channel_values"]
        for write in reversed(ancestor.pending_writes or ()):
            if write[1] in written and write[1] not in found:
                written[write[1]].append(write)
        for channel in channels:
            if channel not in found and channel in values:
                found[channel] = {"writes": written[channel][::-1], "seed": values[channel]}
        if len(found) == len(written):
            break
    return {
        channel: found.get(channel, {"writes": writes[::-1]})
        for channel, writes in written.items()
    }


def _ancestors(threads: Threads, position: Position) -> Iterator[CheckpointTuple]:
    """Iterate the checkpoints that a checkpoint rests on, its parent first."""
    start = find(threads, position)
    if start is None:
        return
    wanted = _parent(start)
    earlier = newest_first(
        threads, Position(position.thread, position.ns), before=start.checkpoint["id"]
    )
    for one in earlier:
        if wanted is None:
            return
        if one.checkpoint["id"] == wanted.checkpoint_id:
            yield one
            wanted = _parent(one)
    # a parent with a larger id, from a machine whose clock was ahead, is not among the earlier
    while wanted is not None and (missed := find(threads, wanted)) is not None:
        yield missed
        wanted = _parent(missed)


def _parent(one: CheckpointTuple) -> Position | None:
    return None if one.parent_config is None else position_of(one.parent_config)
