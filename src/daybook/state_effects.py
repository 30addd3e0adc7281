"""A signal's effect on its target's state: written with the acknowledgement, or not at all."""

from typing import Any

from daybook.errors import ClaimExpiredError, ConflictError
from daybook.models import AgentState
from daybook.signals import acknowledge
from daybook.state import prepare_save
from daybook.state.current import standing_item
from daybook.state.state_items import moved_on, version_of
from daybook.store import Store


def acknowledge_with_state(
    store: Store,
    agent_id: str,
    signal_id: str,
    fence: int,
    data: Any,
    expected_version: int | None = None,
    token: str | None = None,
) -> AgentState:
    """Acknowledge a signal, and write the version after `expected_version`, in one transaction.

    One request; others when a condition fails. With the same `token` it can be repeated.

    Raises StaleStateError when another version stands; the claim is still held then.
    ClaimExpiredError when it is not, also because it has acknowledged before without this write.
    And InvalidInputError or BodyTooLargeError, as `save` does. Nothing is changed then.
    """
    made = prepare_save(store, agent_id, data, expected_version, token)
    try:
        is_first = acknowledge(store, agent_id, signal_id, fence, also=[made.write])
    except ClaimExpiredError:
        raise
    except ConflictError:
        # the claim is held, so it is the state that is another one
        found = version_of(standing_item(store, agent_id))
        raise moved_on(agent_id, made.state.version - 1, found) from None
    if not is_first and not made.has_made(standing_item(store, agent_id)):
        raise ClaimExpiredError(
            f"this claim has acknowledged {signal_id} before, and what was written with that "
            "stands; nothing was changed now: go on with the next signal"
        )
    return made.state
