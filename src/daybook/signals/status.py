"""How far each target has got with a signal."""

from daybook.errors import ForeignSignalError
from daybook.models import DeliveryReport, SignalReport, SignalStatus
from daybook.models.identity import microseconds
from daybook.models.signal_ids import SignalId
from daybook.signals import items, routing
from daybook.store import SIGNALS, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import equals


def report_status(store: Store, signal_id: str, reader: str | None = None) -> SignalReport:
    """Return how far each target has got with a signal.

    One request, or two while nobody has it. It reads an index, which follows within a second
    or so, and no agent's partition but the sender's. A delivery that cannot be read is left
    out. `reader` is the agent whose signals are all that may be read. Raises
    SignalNotFoundError or ForeignSignalError.
    """
    own = SignalId.parse(signal_id)
    if reader not in {None, own.sender}:
        raise ForeignSignalError(
            f"{own} was sent by {own.sender!r}, and this is {reader!r}: through the API an agent "
            "sees how far its own signals have got",
            [("signal_id", "belongs to another agent")],
        )
    deliveries = read_deliveries(store, own)
    if not deliveries:
        routing.get_signal(store, signal_id)
    return SignalReport.checked(signal_id=str(own), deliveries=deliveries)


def read_deliveries(store: Store, own: SignalId) -> list[DeliveryReport]:
    """Return how far each target has got, in the order of their ids; [] of no signal. One request.

    It reads an index, which follows within a second or so. A delivery that cannot be read is left
    out.
    """
    now = microseconds(store.clock())
    index = SIGNALS.index("SentIndex")
    found = store.query(SIGNALS, equals(items.SENT_KEY, keys.sent_key(own)), index=index)
    own_ones = (item for item in found if item["sk"] == keys.delivery(str(item["pk"]), own)["sk"])
    return [report for item in own_ones if (report := _report(item, now)) is not None]


def _report(item: Item, now: int) -> DeliveryReport | None:
    """Return what a delivery says of itself, or None if it is damaged: any target can write it."""
    try:
        return DeliveryReport.checked(
            agent_id=item["pk"], status=_status(item, now), attempts=int(item[items.ATTEMPTS])
        )
    except (LookupError, TypeError, ValueError, ArithmeticError):
        return None


def _status(item: Item, now: int) -> SignalStatus:
    status = SignalStatus(str(item[items.STATUS]))
    lapsed = status == SignalStatus.CLAIMED and int(item[items.VISIBLE_AT]) <= now
    return SignalStatus.PENDING if lapsed else status
