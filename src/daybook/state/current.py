"""An agent's state as it stands: loaded, saved as the next version, taken over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from daybook.errors import InvalidInputError, StaleStateError
from daybook.models import AgentState
from daybook.models.identity import EPOCH
from daybook.models.state import LARGEST_VERSION, StateReceipt
from daybook.state import state_items
from daybook.state.state_items import TRIES, contended, moved_on, version_of, wrote
from daybook.store import STATE, Store, keys
from daybook.store.attributes import Item
from daybook.store.batching import Backoff
from daybook.store.expressions import absent
from daybook.store.requests import Put, Update
from daybook.store.schema import PARTITION_KEY


def load(store: Store, agent_id: str, *, take_over: bool = False) -> AgentState | None:
    """Return the agent's state as it is now, or None if it has none. One request.

    With `take_over` the same data becomes the next version, with a second request, so that
    whoever read it before can write nothing any more. Raises StaleStateError when others keep
    writing meanwhile, and BodyMissingError or BodyCorruptError for data that was damaged.
    """
    check_take_over(take_over)

    def read() -> AgentState | None:
        found = state_items.read_current(store, agent_id)
        return found[1] if found else None

    def write(version: int, token: str) -> StateReceipt:
        return take_over_version(store, agent_id, version, token)

    return take_over_by(agent_id, store.backoff, read, write) if take_over else read()


def take_over_by(
    agent_id: str,
    backoff: Backoff,
    read: Callable[[], AgentState | None],
    write: Callable[[int, str], StateReceipt],
) -> AgentState | None:
    """Return the state as its next version, or None if there is none, by these two requests.

    The data is read before anything is written: what cannot be read is not taken over. Raises
    StaleStateError when others keep writing in between.
    """
    for _ in backoff.attempts(TRIES):
        state = read()
        if state is None:
            return None
        try:
            made = write(state.version, state_items.new_token())
        except StaleStateError as stale:
            found = stale.found
        else:
            return state_items.make_state(agent_id, made.version, state.data, made.updated_at)
    raise contended(agent_id, "taken over", found)


def take_over_version(
    store: Store, agent_id: str, expected_version: int, token: str | None = None
) -> StateReceipt:
    """Make the data of this version the next one's. One request.

    Raises StaleStateError when another version stands, and InvalidInputError.
    """
    version = checked_version(expected_version) or 0
    now = store.clock()
    token = state_items.new_token() if token is None else state_items.checked_token(token)
    update = state_items.next_version(agent_id, version, {}, token=token, now=now)
    standing = store.change(update)
    if standing is None or wrote(standing, version + 1, token):
        return StateReceipt(version=version + 1, updated_at=now)
    raise moved_on(agent_id, version, version_of(standing))


def save(
    store: Store,
    agent_id: str,
    data: Any,
    expected_version: int | None = None,
    token: str | None = None,
) -> AgentState:
    """Write the version after `expected_version`; None or 0 for the first. One request.

    A `token` tells this write from others, so that it can be repeated. Raises StaleStateError
    when another version stands, InvalidInputError for what is not JSON, and BodyTooLargeError
    for over 350 KB without a bucket.
    """
    made = prepare_save(store, agent_id, data, expected_version, token)
    if isinstance(made.write, Update):
        standing = store.change(made.write)
    else:
        standing = store.insert(STATE, made.write.item)
    if standing is None:
        return made.state
    # refused, perhaps by a try of our own whose answer was lost
    is_ours = made.has_made(standing)
    if not is_ours:
        expected = made.state.version - 1
        raise moved_on(agent_id, expected, version_of(standing), unsure=is_ours is None)
    return made.state


@dataclass(frozen=True)
class PreparedSave:
    """A version that is about to be written: what it will be, and the write that makes it so."""

    state: AgentState
    write: Put | Update
    token: str

    def has_made(self, standing: Item) -> bool | None:
        """Whether what stands is this write, or came after it; None if nobody can know."""
        return wrote(standing, self.state.version, self.token)


def prepare_save(
    store: Store,
    agent_id: str,
    data: Any,
    expected_version: int | None = None,
    token: str | None = None,
) -> PreparedSave:
    """Return the write that `save` would make, to be made together with others.

    A body over 350 KB is put into the bucket here. Raises InvalidInputError or
    BodyTooLargeError.
    """
    expected = checked_version(expected_version) or 0
    now = store.clock()
    state = AgentState.checked(agent_id=agent_id, version=expected + 1, data=data, updated_at=now)
    token = state_items.new_token() if token is None else state_items.checked_token(token)
    write: Put | Update
    if expected:
        held = state_items.content(store, agent_id, state.version, state.data, token)
        write = state_items.next_version(agent_id, expected, held, token=token, now=now)
    else:
        first = state_items.first_version(store, agent_id, state.data, token, now)
        write = Put(table=STATE, item=first, condition=absent(PARTITION_KEY))
    return PreparedSave(state, write, token)


def standing_item(store: Store, agent_id: str) -> Item:
    """Return the item of the state that stands; {} if there is none. One request."""
    return store.get(STATE, keys.current_state(agent_id)) or {}


def check_take_over(take_over: bool) -> None:
    """Raise InvalidInputError for what is no flag."""
    if not isinstance(take_over, bool):
        raise InvalidInputError(f"take_over is True or False, not {take_over!r:.60}")


def check_data(agent_id: str, data: Any) -> None:
    """Raise InvalidInputError for what cannot be an agent's state."""
    AgentState.checked(agent_id=agent_id, version=1, data=data, updated_at=EPOCH)


def checked_version(version: int | None) -> int | None:
    """Return the version, or raise InvalidInputError if no state can have it."""
    if version is None:
        return None
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidInputError(f"expected_version is a whole number or None, not {version!r:.60}")
    if not 0 <= version < LARGEST_VERSION:
        raise InvalidInputError(
            "expected_version is not from 0 to 9,999,999,998: use the .version of the state that "
            "was read, or None if there was none"
        )
    return version
