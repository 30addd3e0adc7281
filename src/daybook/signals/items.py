"""A signal, its deliveries and a registration as items, and back."""

from collections.abc import Mapping

from pydantic import ValidationError

from daybook.errors import BodyCorruptError, SignalTooLargeError
from daybook.models import AgentCard, AgentSignal, SignalStatus
from daybook.models.base import as_invalid_input
from daybook.models.identity import microseconds, moment_of
from daybook.models.json_values import JsonObject
from daybook.models.signal_ids import SignalId
from daybook.models.signals import MOST_WORDS, AgentDescription, json_size
from daybook.store import Codec, Store, keys, pack, unpack
from daybook.store.attributes import Item
from daybook.store.bodies import BODY_OBJECT
from daybook.store.codec import LARGEST_INLINE
from daybook.store.schema import TTL_ATTRIBUTE

LARGEST_CARD = 160 * 1024
"""Bytes of JSON: what fifty capabilities and fifty topics take when every letter is escaped."""

# everybody reads what anybody registers, so a small item must not become a large one
SIGNAL_CODEC = Codec(version=1, largest=LARGEST_INLINE)
CARD_CODEC = Codec(version=1, largest=LARGEST_CARD)

STATUS = "status"
ATTEMPTS = "attempts"
FENCE = "fence"
VISIBLE_AT = "visible_at"
"""When a delivery can be claimed, in microseconds since 1970; 0 is at once."""

DUE_KEY = "due_key"
TARGET_KEY = "target_key"
SENT_KEY = "sent_key"
REGISTRY_KEY = "registry_key"
TOKEN = "token"  # noqa: S105 - no secret: it tells our own claim from another's
HEARTBEAT_AT = "heartbeat_at"
REGISTERED_AT = "registered_at"

NOT_DUE = (TARGET_KEY, DUE_KEY)
"""What a delivery loses when nobody is to claim it any more: its keys in TargetAgentIndex."""


def signal_item(store: Store, signal: AgentSignal) -> Item:
    """Return the item of a signal. Raises SignalTooLargeError."""
    own = SignalId.parse(signal.signal_id)
    return _with_signal(store, signal, keys.signal(own) | _expiry(signal))


def delivery_items(store: Store, signal: AgentSignal, targets: list[str]) -> list[Item]:
    """Return the items of a signal's deliveries, to be claimed by these targets."""
    own = SignalId.parse(signal.signal_id)
    created = microseconds(signal.created_at)
    shared: Item = {
        STATUS: SignalStatus.PENDING.value,
        ATTEMPTS: 0,
        # A signal of the same id may be published again when this one has expired; then fences
        # have to go on growing, so that a claim on the old one is worth nothing on the new.
        FENCE: created,
        VISIBLE_AT: 0,
        DUE_KEY: keys.due_key(signal.priority, created, own),
        SENT_KEY: keys.sent_key(own),
        **_expiry(signal),
    }
    if not targets:
        return []
    longest = max(targets, key=len)
    # encoded once, for whom it takes most
    packed = _with_signal(store, signal, _addressed(shared, longest, own))
    return [_addressed(packed, target, own) for target in targets]


def _addressed(item: Item, target: str, own: SignalId) -> Item:
    return item | keys.delivery(target, own) | {TARGET_KEY: target}


def _expiry(signal: AgentSignal) -> Item:
    return {TTL_ATTRIBUTE: int(signal.expires_at.timestamp())}


def _with_signal(store: Store, signal: AgentSignal, item: Item) -> Item:
    document = signal.model_dump(mode="json", exclude_none=True)
    if json_size(document) > LARGEST_INLINE:
        raise SignalTooLargeError(
            f"the signal with its {len(signal.targets or ())} targets does not fit into an item: "
            "let them subscribe to a topic, and name that"
        )
    return pack(store, SIGNAL_CODEC, keys.signal_bodies(signal.sender), item, document)


def read_signal(store: Store, item: Item) -> AgentSignal:
    """Return the signal of its item or of a delivery's. Raises BodyCorruptError.

    Its id is that of the key: in a signal's own item, the sender is whose partition it is.
    """
    if BODY_OBJECT in item:
        raise BodyCorruptError(
            f"the signal at {item['pk']!r} {item['sk']!r} points into the bucket, where no signal "
            "is kept: it is forged"
        )
    document = unpack(store, SIGNAL_CODEC, item)
    try:
        # as JSON: there a time is text and an enum is its value
        signal = AgentSignal.model_validate(document, strict=False)
    except ValidationError as fault:
        raise BodyCorruptError(str(as_invalid_input(fault, "a stored signal"))) from None
    if signal.signal_id != keys.signal_of(item):
        raise BodyCorruptError(
            f"the signal at {item['pk']!r} {item['sk']!r} says that it is {signal.signal_id}: it "
            "is forged or misplaced"
        )
    return signal


def card_item(store: Store, card: AgentCard) -> Item:
    """Return the item of a registration."""
    item = keys.registration(card.agent_id) | {
        REGISTRY_KEY: keys.REGISTRY,
        REGISTERED_AT: microseconds(card.registered_at),
        HEARTBEAT_AT: microseconds(card.heartbeat_at),
    }
    told = card.model_dump(mode="json", include=set(AgentDescription.model_fields))
    return pack(store, CARD_CODEC, keys.signal_bodies(card.agent_id), item, told)


def read_card(store: Store, item: Mapping[str, str | int | bytes]) -> AgentCard:
    """Return a registration. Raises BodyCorruptError.

    Whose it is, its partition says, which only that agent can write.
    """
    document = unpack(store, CARD_CODEC, dict(item))
    try:
        _check_word_counts(document)
        return AgentCard.checked(
            **document,
            agent_id=item["pk"],
            registered_at=moment_of(int(item[REGISTERED_AT])),
            heartbeat_at=moment_of(int(item[HEARTBEAT_AT])),
        )
    except (LookupError, TypeError, ValueError, ArithmeticError) as fault:
        raise BodyCorruptError(f"the registration of {item['pk']!r} is not whole: {fault}") from (
            fault
        )


def _check_word_counts(document: JsonObject) -> None:
    """Raise ValueError before each of many wrong words becomes a problem, for every reader."""
    if any(len(document.get(name, ())) > MOST_WORDS for name in AgentDescription.model_fields):
        raise ValueError(f"it has more than {MOST_WORDS} words of a kind")
