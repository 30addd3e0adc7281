"""Publishing: the signal into its sender's partition, then a delivery to each target."""

from daybook.errors import (
    InvalidInputError,
    SignalConflictError,
    StorageError,
    UnknownTargetError,
)
from daybook.models import AgentSignal
from daybook.models.signals import SignalDraft, check_can_be_published
from daybook.signals import items, registry
from daybook.signals.registry import Directory
from daybook.signals.routing import route
from daybook.store import SIGNALS, Store
from daybook.store.attributes import Item

_SHOWN = 5


def publish(
    store: Store,
    signal: AgentSignal,
    *,
    routed: bool = False,
    directory: Directory | None = None,
) -> AgentSignal:
    """Publish a signal and return it as it stands.

    At most a write for the signal and one for each target, and a read of the registry. With
    `routed` a deployed router delivers it, and only the signal is written here. Publishing it
    again changes nothing that is delivered, and delivers what is not.

    Raises UnknownTargetError, before anything is written, when a named target is not registered,
    SignalConflictError when another signal stands under its `dedupe_id`, and StorageError, which
    carries the signal's id, when AWS fails.
    """
    if not isinstance(signal, AgentSignal):
        raise InvalidInputError(f"a signal is an AgentSignal, not {type(signal).__name__}")
    signal = AgentSignal.checked(**dict(signal))
    check_can_be_published(signal, store.clock())
    item = items.signal_item(store, signal)
    known = directory or Directory()
    if signal.targets is not None:
        _check_targets(store, signal.sender, signal.targets, known)
    try:
        standing = store.insert(SIGNALS, item)
        published = signal if standing is None else _as_it_stands(store, signal, standing)
        if not routed:
            route(store, published, known)
    except StorageError as fault:
        fault.signal_id = signal.signal_id
        raise
    return published


def publish_draft(
    store: Store,
    sender: str,
    draft: SignalDraft,
    *,
    routed: bool = False,
    directory: Directory | None = None,
) -> AgentSignal:
    """Publish what an agent hands in; see `publish`."""
    signal = draft.to_signal(sender, store.clock())
    return publish(store, signal, routed=routed, directory=directory)


def _as_it_stands(store: Store, signal: AgentSignal, standing: Item) -> AgentSignal:
    published = items.read_signal(store, standing)
    if not published.says_the_same_as(signal):
        under, name = f" with the signal_id {signal.signal_id}", "signal_id"
        if signal.dedupe_id is not None:
            under, name = f" under the dedupe_id {signal.dedupe_id!r:.80}", "dedupe_id"
        raise SignalConflictError(
            f"another signal is already published{under}; it stands. Use a new {name} for each "
            "signal"
        )
    return published


def _check_targets(store: Store, sender: str, targets: list[str], known: Directory) -> None:
    unknown = registry.unknown_among(store, sender, targets, known)
    if unknown:
        named = ", ".join(repr(each) for each in unknown[:_SHOWN])
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        verb = "is" if len(unknown) == 1 else "are"
        raise UnknownTargetError(
            f"{named}{more} {verb} not registered, so nothing was published: register with "
            "MemoryManager.register or MultiAgentCoordinator.register",
            [("targets", f"{each} is not registered") for each in unknown],
        )
