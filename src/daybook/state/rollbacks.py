"""Rollback: what a checkpoint holds becomes the next version of the state."""

from datetime import datetime

from daybook.models import AgentState
from daybook.models.state import checked_checkpoint_id
from daybook.state import checkpoint_items, state_items
from daybook.state.checkpoints import last_id, not_found
from daybook.state.current import checked_version
from daybook.state.retention import prune
from daybook.state.state_items import TRIES, contended, moved_on, version_of, wrote
from daybook.store import STATE, Store, keys
from daybook.store.attributes import Item


def rollback(
    store: Store,
    agent_id: str,
    checkpoint_id: str | None = None,
    expected_version: int | None = None,
    *,
    keep: int,
) -> AgentState:
    """Make the data of a checkpoint the agent's next version; return that.

    Without an id it is the last checkpoint that was taken, by hand or by the schedule. What is
    replaced stays as a checkpoint of the kind `replaced`. Everything is in one transaction;
    with an id it takes three requests, and without one four. Raises CheckpointNotFoundError,
    InvalidInputError for what is no id, and StaleStateError when another version stands than
    the one expected or, without one, when others keep changing the state meanwhile.
    """
    if checkpoint_id is not None:
        checked_checkpoint_id(checkpoint_id)
    expected = checked_version(expected_version)
    now = store.clock()
    for _ in store.backoff.attempts(TRIES):
        current, wanted, kept = _read(store, agent_id, checkpoint_id)
        version = version_of(current)
        if expected is not None and version != expected:
            raise moved_on(agent_id, expected, version)
        data = checkpoint_items.read_data(store, kept)
        if _restored(store, current, kept, wanted, now):
            prune(store, agent_id, keep, spare=wanted)
            return state_items.make_state(agent_id, version + 1, data, now, wanted)
    raise contended(agent_id, "rolled back", version)


def _read(store: Store, agent_id: str, checkpoint_id: str | None) -> tuple[Item, str, Item]:
    """Return the current item, the id of the checkpoint to restore, and its data's item."""
    current_key = keys.current_state(agent_id)
    if checkpoint_id is not None:
        asked = [current_key, keys.checkpoint_data(agent_id, checkpoint_id)]
        items = {str(item["sk"]): item for item in store.fetch(STATE, asked)}
        if len(items) < len(asked):
            raise not_found(agent_id, checkpoint_id)
        return items[str(current_key["sk"])], checkpoint_id, items[str(asked[1]["sk"])]
    current = store.get(STATE, current_key) or {}
    wanted = last_id(agent_id, current)
    kept = store.get(STATE, keys.checkpoint_data(agent_id, wanted))
    if kept is None:
        raise not_found(agent_id, wanted)
    return current, wanted, kept


def _restored(store: Store, current: Item, kept: Item, wanted: str, now: datetime) -> bool:
    """Write what a checkpoint holds as the next version; False if something else has changed."""
    agent_id, version = str(current["pk"]), version_of(current)
    token = state_items.new_token()
    replaced_id = state_items.next_checkpoint_id(current)
    replaced = checkpoint_items.make(current, replaced_id, "replaced", now)
    update = state_items.next_version(
        agent_id,
        version,
        state_items.content_of(kept),
        token=token,
        now=now,
        unmoved=state_items.unmoved(current),
        restored_from=wanted,
    )
    check = checkpoint_items.still_there(agent_id, wanted)
    if store.transact([update, check, *checkpoint_items.puts(replaced, current)]):
        return True
    # refused, perhaps by a try of our own whose answer was lost
    standing, is_kept = checkpoint_items.look(store, agent_id, replaced_id)
    return is_kept or wrote(standing, version + 1, token) is True
