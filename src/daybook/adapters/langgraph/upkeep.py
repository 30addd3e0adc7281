"""Threads copied, pruned and deleted."""

from collections.abc import Sequence

from daybook.adapters.langgraph.checkpoints import CHILD, NAMESPACE, PARENT, RUN
from daybook.adapters.langgraph.positions import Position, position_of
from daybook.adapters.langgraph.reading import THREAD, find
from daybook.adapters.langgraph.threads import Threads
from daybook.adapters.langgraph.writing import UNTIL, list_entries, until
from daybook.errors import InvalidInputError
from daybook.store import STATE, thread_keys
from daybook.store.attributes import Item
from daybook.store.expressions import begins_with, equals
from daybook.store.schema import TTL_ATTRIBUTE

STRATEGIES = ("keep_latest", "delete")


def delete_thread(threads: Threads, thread: str) -> None:
    """Delete a thread with all that belongs to it. A repeat finishes what was interrupted."""
    items = _items(threads, thread)
    runs = {str(item[RUN]) for item in items if RUN in item}
    # the checkpoints last: they are what a repeat is found by
    _delete(threads, [item for item in items if not _is_checkpoint(item)])
    _delete(threads, [item for item in items if _is_checkpoint(item)])
    entries = [thread_keys.listed_run(threads.agent_id, run_id, thread) for run_id in sorted(runs)]
    _delete(threads, [*entries, thread_keys.listed_thread(threads.agent_id, thread)])
    threads.listed.forget(thread)


def delete_run(threads: Threads, run_id: str) -> None:
    """Delete the checkpoints that a run has made, in every thread, and what belongs to them."""
    condition = equals("pk", thread_keys.thread_list(threads.agent_id)) & begins_with(
        "sk", thread_keys.listed_runs(run_id)
    )
    entries = list(threads.store.query(STATE, condition, consistent=True, expired=True))
    for entry in entries:
        thread = str(entry[THREAD])
        items = _items(threads, thread)
        made = [item for item in items if item.get(RUN) == run_id]
        _drop(threads, items, made)
        if made and len(made) == sum(map(_is_checkpoint, items)):
            _delete(threads, [thread_keys.listed_thread(threads.agent_id, thread)])
        threads.listed.forget(thread)
    _delete(threads, entries)


def copy_thread(threads: Threads, source: str, target: str) -> None:
    """Copy a thread whole: every checkpoint with its ancestors, writes and forks.

    A copy that was interrupted holds the older checkpoints only; a repeat completes it.
    """
    items = [item for item in _items(threads, source) if threads.store.is_live(item)]
    if not items or source == target:
        return
    runs: set[str | None] = {str(item[RUN]) for item in items if RUN in item}
    entries = [
        entry for run_id in runs or {None} for entry in list_entries(threads, target, run_id)
    ]
    distinct = {str(entry["sk"]): entry for entry in entries}
    threads.store.put_all(STATE, list(distinct.values()))
    partition = threads.partition(target)
    copies = [_copied(threads, item, partition) for item in items]
    # what a checkpoint needs comes before it, and its parent before that
    threads.store.put_all(STATE, [item for item in copies if not _is_checkpoint(item)])
    ordered = sorted(filter(_is_checkpoint, copies), key=_id)
    threads.store.put_all(STATE, ordered)


def prune(threads: Threads, thread: str, strategy: str) -> None:
    """Delete all of a thread, or all but the latest checkpoint of each namespace.

    Of a graph with delta channels also the ancestors are kept from which the latest values are
    rebuilt. Raises InvalidInputError for a strategy that there is not.
    """
    if strategy == "delete":
        delete_thread(threads, thread)
        return
    items = _items(threads, thread)
    checkpoints = [item for item in items if _is_checkpoint(item)]
    kept: set[tuple[str, str]] = set()
    for namespace in {str(item[NAMESPACE]) for item in checkpoints}:
        kept |= {(namespace, own) for own in _needed(threads, Position(thread, namespace))}
    gone = [item for item in checkpoints if (str(item[NAMESPACE]), _id(item)) not in kept]
    _drop(threads, items, gone)


def checked_strategy(strategy: str) -> str:
    """Return the strategy, or raise InvalidInputError if there is no such."""
    if strategy not in STRATEGIES:
        raise InvalidInputError(
            f"there is no strategy {strategy!r:.60} to prune by: use {' or '.join(STRATEGIES)}"
        )
    return strategy


def _needed(threads: Threads, position: Position) -> set[str]:
    """Return the latest checkpoint of a namespace and the ancestors that its values rest on."""
    found = find(threads, position)
    if found is None:
        return set()
    # the channels of which it holds only what was added to an older value
    missing = set(found.metadata.get("counters_since_delta_snapshot") or {})
    needed = {found.checkpoint["id"]}
    missing -= set(found.checkpoint["channel_values"])
    while missing and found is not None and found.parent_config is not None:
        found = find(threads, position_of(found.parent_config))
        if found is not None:
            needed.add(found.checkpoint["id"])
            missing -= set(found.checkpoint["channel_values"])
    return needed


def _drop(threads: Threads, items: Sequence[Item], checkpoints: Sequence[Item]) -> None:
    """Delete checkpoints, what lies beside them, and what names them as followers."""
    gone = {(str(item[NAMESPACE]), _id(item)) for item in checkpoints}
    prefixes = {thread_keys.beside(namespace, own) for namespace, own in gone}
    followers = {
        (thread_keys.beside(str(item[NAMESPACE]), str(item.get(PARENT, ""))), _id(item))
        for item in checkpoints
    }
    beside = [item for item in items if not _is_checkpoint(item)]
    _delete(
        threads,
        [
            item
            for item in beside
            if (owner := thread_keys.owner_of(str(item["sk"]))) in prefixes
            or (owner, item.get(CHILD)) in followers
        ],
    )
    _delete(threads, checkpoints)


def _copied(threads: Threads, item: Item, partition: str) -> Item:
    kept = {name: of for name, of in item.items() if name != TTL_ATTRIBUTE}
    expiry = until(threads.expiry()) if UNTIL in item else threads.expiry()
    return kept | expiry | {"pk": partition}


def _items(threads: Threads, thread: str) -> list[Item]:
    partition = equals("pk", threads.partition(thread))
    return list(threads.store.query(STATE, partition, consistent=True, expired=True))


def _delete(threads: Threads, items: Sequence[Item]) -> None:
    threads.store.delete_all(STATE, [{"pk": item["pk"], "sk": item["sk"]} for item in items])


def _is_checkpoint(item: Item) -> bool:
    return str(item["sk"]).startswith(thread_keys.checkpoints())


def _id(item: Item) -> str:
    return thread_keys.checkpoint_id_of(str(item["sk"]))
