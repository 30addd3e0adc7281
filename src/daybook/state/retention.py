"""Which checkpoints stay: all with a label, the newest ones without, and the last of all."""

from contextlib import suppress

from daybook.errors import StorageError
from daybook.models import Checkpoint
from daybook.state import checkpoint_items
from daybook.store import STATE, Store, keys
from daybook.store.batching import cut
from daybook.store.expressions import begins_with, equals

_AT_ONCE = 10
"""Checkpoints to a transaction: with 350 KB of data each they stay under its limit of 4 MB."""

_AT_MOST = 100
"""Checkpoints that are taken away after one was taken; more wait for the next."""


def prune(store: Store, agent_id: str, keep: int, spare: str | None = None) -> None:
    """Take away the unlabelled checkpoints beyond the `keep` newest; 0 keeps all.

    The one with the id `spare` stays, too: a rollback has just gone to it.

    One request, and one more for every ten that go. Each goes whole or not at all. What fails
    here is made up for after the next checkpoint: the one that was just taken stands.
    """
    if not keep:
        return
    with suppress(StorageError):
        condition = equals("pk", agent_id) & begins_with("sk", keys.checkpoints())
        found = store.query(STATE, condition, consistent=True)
        doomed = surplus([checkpoint_items.read(item) for item in found], keep, spare)
        for run in cut(doomed[:_AT_MOST], _AT_ONCE):
            store.transact([write for each in run for write in checkpoint_items.deletes(each)])


def surplus(
    checkpoints: list[Checkpoint], keep: int, spare: str | None = None
) -> list[Checkpoint]:
    """Return those that may go, of all checkpoints of an agent, the oldest first.

    The one that a rollback without an id goes to stays, however many rollbacks have kept what
    they replaced since.
    """
    taken = [each.checkpoint_id for each in checkpoints if each.kind != "replaced"]
    last = max(taken, default=None)
    unlabelled = [each for each in checkpoints if each.label is None]
    return [each for each in unlabelled[:-keep] if each.checkpoint_id not in {last, spare}]
